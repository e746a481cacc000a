import {
  auditEntrySchema,
  auditExportQuery,
  auditListQuery,
} from "@turnpike/contract/api/audit.ts";
import { listOf } from "@turnpike/contract/api/conventions.ts";
import { z } from "zod";

import { auditEntryView, auditLines, auditPage } from "#governance/read-audit.ts";
import { WHOLE_PLATFORM } from "#governance/permissions.ts";
import { verifyAudit } from "#governance/verify-audit.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf, seqOf } from "#http/admin/page.ts";

const group = "Audit";

const verdictSchema = z.strictObject({
  intact: z.boolean(),
  entries: z.number().int().optional(),
  head: z
    .strictObject({ seq: z.number().int(), hash: z.string() })
    .optional()
    .describe("Keep it elsewhere: with it, a chain that was written anew is found, too."),
  broken: z
    .strictObject({ seq: z.number().int(), id: z.string().nullable(), reason: z.string() })
    .optional()
    .describe("The first entry that is not as it was written, or is missing."),
});

export const AUDIT_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/audit",
    group,
    summary: "Lists who did what, the newest first: of your organizations, or of the platform.",
    action: "audit.read",
    query: auditListQuery,
    response: listOf(auditEntrySchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: ({ after, limit }) => {
          const before = after === undefined ? undefined : seqOf(after);
          return auditPage(deed, query, { reach, before, limit });
        },
        idOf: ({ seq }) => String(seq),
        view: auditEntryView,
      }),
  }),
  adminRoute({
    method: "GET",
    path: "/api/audit/export",
    group,
    summary: "The same as JSON Lines, all of it.",
    action: "audit.read",
    query: auditExportQuery,
    response: z.unknown(),
    produces: "application/jsonl",
    place: "reach",
    handle: async ({ query, deed, reach }) => ({
      body: undefined,
      lines: auditLines(deed, query, reach),
    }),
  }),
  adminRoute({
    method: "GET",
    path: "/api/audit/verify",
    group,
    summary: "Reckons the chain of hashes anew and names the first entry that does not fit.",
    action: "platform.read",
    response: verdictSchema,
    place: () => WHOLE_PLATFORM,
    handle: async ({ deed }) => ({ body: await verifyAudit(deed.core) }),
  }),
];
