import { newOrganizationSchema } from "@turnpike/contract/api/organizations.ts";
import { PLANS, type Plan } from "@turnpike/contract/governance.ts";

import { CliError, table, type CliIo } from "#cli/cli-io.ts";
import { needed, neededName, verb, verbs, type Shown } from "#cli/verb.ts";
import { onlyOrganization, reachOfOption } from "#cli/within-organization.ts";
import {
  createOrganization,
  organizationsOfActor,
  organizationView,
} from "#governance/organizations.ts";
import {
  archiveProject,
  createProject,
  listProjectsFor,
  projectView,
} from "#governance/projects.ts";
import { archiveTeam, createTeam, listTeamsFor, teamView } from "#governance/teams.ts";
import { issueText } from "#lib/issue-text.ts";

const IN_FORCE = { archived: false, limit: 10_000 } as const;
const organization = {
  type: "string",
  description: "Id of the organization",
  default: "org_default",
} as const;

const rows = (heading: readonly string[], cells: readonly (readonly string[])[]): string =>
  cells.length === 0 ? "There are none." : table([heading, ...cells]);

/** `turnpike organizations …` */
export const organizationsCommand = (io: CliIo) =>
  verbs("organizations", "Make and list organizations", {
    list: verb(io, {
      name: "list",
      description: "List organizations",
      run: async (_args, deed) => {
        const found = await organizationsOfActor(deed, { limit: 10_000 });
        const cells = found.map(({ id, slug, name, plan }) => [id, slug, name, plan]);
        return {
          value: found.map(organizationView),
          text: rows(["ID", "SLUG", "NAME", "PLAN"], cells),
        };
      },
    }),
    create: verb(io, {
      name: "create",
      description: "Make an organization",
      args: {
        name: { type: "string", description: "Its name" },
        slug: { type: "string", description: "Its name in URLs and files: lower case, hyphens" },
        plan: { type: "string", description: PLANS.join(", "), default: "enterprise" },
        "time-zone": { type: "string", description: "Such as Europe/Berlin", default: "UTC" },
      },
      run: async (args, deed) => {
        const wanted = newOrganizationSchema.safeParse({
          name: neededName(args.name),
          slug: needed("slug", args.slug),
          plan: args.plan as Plan,
          time_zone: args["time-zone"],
        });
        if (!wanted.success) throw new CliError(sentence(wanted.error.issues[0]));
        return made(organizationView(await createOrganization(deed, wanted.data)));
      },
    }),
  });

type Issue = Parameters<typeof issueText>[0];

const sentence = (issue: Issue | undefined): string =>
  issue === undefined ? "that is not possible." : `--${issue.path.join(".")} ${issueText(issue)}.`;

const made = (view: { readonly id: string; readonly name: string }): Shown => ({
  value: view,
  text: `${view.id} (${view.name})`,
});

/** `turnpike teams …` */
export const teamsCommand = (io: CliIo) =>
  verbs("teams", "Make, list and archive teams", {
    list: verb(io, {
      name: "list",
      description: "List teams",
      args: { organization: onlyOrganization },
      run: async (args, deed) => {
        const reach = await reachOfOption(deed, args.organization);
        const found = await listTeamsFor(deed, { ...IN_FORCE, reach });
        const cells = found.map((row) => [row.id, row.name, row.organization_id]);
        return { value: found.map(teamView), text: rows(["ID", "NAME", "ORGANIZATION"], cells) };
      },
    }),
    create: verb(io, {
      name: "create",
      description: "Make a team",
      args: { name: { type: "string", description: "Its name" }, organization },
      run: async (args, deed) => {
        const wanted = { organizationId: args.organization, name: neededName(args.name) };
        return made(teamView(await createTeam(deed, wanted)));
      },
    }),
    archive: verb(io, {
      name: "archive",
      description: "Archive a team that has no projects",
      args: { team: { type: "positional", required: true, description: "its id" } },
      run: async (args, deed) => {
        await archiveTeam(deed, args.team);
        return { value: { id: args.team, archived: true }, text: `Archived ${args.team}.` };
      },
    }),
  });

/** `turnpike projects …` */
export const projectsCommand = (io: CliIo) =>
  verbs("projects", "Make, list and archive projects", {
    list: verb(io, {
      name: "list",
      description: "List projects",
      args: { organization: onlyOrganization },
      run: async (args, deed) => {
        const reach = await reachOfOption(deed, args.organization);
        const found = await listProjectsFor(deed, { ...IN_FORCE, reach });
        const cells = found.map((row) => [
          row.id,
          row.name,
          row.team_id ?? "–",
          row.organization_id,
        ]);
        return {
          value: found.map(projectView),
          text: rows(["ID", "NAME", "TEAM", "ORGANIZATION"], cells),
        };
      },
    }),
    create: verb(io, {
      name: "create",
      description: "Make a project",
      args: {
        name: { type: "string", description: "Its name" },
        organization,
        team: { type: "string", description: "Id of its team; none by default" },
      },
      run: async (args, deed) => {
        const wanted = {
          organization_id: args.organization,
          team_id: args.team ?? null,
          name: neededName(args.name),
        };
        return made(projectView(await createProject(deed, wanted)));
      },
    }),
    archive: verb(io, {
      name: "archive",
      description: "Archive a project: its keys are refused, its records stay",
      args: { project: { type: "positional", required: true, description: "its id" } },
      run: async (args, deed) => {
        await archiveProject(deed, args.project);
        return { value: { id: args.project, archived: true }, text: `Archived ${args.project}.` };
      },
    }),
  });
