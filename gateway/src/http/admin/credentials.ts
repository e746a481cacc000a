import { deletedSchema, listOf } from "@turnpike/contract/api/conventions.ts";
import {
  credentialChangeSchema,
  credentialListQuery,
  credentialParams,
  credentialRotationSchema,
  credentialSchema,
  credentialTestSchema,
  newCredentialSchema,
} from "@turnpike/contract/api/credentials.ts";

import { placeOf, placeOfCredential } from "#byok/credential-place.ts";
import { credentialView } from "#byok/credential-view.ts";
import {
  archiveCredential,
  changeCredential,
  createCredential,
  getCredential,
  listCredentialsFor,
  rotateCredential,
  testCredential,
} from "#byok/manage-credentials.ts";
import type { Deed } from "#governance/deed.ts";
import { adminRoute, type AdminParts, type AdminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const ofCredential = {
  group: "Provider credentials",
  params: credentialParams,
  place: ({ params, deed }: { params: { credential_id: string }; deed: Deed }) =>
    placeOfCredential(deed.core, params.credential_id),
} as const;

type Row = Awaited<ReturnType<typeof getCredential>>;

const answerOf = (row: Row, { credentials }: AdminParts) => ({
  body: credentialView(row, credentials.faultOf),
  version: row.version,
});

/** Tenants' own provider credentials: made, ordered, tested, removed; their secrets only go in. */
export const CREDENTIAL_ROUTES: readonly AdminRoute[] = [
  adminRoute({
    method: "GET",
    path: "/api/credentials",
    group: "Provider credentials",
    summary: "Lists provider credentials, without their secrets.",
    action: "credentials.read",
    query: credentialListQuery,
    response: listOf(credentialSchema),
    place: "reach",
    handle: ({ query, deed, reach, parts }) =>
      pageOf(query, {
        rows: (page) =>
          listCredentialsFor(deed, reach, {
            ...page,
            organizationId: query.organization_id,
            projectId: query.project_id,
            provider: query.provider,
            archived: query.archived,
          }),
        idOf: ({ id }) => id,
        view: (row) => credentialView(row, parts.credentials.faultOf),
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/credentials",
    group: "Provider credentials",
    summary: "Adds a provider credential, of a project or of the whole organization.",
    action: "credentials.write",
    seenBy: ({ body }) => (body.project_id === null ? "organizations.read" : "projects.read"),
    noun: "organization or project",
    body: newCredentialSchema,
    response: credentialSchema,
    status: 201,
    place: ({ body, deed }) => placeOf(deed.core, body),
    handle: async ({ body, deed, parts }) =>
      answerOf(await createCredential(deed, parts.credentials, body), parts),
  }),
  adminRoute({
    ...ofCredential,
    method: "GET",
    path: "/api/credentials/:credential_id",
    summary: "Shows a credential, without its secret.",
    action: "credentials.read",
    response: credentialSchema,
    handle: async ({ params, deed, parts }) =>
      answerOf(await getCredential(deed, params.credential_id), parts),
  }),
  adminRoute({
    ...ofCredential,
    method: "PATCH",
    path: "/api/credentials/:credential_id",
    summary: "Changes a credential's name, order, keys, attestation, or whether it is in force.",
    action: "credentials.write",
    body: credentialChangeSchema,
    response: credentialSchema,
    needsVersion: true,
    handle: async ({ params, body, deed, expected, parts }) =>
      answerOf(await changeCredential(deed, params.credential_id, { ...body, expected }), parts),
  }),
  adminRoute({
    ...ofCredential,
    method: "DELETE",
    path: "/api/credentials/:credential_id",
    summary: "Removes a credential for good; its secret is destroyed.",
    action: "credentials.write",
    response: deletedSchema,
    handle: async ({ params, deed, expected, parts }) => {
      await archiveCredential(deed, parts.credentials, { id: params.credential_id, expected });
      return { body: { id: params.credential_id, deleted: true as const } };
    },
  }),
  adminRoute({
    ...ofCredential,
    method: "POST",
    path: "/api/credentials/:credential_id/rotate",
    summary: "Gives a credential another secret, and with it another address where one is given.",
    action: "credentials.write",
    body: credentialRotationSchema,
    response: credentialSchema,
    handle: async ({ params, body, deed, parts }) =>
      answerOf(
        await rotateCredential(deed, parts.credentials, { ...body, id: params.credential_id }),
        parts,
      ),
  }),
  adminRoute({
    ...ofCredential,
    method: "POST",
    path: "/api/credentials/:credential_id/test",
    summary: "Asks the provider for something free with the credential.",
    action: "credentials.write",
    response: credentialTestSchema,
    handle: async ({ params, deed, parts }) => {
      const { outcome, detail } = await testCredential(
        deed,
        parts.credentials,
        params.credential_id,
      );
      const at = new Date(deed.now).toISOString();
      return { body: { object: "credential_test" as const, at, outcome, detail } };
    },
  }),
];
