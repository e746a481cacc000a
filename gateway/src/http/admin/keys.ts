import { listOf } from "@turnpike/contract/api/conventions.ts";
import {
  keyChangeSchema,
  keyListQuery,
  keyParams,
  keyRotationSchema,
  keySchema,
  newKeySchema,
  shownKeySchema,
} from "@turnpike/contract/api/keys.ts";

import type { Deed } from "#governance/deed.ts";
import {
  changeKey,
  createKeyFor,
  disableKey,
  enableKey,
  getKey,
  keyView,
  listKeysFor,
  ownerOfNewKey,
  revokeKey,
  rotateKeyFor,
  type ShownKey,
} from "#governance/keys.ts";
import { placeOfKey, placeOfProject } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Keys";

const answerOf = (row: ShownKey["row"], { now }: Deed) => ({
  body: keyView(row, now),
  version: row.version,
});

const shown = ({ key, row }: ShownKey, { now }: Deed) => ({
  body: { ...keyView(row, now), key },
  version: row.version,
});

const ofKey = {
  group,
  params: keyParams,
  place: ({ params, deed }: { params: { key_id: string }; deed: Deed }) =>
    placeOfKey(deed.core, params.key_id),
} as const;

export const KEY_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/keys",
    group,
    summary: "Lists keys. Developers see their own.",
    action: "keys.read",
    query: keyListQuery,
    response: listOf(keySchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) =>
          listKeysFor(deed, {
            ...page,
            reach,
            projectId: query.project_id,
            teamId: query.team_id,
            ownerId: query.owner_id,
            search: query.search,
            revoked: query.revoked,
          }),
        idOf: ({ id }) => id,
        view: (row) => keyView(row, deed.now),
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/keys",
    group,
    summary: "Makes a key; it is shown this once.",
    action: "keys.write",
    seenBy: "projects.read",
    noun: "project",
    body: newKeySchema,
    response: shownKeySchema,
    status: 201,
    place: async ({ body, deed }) => {
      const place = await placeOfProject(deed.core, body.project_id);
      return place && { ...place, ownerId: ownerOfNewKey(deed, body.owner_id) };
    },
    handle: async ({ body, deed, parts }) =>
      shown(await createKeyFor(deed, parts.pepper, body), deed),
  }),
  adminRoute({
    ...ofKey,
    method: "GET",
    path: "/api/keys/:key_id",
    summary: "Shows a key, without the key itself.",
    action: "keys.read",
    response: keySchema,
    handle: async ({ params, deed }) => answerOf(await getKey(deed, params.key_id), deed),
  }),
  adminRoute({
    ...ofKey,
    method: "PATCH",
    path: "/api/keys/:key_id",
    summary: "Changes a key's name, owner, end or settings.",
    action: "keys.write",
    body: keyChangeSchema,
    response: keySchema,
    needsVersion: true,
    handle: async ({ params, body, deed, expected }) =>
      answerOf(await changeKey(deed, params.key_id, { ...body, expected }), deed),
  }),
  adminRoute({
    ...ofKey,
    method: "DELETE",
    path: "/api/keys/:key_id",
    summary: "Revokes a key for good, within a second on every gateway.",
    action: "keys.write",
    response: keySchema,
    handle: async ({ params, deed, expected }) =>
      answerOf(await revokeKey(deed, params.key_id, { expected }), deed),
  }),
  adminRoute({
    ...ofKey,
    method: "POST",
    path: "/api/keys/:key_id/rotate",
    summary:
      "Gives a key another secret, shown this once; the earlier one works on for the overlap.",
    action: "keys.write",
    body: keyRotationSchema,
    response: shownKeySchema,
    handle: async ({ params, body, deed, parts }) => {
      const rotation = { id: params.key_id, overlapSeconds: body.overlap_seconds };
      return shown(await rotateKeyFor(deed, parts.pepper, rotation), deed);
    },
  }),
  adminRoute({
    ...ofKey,
    method: "POST",
    path: "/api/keys/:key_id/disable",
    summary: "Puts a key out of force.",
    action: "keys.write",
    response: keySchema,
    handle: async ({ params, deed }) => answerOf(await disableKey(deed, params.key_id), deed),
  }),
  adminRoute({
    ...ofKey,
    method: "POST",
    path: "/api/keys/:key_id/enable",
    summary: "Puts a disabled key back in force; for admins of its team or organization.",
    action: "keys.write",
    response: keySchema,
    handle: async ({ params, deed }) => answerOf(await enableKey(deed, params.key_id), deed),
  }),
];
