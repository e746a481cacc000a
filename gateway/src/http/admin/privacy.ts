import {
  contentParams,
  contentSchema,
  newErasureSchema,
  receiptKeySchema,
  receiptSchema,
  subjectParams,
  subjectQuery,
  type NewErasure,
} from "@turnpike/contract/api/privacy.ts";

import { GatewayError } from "#canonical/failure.ts";
import { writeAudit } from "#governance/audit.ts";
import { checkVersion } from "#governance/checks.ts";
import type { Deed } from "#governance/deed.ts";
import type { Place } from "#governance/permissions.ts";
import { placeOfKey, placeOfOrganization, placeOfProject } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import type { PrivacyDesk } from "#http/admin/privacy-desk.ts";
import type { ErasureRequest } from "#privacy/erase.ts";
import type { Receipt } from "#privacy/receipt.ts";

const group = "Privacy";

/** Reading kept texts, and erasing. Both are told to the audit log. */
export const PRIVACY_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/requests/:request_id/content",
    group,
    summary: "Shows the kept text of a request and its answer.",
    action: "content.read",
    seenBy: "records.read",
    params: contentParams,
    response: contentSchema,
    place: ({ params, deed, parts }) => placeOfRequest(parts.privacy, deed, params.request_id),
    handle: async ({ params, deed, place, parts }) => {
      const { request_id: requestId } = params;
      const content = await parts.privacy.readContent(requestId);
      if (content === undefined) throw noContent(requestId);
      await audited(deed, {
        action: "content.read",
        target: { kind: "content", id: requestId },
        organizationId: place.organizationId,
        after: { scope: "request", count: 1 },
      });
      const { createdAt, expiresAt, ...texts } = content;
      const body = {
        object: "content" as const,
        request_id: requestId,
        ...texts,
        created_at: new Date(createdAt).toISOString(),
        expires_at: new Date(expiresAt).toISOString(),
      };
      return { body };
    },
  }),
  adminRoute({
    method: "POST",
    path: "/api/privacy/erasures",
    group,
    summary: "Erases a record, a person, a project, a range of time or an organization's texts.",
    action: "privacy.erase",
    seenBy: "organizations.read",
    noun: "organization",
    body: newErasureSchema,
    response: receiptSchema,
    status: 201,
    place: ({ body, deed }) => placeOfErasure(deed, body),
    handle: async ({ body, deed, parts }) => ({
      body: { ...(await eraseAudited(parts.privacy, deed, body)) },
      status: 201,
    }),
  }),
  adminRoute({
    method: "DELETE",
    path: "/api/privacy/subjects/:id",
    group,
    summary: "Erases what is kept of a person, by the id that requests named.",
    action: "privacy.erase",
    seenBy: "organizations.read",
    noun: "organization",
    params: subjectParams,
    query: subjectQuery,
    response: receiptSchema,
    place: ({ query, deed }) => placeOfOrganization(deed.core, query.organization_id),
    handle: async ({ params, query, deed, parts, expected }) => {
      // A person is no object that is read with an ETag: whichever is named is not the present one.
      checkVersion({ version: 0 }, expected);
      const erasure = { kind: "subject", ...query, end_user: params.id } as const;
      return { body: { ...(await eraseAudited(parts.privacy, deed, erasure)) } };
    },
  }),
  adminRoute({
    method: "GET",
    path: "/api/privacy/receipt-key",
    group,
    summary: "Shows the public key that receipts of erasures are signed with.",
    action: "organizations.read",
    query: subjectQuery,
    response: receiptKeySchema,
    place: ({ query, deed }) => placeOfOrganization(deed.core, query.organization_id),
    handle: async ({ parts }) => ({ body: { public_key: await parts.privacy.publicKey() } }),
  }),
];

const noContent = (requestId: string): GatewayError =>
  new GatewayError({
    code: "not_found",
    field: "request_id",
    message: `No text is kept of ${requestId}. Texts are kept only where their project has opted in (settings.contentLog), for as long as it says, unless they were erased.`,
  });

/** A request lies where its key does; that of a key that is gone, at its project. */
async function placeOfRequest(
  desk: PrivacyDesk,
  { core }: Deed,
  requestId: string,
): Promise<Place | undefined> {
  const request = await desk.requestOf(requestId);
  if (request === undefined) return undefined;
  const { keyId, projectId } = request;
  const ofKey = keyId === null ? undefined : await placeOfKey(core, keyId);
  return ofKey ?? (projectId === null ? undefined : placeOfProject(core, projectId));
}

/** A project must be the organization's. */
async function placeOfErasure({ core }: Deed, body: NewErasure): Promise<Place | undefined> {
  const organization = await placeOfOrganization(core, body.organization_id);
  const projectId = "project_id" in body ? body.project_id : undefined;
  if (projectId === undefined) return organization;
  const project = await placeOfProject(core, projectId);
  return project?.organizationId === body.organization_id ? organization : undefined;
}

function requestOf(body: NewErasure): ErasureRequest {
  switch (body.kind) {
    case "record":
      return { kind: "record", requestId: body.request_id };
    case "subject":
      return { kind: "subject", endUser: body.end_user };
    case "project":
      return { kind: "project", projectId: body.project_id };
    case "range":
      return {
        kind: "range",
        from: Date.parse(body.from),
        to: Date.parse(body.to),
        ...(body.project_id !== undefined && { projectId: body.project_id }),
      };
    case "organization":
      return { kind: "organization" };
  }
}

async function eraseAudited(desk: PrivacyDesk, deed: Deed, body: NewErasure): Promise<Receipt> {
  const receipt = await desk.erase(body.organization_id, requestOf(body));
  await audited(deed, {
    action: "privacy.erase",
    target: { kind: "erasure", id: receipt.erasure_id },
    organizationId: body.organization_id,
    // Not who: the audit log outlives erasures.
    after: { scope: body.kind, counts: receipt.counts, receipt_id: receipt.erasure_id },
  });
  return receipt;
}

const audited = (deed: Deed, event: Parameters<typeof writeAudit>[2]): Promise<void> =>
  deed.core.transaction().execute((transaction) => writeAudit(transaction, deed, event));
