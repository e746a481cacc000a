import { listOf } from "@turnpike/contract/api/conventions.ts";
import {
  newPriceOverrideSchema,
  priceOverrideChangeSchema,
  priceOverrideListQuery,
  priceOverrideParams,
  priceOverrideSchema,
} from "@turnpike/contract/api/price-overrides.ts";

import type { Deed } from "#governance/deed.ts";
import { placeOfOrganization } from "#governance/places.ts";
import {
  archivePriceOverride,
  changePriceOverride,
  createPriceOverride,
  getPriceOverride,
  listPriceOverridesFor,
  placeOfPriceOverride,
  priceOverrideView,
} from "#governance/price-overrides.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Price overrides";

const ofOverride = {
  group,
  path: "/api/price-overrides/:price_override_id",
  params: priceOverrideParams,
  response: priceOverrideSchema,
  place: ({ params, deed }: { params: { price_override_id: string }; deed: Deed }) =>
    placeOfPriceOverride(deed.core, params.price_override_id),
} as const;

const answerOf = (row: Parameters<typeof priceOverrideView>[0]) => ({
  body: priceOverrideView(row),
  version: row.version,
});

export const PRICE_OVERRIDE_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/price-overrides",
    group,
    summary: "Lists the price overrides in force.",
    action: "prices.read",
    query: priceOverrideListQuery,
    response: listOf(priceOverrideSchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) => listPriceOverridesFor(deed, { ...page, reach }),
        idOf: ({ id }) => id,
        view: priceOverrideView,
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/price-overrides",
    group,
    summary: "Gives an organization other prices: a markup, or its own.",
    action: "prices.write",
    seenBy: "organizations.read",
    noun: "organization",
    body: newPriceOverrideSchema,
    response: priceOverrideSchema,
    status: 201,
    place: ({ body, deed }) => placeOfOrganization(deed.core, body.organization_id),
    handle: async ({ body, deed }) => {
      const { organization_id: organizationId, document } = body;
      return answerOf(await createPriceOverride(deed, { organizationId, document }));
    },
  }),
  adminRoute({
    ...ofOverride,
    method: "GET",
    summary: "Shows a price override.",
    action: "prices.read",
    handle: async ({ params, deed }) =>
      answerOf(await getPriceOverride(deed, params.price_override_id)),
  }),
  adminRoute({
    ...ofOverride,
    method: "PATCH",
    summary: "Changes a price override.",
    action: "prices.write",
    body: priceOverrideChangeSchema,
    needsVersion: true,
    handle: async ({ params, body, deed, expected }) => {
      const change = { document: body.document, expected };
      return answerOf(await changePriceOverride(deed, params.price_override_id, change));
    },
  }),
  adminRoute({
    ...ofOverride,
    method: "DELETE",
    summary: "Archives a price override.",
    action: "prices.write",
    handle: async ({ params, deed, expected }) =>
      answerOf(await archivePriceOverride(deed, params.price_override_id, expected)),
  }),
];
