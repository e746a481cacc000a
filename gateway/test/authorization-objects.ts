import { insertAdminKey } from "#store/admin-keys.ts";
import { insertBudget } from "#store/budgets.ts";
import { changeDirectory } from "#store/directory-version.ts";
import { insertContent } from "#store/content-log.ts";
import { insertInvitation } from "#store/invitations.ts";
import { insertKeyRow } from "#store/key-rows.ts";
import { insertMembership } from "#store/memberships.ts";
import { insertPayment } from "#store/payments.ts";
import { insertPolicy } from "#store/policies.ts";
import { insertPriceOverride } from "#store/price-overrides.ts";
import { insertProject } from "#store/projects.ts";
import type { Store } from "#store/store.ts";
import { insertUser } from "#store/users.ts";
import type { RequestRecord } from "#telemetry/request-record.ts";
import { createRecordWriter } from "#telemetry/write-record.ts";
import type { Ids, Kind } from "#test/authorization-rules.ts";
import { paymentRow } from "#test/payments/payment-row.ts";
import { requestRecord } from "#test/request-record.ts";

type Place = Omit<Ids, "id">;
interface Tools {
  /** Makes something by the API, as a platform admin; gives its id. */
  readonly made: (route: string, body: object) => Promise<string>;
  readonly records: Store["records"];
}
type Maker = (core: Store["core"], place: Place, tools: Tools) => Promise<string>;

const NOW = Date.parse("2026-01-01T00:00:00Z");
const common = { created_at: NOW, version: 1 };

const makeUser = async (
  core: Store["core"],
  { organization, unique }: Place,
  kind: "person" | "service",
): Promise<string> => {
  const id = `user_${unique}`;
  await insertUser(core, {
    id,
    kind,
    organization_id: kind === "service" ? organization : null,
    email: kind === "person" ? `${unique}@example.com` : null,
    name: unique,
    password_hash: null,
    oidc_issuer: null,
    oidc_subject: null,
    is_platform_admin: 0,
    disabled_at: null,
    ...common,
  });
  return id;
};

const makeMembership = async (core: Store["core"], place: Place, user: string): Promise<string> => {
  const id = `mem_${place.unique}`;
  await insertMembership(core, {
    id,
    user_id: user,
    organization_id: place.organization,
    team_id: place.team,
    role: "viewer",
    source: "manual",
    ...common,
  });
  return id;
};

const makeProject = async (
  core: Store["core"],
  { organization, team, unique }: Place,
): Promise<string> => {
  const id = `proj_${unique}`;
  const row = { id, organization_id: organization, team_id: team, name: unique, settings: "{}" };
  await insertProject(core, { ...row, archived_at: null, ...common });
  return id;
};

/** An organization has a few of them at most. */
const archiveChannels = (core: Store["core"], organization: string): Promise<unknown> =>
  core
    .updateTable("alert_channels")
    .set({ archived_at: NOW })
    .where("organization_id", "=", organization)
    .execute();

/** A request of the key that there is in the place; that of the own place is team-developer's. */
const recordIn = (
  { organization, team, project }: Place,
  { id, ...rest }: { readonly id: string; readonly conversation?: string },
): RequestRecord =>
  requestRecord(id, {
    organizationId: organization,
    teamId: team,
    projectId: project,
    keyId: project.replace("proj_", "key_"),
    ...rest,
  });

/** How a fresh object of each kind comes into a place, straight into the store. */
export const MAKERS: Readonly<Record<Kind, Maker>> = {
  organization: async (core, { organization }) => {
    await archiveChannels(core, organization);
    return organization;
  },
  // The people of the team must be in it: there is none made anew.
  team: async (_core, { team }) => team,
  project: makeProject,
  key: async (core, { organization, project, unique }) => {
    const id = `key_${unique}`;
    // With a version of the directory, so that gateways read it.
    await changeDirectory(core, (transaction, version) =>
      insertKeyRow(transaction, {
        id,
        organization_id: organization,
        project_id: project,
        owner_id: null,
        name: unique,
        digest: unique,
        hint: "sk-tp-…",
        settings: "{}",
        created_at: NOW,
        revoked_at: null,
        expires_at: null,
        disabled_at: null,
        replaced_by: null,
        last_used_at: null,
        version,
      }),
    );
    return id;
  },
  person: (core, place) => makeUser(core, place, "person"),
  member: async (core, place) => makeMembership(core, place, await makeUser(core, place, "person")),
  invitation: async (core, { organization, team, unique }) => {
    const id = `inv_${unique}`;
    await insertInvitation(core, {
      id,
      organization_id: organization,
      team_id: team,
      email: `${unique}@example.com`,
      role: "viewer",
      token_digest: unique,
      invited_by: "operator",
      created_at: NOW,
      expires_at: Date.parse("2100-01-01T00:00:00Z"),
      accepted_at: null,
      revoked_at: null,
    });
    return id;
  },
  "service-account": async (core, place) => {
    const user = await makeUser(core, place, "service");
    await makeMembership(core, place, user);
    return user;
  },
  "admin-key": async (core, place) => {
    const id = `akey_${place.unique}`;
    await insertAdminKey(core, {
      id,
      organization_id: place.organization,
      user_id: await makeUser(core, place, "service"),
      name: place.unique,
      digest: place.unique,
      hint: "tp-adm-…",
      scopes: "[]",
      expires_at: null,
      revoked_at: null,
      last_used_at: null,
      ...common,
    });
    return id;
  },
  policy: async (core, place) => {
    const target = await makeProject(core, place);
    await insertPolicy(core, {
      id: `pol_${place.unique}`,
      organization_id: place.organization,
      level: "project",
      target_id: target,
      document: "{}",
      updated_at: NOW,
      deleted_at: null,
      ...common,
    });
    return target;
  },
  budget: async (core, { organization, project, unique }) => {
    const id = `bud_${unique}`;
    await insertBudget(core, {
      id,
      organization_id: organization,
      level: "project",
      target_id: project,
      name: unique,
      document: JSON.stringify({ unit: "usd", period: "day", mode: "hard", alertAtPercent: [] }),
      limit_amount: 1_000,
      paused_at: null,
      reset_at: null,
      archived_at: null,
      ...common,
    });
    return id;
  },
  "alert-channel": async (core, { organization, unique }, { made }) => {
    await archiveChannels(core, organization);
    return made("POST /api/alert-channels", {
      organization_id: organization,
      channel: { kind: "webhook", name: unique, url: "https://hooks.invalid/in" },
    });
  },
  credential: async (_core, place, { made }) =>
    made("POST /api/credentials", {
      organization_id: place.organization,
      project_id: place.project,
      provider: "openai",
      name: place.unique,
      secret: "sk-own-0123456789-0123456789",
    }),
  request: async (_core, place, { records }) => {
    const id = `req_${place.unique}`;
    await createRecordWriter(records)(recordIn(place, { id }));
    const row = { request_id: id, organization_id: place.organization, project_id: place.project };
    const text = { encryption_key: null, request: null, answer: null };
    const times = { created_at: NOW, expires_at: Date.parse("2100-01-01T00:00:00Z") };
    const kept = {
      ...row,
      ...text,
      ...times,
      subject: "nobody",
      state: "content_dropped",
    } as const;
    await insertContent(records, [{ row: kept, words: [] }]);
    return id;
  },
  session: async (_core, place, { records }) => {
    const session = `ses_${place.unique}`;
    const id = `req_${place.unique}`;
    await createRecordWriter(records)(recordIn(place, { id, conversation: session }));
    return session;
  },
  payment: async (core, place) => {
    const id = `pay_${place.unique}`;
    const where = { organization_id: place.organization, project_id: place.project };
    await insertPayment(core, paymentRow(id, where));
    return id;
  },
  "price-override": async (core, { organization, unique }) => {
    const id = `price_${unique}`;
    const document = JSON.stringify({ models: [unique] });
    const row = { id, organization_id: organization, document, archived_at: null };
    await insertPriceOverride(core, { ...row, ...common });
    return id;
  },
};

/** Ids that are well formed and nobody's. */
export const MISSING: Readonly<Record<Kind, string>> = {
  organization: "org_nobody",
  team: "team_nobody",
  project: "proj_nobody",
  key: "key_nobody",
  member: "mem_nobody",
  invitation: "inv_nobody",
  "service-account": "user_nobody",
  "admin-key": "akey_nobody",
  policy: "proj_nobody",
  budget: "bud_nobody",
  "price-override": "price_nobody",
  "alert-channel": "alc_nobody",
  credential: "cred_nobody",
  payment: "pay_nobody",
  request: "req_nobody",
  session: "ses_nobody",
  person: "user_nobody",
};
