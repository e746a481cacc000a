import { newBudgetSchema, type NewBudget } from "@turnpike/contract/api/budgets.ts";

import { CliError, table, type CliIo } from "#cli/cli-io.ts";
import { readTarget } from "#cli/policies.ts";
import { needed, verb, verbs } from "#cli/verb.ts";
import { onlyOrganization, reachOfOption } from "#cli/within-organization.ts";
import {
  archiveBudget,
  budgetView,
  changeBudget,
  createBudget,
  listBudgetsFor,
  pauseBudget,
  resetBudget,
  resumeBudget,
  usageOfBudget,
} from "#governance/budgets.ts";
import { issueText } from "#lib/issue-text.ts";

interface Wanted {
  readonly target?: string | undefined;
  readonly name: string;
  readonly limit?: string | undefined;
  readonly unit: string;
  readonly period: string;
  readonly mode: string;
}

/** Options as a budget. Throws in words that name the option. */
function readBudget(args: Wanted): NewBudget {
  const { level, targetId } = readTarget(needed("target", args.target));
  const { unit, period, mode } = args;
  const read = newBudgetSchema.safeParse({
    level,
    target_id: targetId,
    name: args.name,
    limit: needed("limit", args.limit),
    document: { unit, period, mode },
  });
  const [issue] = read.error?.issues ?? [];
  if (issue !== undefined) {
    const [field] = issue.path.slice(-1);
    throw new CliError(
      `--${field === "target_id" ? "target" : String(field)} ${issueText(issue)}.`,
    );
  }
  return newBudgetSchema.parse(read.data);
}

const budget = { type: "positional", required: true, description: "its id" } as const;

const CHANGES = {
  pause: ["Stop all that counts for a budget", pauseBudget],
  resume: ["Let a paused budget go on", resumeBudget],
  reset: ["Begin counting anew", resetBudget],
  archive: ["Take a budget out of force", archiveBudget],
} as const;

/** `turnpike budgets …` */
export const budgetsCommand = (io: CliIo) =>
  verbs("budgets", "List, set and reset budgets", {
    list: verb(io, {
      name: "list",
      description: "List budgets",
      args: { organization: onlyOrganization },
      run: async (args, deed) => {
        const reach = await reachOfOption(deed, args.organization);
        const found = await listBudgetsFor(deed, { reach, archived: false, limit: 10_000 });
        const views = found.map(budgetView);
        const cells = views.map((view) => [
          view.id,
          view.name,
          view.target_id,
          `${view.limit} ${view.document.unit} a ${view.document.period}`,
          view.document.mode,
          view.paused_at === null ? "active" : "paused",
        ]);
        const heading = ["ID", "NAME", "TARGET", "LIMIT", "MODE", "STATE"];
        const text = views.length === 0 ? "There are none." : table([heading, ...cells]);
        return { value: views, text };
      },
    }),
    usage: verb(io, {
      name: "usage",
      description: "Show what is used of a budget, what is held, and the forecast",
      args: { budget },
      run: async (args, deed) => {
        const view = await usageOfBudget(deed, args.budget);
        const { unit, subjects } = view;
        const period = view.period_end === null ? "for its lifetime" : `until ${view.period_end}`;
        const each = subjects.map(({ subject, used, held }) => [subject, used, held]);
        const text = [
          `${view.used} of ${view.limit} ${unit} used, ${view.held} held (${period})`,
          ...(view.forecast === null
            ? []
            : [`${view.forecast} ${unit} at its end, if it goes on so`]),
          ...(each.some(([subject]) => subject !== "")
            ? [table([["SUBJECT", "USED", "HELD"], ...each], [1, 2])]
            : []),
        ].join("\n");
        return { value: view, text };
      },
    }),
    set: setVerb(io),
    ...Object.fromEntries(
      Object.entries(CHANGES).map(([name, [description, change]]) => [
        name,
        verb(io, {
          name,
          description,
          args: { budget },
          run: async (args, deed) => {
            const view = budgetView(await change(deed, args.budget));
            return { value: view, text: `${view.id} (${view.name}): ${name} done.` };
          },
        }),
      ]),
    ),
  });

const setVerb = (io: CliIo) =>
  verb(io, {
    name: "set",
    description: "Make a budget, or change the limit of the one of that name",
    args: {
      target: { type: "string", description: "Id of an organization, team, project or key" },
      name: { type: "string", description: "Its name", default: "budget" },
      limit: { type: "string", description: "USD or tokens" },
      unit: { type: "string", description: "usd or tokens", default: "usd" },
      period: { type: "string", description: "day, week, month, lifetime", default: "month" },
      mode: { type: "string", description: "hard, soft, throttle", default: "hard" },
    },
    run: async (args, deed) => {
      const wanted = readBudget(args);
      const targetId = wanted.target_id;
      const there = await listBudgetsFor(deed, {
        reach: "all",
        archived: false,
        targetId,
        limit: 10_000,
      });
      const same = there.find(({ name }) => name === wanted.name);
      const row =
        same === undefined
          ? await createBudget(deed, wanted)
          : await changeBudget(deed, same.id, { limit: wanted.limit, document: wanted.document });
      const view = budgetView(row);
      const { document } = view;
      return {
        value: view,
        text: `${view.id}: ${view.limit} ${document.unit} a ${document.period} for ${targetId}`,
      };
    },
  });
