import type { InvoiceView } from "@turnpike/contract/api/credits.ts";

import { invalidRequest } from "#canonical/failure.ts";
import { timeText } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import { getOrganization } from "#governance/organizations.ts";
import { budgetPeriod } from "#ledger/budget-period.ts";
import type { Invoice } from "#ledger/invoice.ts";
import { formatSignedUsd } from "#lib/money.ts";
import { findProject } from "#store/projects.ts";

/** What reads the books for an invoice. */
export type ReadInvoice = (asked: {
  readonly organizationId: string;
  readonly start: number;
  readonly end: number;
}) => Promise<Invoice>;

interface Asked {
  readonly organizationId: string;
  /** `2027-01`, of the organization's time zone. */
  readonly month: string;
}

/** An organization's invoice of a month. Throws `not_found`, `invalid_request`. */
export async function monthlyInvoice(
  deed: Deed,
  readInvoice: ReadInvoice,
  { organizationId, month }: Asked,
): Promise<InvoiceView> {
  const { time_zone: timeZone } = await getOrganization(deed, organizationId);
  // The middle of a month is in it, whatever the time zone.
  const { start, end } = budgetPeriod("month", timeZone, Date.parse(`${month}-15T12:00:00Z`));
  if (end === null) throw invalidRequest("month", "month must be a month such as 2027-01.");
  const { lines, total } = await readInvoice({ organizationId, start, end });
  const names = await projectNames(deed, lines);
  return {
    object: "invoice",
    organization_id: organizationId,
    month,
    period_start: timeText(start),
    period_end: timeText(end),
    lines: lines.map(({ kind, projectId, model, requests, amount }) => ({
      kind,
      project_id: projectId,
      project: names.get(projectId ?? "") ?? null,
      model,
      requests,
      amount_usd: formatSignedUsd(amount),
    })),
    total_usd: formatSignedUsd(total),
  };
}

async function projectNames(
  { core }: Deed,
  lines: Invoice["lines"],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(lines.flatMap(({ projectId }) => projectId ?? []))];
  const rows = await Promise.all(ids.map((id) => findProject(core, id)));
  return new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.id, row.name] as const])));
}
