import type { CredentialView } from "@turnpike/contract/api/credentials.ts";

import { timeOrNull, timeText } from "#governance/checks.ts";
import type { CredentialFacts } from "#store/credentials.ts";

/** A credential as people see it: never with its secret. */
export const credentialView = (
  row: CredentialFacts,
  faultOf: (id: string) => string | undefined = () => undefined,
): CredentialView => ({
  object: "credential",
  id: row.id,
  organization_id: row.organization_id,
  project_id: row.project_id,
  provider: row.provider,
  name: row.name,
  base_url: row.base_url,
  variables: JSON.parse(row.variables) as Record<string, string>,
  hint: row.hint,
  position: row.position,
  allowed_key_ids:
    row.allowed_key_ids === null ? null : (JSON.parse(row.allowed_key_ids) as string[]),
  zero_retention: attestation(row),
  state: stateOf(row, faultOf(row.id)),
  fault: faultOf(row.id) ?? null,
  last_test: lastTest(row),
  created_at: timeText(row.created_at),
  disabled_at: timeOrNull(row.disabled_at),
  archived_at: timeOrNull(row.archived_at),
});

function stateOf(row: CredentialFacts, fault: string | undefined): CredentialView["state"] {
  if (row.archived_at !== null) return "archived";
  if (row.disabled_at !== null) return "disabled";
  return fault === undefined ? "active" : "faulty";
}

function attestation({
  zero_retention_by: by,
  zero_retention_at: at,
}: CredentialFacts): CredentialView["zero_retention"] {
  return at === null ? null : { attested_by: by ?? "", attested_at: timeText(at) };
}

function lastTest({
  tested_at: at,
  test_result: result,
}: CredentialFacts): CredentialView["last_test"] {
  if (at === null || result === null) return null;
  const { outcome, detail } = JSON.parse(result) as Omit<
    NonNullable<CredentialView["last_test"]>,
    "at"
  >;
  return { at: timeText(at), outcome, detail };
}
