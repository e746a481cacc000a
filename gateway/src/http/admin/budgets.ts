import {
  budgetChangeSchema,
  budgetListQuery,
  budgetParams,
  budgetSchema,
  budgetUsageSchema,
  newBudgetSchema,
} from "@turnpike/contract/api/budgets.ts";
import { listOf } from "@turnpike/contract/api/conventions.ts";

import {
  archiveBudget,
  budgetView,
  changeBudget,
  createBudget,
  getBudget,
  listBudgetsFor,
  pauseBudget,
  placeOfBudget,
  resetBudget,
  resumeBudget,
  usageOfBudget,
} from "#governance/budgets.ts";
import type { Deed } from "#governance/deed.ts";
import { placeOfAttached } from "#governance/places.ts";
import { adminRoute } from "#http/admin/admin-route.ts";
import { pageOf } from "#http/admin/page.ts";

const group = "Budgets";

const ofBudget = {
  group,
  params: budgetParams,
  response: budgetSchema,
  place: ({ params, deed }: { params: { budget_id: string }; deed: Deed }) =>
    placeOfBudget(deed.core, params.budget_id),
} as const;

const answerOf = (row: Parameters<typeof budgetView>[0]) => ({
  body: budgetView(row),
  version: row.version,
});

export const BUDGET_ROUTES = [
  adminRoute({
    method: "GET",
    path: "/api/budgets",
    group,
    summary: "Lists budgets.",
    action: "budgets.read",
    query: budgetListQuery,
    response: listOf(budgetSchema),
    place: "reach",
    handle: ({ query, deed, reach }) =>
      pageOf(query, {
        rows: (page) =>
          listBudgetsFor(deed, {
            ...page,
            reach,
            archived: query.archived,
            level: query.level,
            targetId: query.target_id,
          }),
        idOf: ({ id }) => id,
        view: budgetView,
      }),
  }),
  adminRoute({
    method: "POST",
    path: "/api/budgets",
    group,
    summary: "Makes a budget.",
    action: "budgets.write",
    noun: "target",
    body: newBudgetSchema,
    response: budgetSchema,
    status: 201,
    place: ({ body, deed }) => placeOfAttached(deed.core, body.level, body.target_id),
    handle: async ({ body, deed }) => answerOf(await createBudget(deed, body)),
  }),
  adminRoute({
    ...ofBudget,
    method: "GET",
    path: "/api/budgets/:budget_id",
    summary: "Shows a budget.",
    action: "budgets.read",
    handle: async ({ params, deed }) => answerOf(await getBudget(deed, params.budget_id)),
  }),
  adminRoute({
    ...ofBudget,
    method: "GET",
    path: "/api/budgets/:budget_id/usage",
    summary: "Shows what is used of a budget, what is held, and the forecast.",
    action: "budgets.read",
    response: budgetUsageSchema,
    handle: async ({ params, deed }) => ({ body: await usageOfBudget(deed, params.budget_id) }),
  }),
  adminRoute({
    ...ofBudget,
    method: "PATCH",
    path: "/api/budgets/:budget_id",
    summary: "Changes a budget. A raised limit lets a paused one go on.",
    action: "budgets.write",
    body: budgetChangeSchema,
    needsVersion: true,
    handle: async ({ params, body, deed, expected }) =>
      answerOf(await changeBudget(deed, params.budget_id, { ...body, expected })),
  }),
  adminRoute({
    ...ofBudget,
    method: "DELETE",
    path: "/api/budgets/:budget_id",
    summary: "Archives a budget: it bounds nothing any more.",
    action: "budgets.write",
    handle: async ({ params, deed, expected }) =>
      answerOf(await archiveBudget(deed, params.budget_id, { expected })),
  }),
  ...(
    [
      ["pause", "Stops all that counts for the budget.", pauseBudget],
      ["resume", "Lets a paused budget go on.", resumeBudget],
      ["reset", "Begins counting anew; a paused budget goes on.", resetBudget],
    ] as const
  ).map(([verb, summary, change]) =>
    adminRoute({
      ...ofBudget,
      method: "POST",
      path: `/api/budgets/:budget_id/${verb}`,
      summary,
      action: "budgets.write",
      handle: async ({ params, deed }) => answerOf(await change(deed, params.budget_id)),
    }),
  ),
];
