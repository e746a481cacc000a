import type { PolicyView } from "@turnpike/contract/api/policies.ts";
import type { Level, PolicyDocument } from "@turnpike/contract/governance.ts";

import { GatewayError } from "#canonical/failure.ts";
import { changeAudited } from "#governance/audit.ts";
import { checkVersion, found, notFound, timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { placeOfTarget } from "#governance/places.ts";
import { newId } from "#lib/ids.ts";
import {
  findPolicyOf,
  insertPolicy,
  listPolicies,
  updatePolicy,
  type StoredPolicy,
} from "#store/policies.ts";

export const policyView = (row: StoredPolicy): PolicyView => ({
  object: "policy",
  id: row.id,
  organization_id: row.organization_id,
  level: row.level,
  target_id: row.target_id,
  document: JSON.parse(row.document) as PolicyDocument,
  created_at: timeText(row.created_at),
  updated_at: timeText(row.updated_at),
});

export interface Target {
  readonly level: Level;
  readonly targetId: string;
}

const rowOf = ({ core }: Pick<Deed, "core">, { level, targetId }: Target) =>
  findPolicyOf(core, { level, target_id: targetId });

export async function getPolicy(deed: Deed, target: Target): Promise<StoredPolicy> {
  const row = await rowOf(deed, target);
  if (row === undefined || row.deleted_at !== null) throw notFound("policy");
  return row;
}

export const listPoliciesFor = (
  { core }: Deed,
  wanted: Parameters<typeof listPolicies>[1],
): Promise<readonly StoredPolicy[]> => listPolicies(core, wanted);

interface NewDocument extends Target {
  readonly document: PolicyDocument;
  readonly expected?: number | undefined;
  /** Whether one that is there may only be replaced by who has read it. */
  readonly needsVersion: boolean;
}

/** Attaches a policy, in place of the one that is there. Throws `precondition_required`, `…_failed`. */
export const putPolicy = (deed: Deed, wanted: NewDocument): Promise<StoredPolicy> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const { level, targetId, expected, document, needsVersion } = wanted;
    const place = found(await placeOfTarget(transaction, level, targetId), level);
    const organizationId = found(place.organizationId ?? undefined, level);
    const before = await rowOf({ core: transaction }, wanted);
    const isThere = before !== undefined && before.deleted_at === null;
    if (isThere) {
      if (needsVersion && expected === undefined) throw new GatewayError(READ_FIRST);
      checkVersion(before, expected);
    } else checkVersion({ version: 0 }, expected);
    const fields = {
      document: JSON.stringify(document),
      updated_at: deed.now,
      deleted_at: null,
      version,
    };
    const after: StoredPolicy = {
      id: before?.id ?? newId("pol_", deed.now),
      organization_id: organizationId,
      level,
      target_id: targetId,
      created_at: isThere ? before.created_at : deed.now,
      ...fields,
    };
    await (before === undefined
      ? insertPolicy(transaction, after)
      : updatePolicy(transaction, before.id, fields));
    await audit({
      action: "policies.write",
      target: { kind: "policy", id: after.id },
      organizationId,
      before: isThere ? before : undefined,
      after,
    });
    return after;
  });

const READ_FIRST = {
  code: "precondition_required",
  field: "If-Match",
  message: "There is a policy already. Read it and send its ETag as If-Match, or `*`.",
} as const;

/** Takes a policy off. */
export const deletePolicy = (
  deed: Deed,
  { expected, ...target }: Target & { readonly expected?: number | undefined },
): Promise<StoredPolicy> =>
  changeAudited(deed, async ({ transaction, version, audit }) => {
    const before = await rowOf({ core: transaction }, target);
    if (before === undefined || before.deleted_at !== null) throw notFound("policy");
    checkVersion(before, expected);
    const fields = { deleted_at: deed.now, version };
    await updatePolicy(transaction, before.id, fields);
    await audit({
      action: "policies.delete",
      target: { kind: "policy", id: before.id },
      organizationId: before.organization_id,
      before,
      after: { ...before, ...fields },
    });
    return before;
  });
