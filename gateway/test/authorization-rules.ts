import { WORLD } from "#test/admin-world.ts";

/** Where the object of a request lies, as seen by the people of `WORLD.own` and its team. */
export type Where = "own" | "sibling" | "other" | "missing";

/** What a request is done to; the test makes a fresh one for each request. */
export type Kind =
  | "organization"
  | "team"
  | "project"
  | "key"
  | "member"
  | "invitation"
  | "service-account"
  | "admin-key"
  | "policy"
  | "budget"
  | "price-override"
  | "credential"
  | "alert-channel"
  | "payment"
  | "request"
  | "session"
  | "person";

/** Roles at the organization, and the same at the team. */
export const ORGANIZATION_ROLES = ["owner", "admin", "developer", "viewer", "billing"];
export const TEAM_ROLES = ORGANIZATION_ROLES.map((role) => `team-${role}`);

/** A role at both levels: `both("owner")`. */
const both = (...roles: string[]): string[] => roles.flatMap((role) => [role, `team-${role}`]);
const EVERYBODY = [...ORGANIZATION_ROLES, ...TEAM_ROLES];
const HEADS = both("owner", "admin");
const READERS = both("owner", "admin", "developer", "viewer");
const PAYERS = both("owner", "admin", "billing");

/** What may be expected of a route, written by hand: never by asking the code under test. */
export interface Rule {
  /** `list`: cut to reach; `platform`: of no organization; else what it is done to or made in. */
  readonly of: Kind | "list" | "platform";
  /** Who may do it. */
  readonly may: readonly string[];
  /** Who is told that they may not (403); everybody else is told that it is not there (404). */
  readonly seen?: readonly string[];
  readonly body?: (ids: Ids) => object;
  /** Done to what lies in a team; otherwise it is the organization's, and there is no sibling. */
  readonly inTeam?: true;
  readonly query?: string;
  /** The route's own action, for an admin key that has only the scope `teams.read`. */
  readonly readsTeams?: true;
  /** Whoever may do it is told of a conflict: the team has projects, what it needs is not configured. */
  readonly conflicts?: true;
  /** What else it names is never there: 404 also for whoever may do it. */
  readonly finds?: "nothing";
}

/** Ids of what there is in the place that is meant. */
export interface Ids {
  readonly id: string;
  readonly organization: string;
  readonly team: string;
  readonly project: string;
  /** Of this request alone, for names. */
  readonly unique: string;
}

const list = (may: readonly string[], more: Partial<Rule> = {}): Rule => ({
  of: "list",
  may,
  seen: EVERYBODY,
  ...more,
});
const change = { name: "changed" };
const key = { of: "key", inTeam: true } as const;
const keyReaders = { ...key, may: both("owner", "admin", "viewer") };
const keyWriters = { ...key, may: HEADS, seen: both("viewer") };
const budget = { of: "budget", inTeam: true } as const;
const budgetWriters = { ...budget, may: PAYERS, seen: EVERYBODY };
const policy = { of: "policy", inTeam: true } as const;
const credential = { of: "credential", inTeam: true, may: HEADS } as const;
const ofProject = { of: "project", inTeam: true } as const;
const SCOPE = "organization_id=:organization&project_id=:id";
const REPORT = `?${SCOPE}&by=model&from=2026-01-01&to=2026-01-31`;
const LOG = `?${SCOPE}`;
const erasure = { of: "organization", may: ["owner", "admin"], seen: EVERYBODY } as const;
const channelWriters = {
  of: "alert-channel",
  may: ["owner", "admin"],
  seen: ORGANIZATION_ROLES,
} as const;
const booking = {
  of: "organization",
  may: [],
  seen: ["owner", "admin", "billing"],
} as const;
const platform = { of: "platform", may: [], seen: EVERYBODY } as const;

export const RULES: Readonly<Record<string, Rule>> = {
  "GET /api/organizations": list(EVERYBODY),
  "POST /api/organizations": {
    ...platform,
    body: ({ unique }) => ({ name: unique, slug: unique }),
  },
  "GET /api/organizations/:organization_id": { of: "organization", may: EVERYBODY },
  "PATCH /api/organizations/:organization_id": {
    of: "organization",
    may: ["owner", "admin"],
    seen: EVERYBODY,
    body: () => change,
  },

  "GET /api/teams": list(EVERYBODY, { readsTeams: true }),
  "POST /api/teams": {
    of: "organization",
    may: ["owner", "admin"],
    seen: EVERYBODY,
    body: ({ organization, unique }) => ({ organization_id: organization, name: unique }),
  },
  "GET /api/teams/:team_id": { of: "team", inTeam: true, may: EVERYBODY, readsTeams: true },
  "PATCH /api/teams/:team_id": {
    of: "team",
    inTeam: true,
    may: ["owner", "admin"],
    seen: EVERYBODY,
    body: ({ unique }) => ({ name: unique }),
  },
  "DELETE /api/teams/:team_id": {
    of: "team",
    inTeam: true,
    conflicts: true,
    may: ["owner", "admin"],
    seen: EVERYBODY,
  },

  "GET /api/projects": list(EVERYBODY),
  "POST /api/projects": {
    of: "team",
    inTeam: true,
    may: HEADS,
    seen: EVERYBODY,
    body: ({ organization, id, unique }) => ({
      organization_id: organization,
      team_id: id,
      name: unique,
    }),
  },
  "GET /api/projects/:project_id": { of: "project", inTeam: true, may: EVERYBODY },
  "PATCH /api/projects/:project_id": {
    of: "project",
    inTeam: true,
    may: HEADS,
    seen: EVERYBODY,
    body: ({ unique }) => ({ name: unique }),
  },
  "DELETE /api/projects/:project_id": { of: "project", inTeam: true, may: HEADS, seen: EVERYBODY },

  "GET /api/members": list(EVERYBODY),
  "PATCH /api/members/:member_id": {
    of: "member",
    inTeam: true,
    may: HEADS,
    seen: EVERYBODY,
    body: () => ({ role: "viewer" }),
  },
  "DELETE /api/members/:member_id": { of: "member", inTeam: true, may: HEADS, seen: EVERYBODY },
  // Theirs have no password that could be lost.
  "POST /api/members/:member_id/password-reset": {
    of: "member",
    inTeam: true,
    may: ["owner"],
    seen: EVERYBODY,
    conflicts: true,
  },
  "GET /api/invitations": list(HEADS),
  "POST /api/invitations": {
    of: "team",
    inTeam: true,
    may: HEADS,
    seen: EVERYBODY,
    body: ({ organization, id, unique }) => ({
      organization_id: organization,
      team_id: id,
      email: `${unique}@example.com`,
      role: "viewer",
    }),
  },
  "DELETE /api/invitations/:invitation_id": { of: "invitation", inTeam: true, may: HEADS },
  "POST /api/users/:user_id/disable": { of: "person", may: [], seen: EVERYBODY },
  "POST /api/users/:user_id/enable": { of: "person", may: [], seen: EVERYBODY },

  "GET /api/service-accounts": list(READERS),
  "POST /api/service-accounts": {
    of: "team",
    inTeam: true,
    may: HEADS,
    seen: EVERYBODY,
    body: ({ organization, id, unique }) => ({
      organization_id: organization,
      team_id: id,
      name: unique,
      role: "viewer",
    }),
  },
  "POST /api/service-accounts/:service_account_id/disable": {
    of: "service-account",
    inTeam: true,
    may: HEADS,
    seen: READERS,
  },
  "POST /api/service-accounts/:service_account_id/enable": {
    of: "service-account",
    inTeam: true,
    may: HEADS,
    seen: READERS,
  },
  "GET /api/admin-keys": list(EVERYBODY),
  "POST /api/admin-keys": {
    of: "organization",
    may: EVERYBODY,
    body: ({ organization, unique }) => ({
      organization_id: organization,
      name: unique,
      scopes: ["teams.read"],
    }),
  },
  "DELETE /api/admin-keys/:admin_key_id": { of: "admin-key", may: ["owner", "admin"] },

  "GET /api/keys": list(READERS),
  "POST /api/keys": {
    of: "project",
    inTeam: true,
    may: both("owner", "admin", "developer"),
    seen: both("viewer", "billing"),
    body: ({ id, unique }) => ({ project_id: id, name: unique }),
  },
  "GET /api/keys/:key_id": keyReaders,
  "PATCH /api/keys/:key_id": { ...keyWriters, body: ({ unique }) => ({ name: unique }) },
  "DELETE /api/keys/:key_id": keyWriters,
  "POST /api/keys/:key_id/rotate": { ...keyWriters, body: () => ({}) },
  "POST /api/keys/:key_id/disable": keyWriters,
  "POST /api/keys/:key_id/enable": keyWriters,

  "GET /api/policies": list(READERS),
  "GET /api/policies/effective": { ...key, may: READERS, query: "?key_id=:id" },
  "GET /api/policies/:level/:target_id": { ...policy, may: READERS },
  "PUT /api/policies/:level/:target_id": {
    ...policy,
    may: HEADS,
    seen: READERS,
    body: () => ({ document: {} }),
  },
  "DELETE /api/policies/:level/:target_id": { ...policy, may: HEADS, seen: READERS },

  "GET /api/budgets": list(EVERYBODY),
  "POST /api/budgets": {
    of: "project",
    inTeam: true,
    may: PAYERS,
    seen: EVERYBODY,
    body: ({ id, unique }) => ({
      level: "project",
      target_id: id,
      name: unique,
      limit: 1,
      document: { unit: "usd", period: "day" },
    }),
  },
  "GET /api/budgets/:budget_id": { ...budget, may: EVERYBODY },
  "GET /api/budgets/:budget_id/usage": { ...budget, may: EVERYBODY },
  "PATCH /api/budgets/:budget_id": { ...budgetWriters, body: () => ({ limit: 2 }) },
  "DELETE /api/budgets/:budget_id": budgetWriters,
  "POST /api/budgets/:budget_id/pause": budgetWriters,
  "POST /api/budgets/:budget_id/resume": budgetWriters,
  "POST /api/budgets/:budget_id/reset": budgetWriters,

  "GET /api/credits/:organization_id": { of: "organization", may: ["owner", "admin", "billing"] },
  "GET /api/credits/:organization_id/transfers": {
    of: "organization",
    may: ["owner", "admin", "billing"],
  },
  "GET /api/credits/:organization_id/invoice": {
    of: "organization",
    may: ["owner", "admin", "billing"],
    query: "?month=2026-01",
  },
  "GET /api/credits/:organization_id/invoice.csv": {
    of: "organization",
    may: ["owner", "admin", "billing"],
    query: "?month=2026-01",
  },
  "POST /api/credits/:organization_id/grants": {
    ...booking,
    body: () => ({ amount_usd: "1" }),
  },
  "POST /api/credits/:organization_id/adjustments": {
    ...booking,
    body: () => ({ amount_usd: "1", direction: "up" }),
  },
  "POST /api/credits/:organization_id/refunds": {
    ...booking,
    // Nothing was charged for it: 404 for whoever may ask.
    body: () => ({ request_id: "req_nobody" }),
    finds: "nothing",
  },

  "POST /api/credits/:organization_id/orders": {
    of: "organization",
    may: ["owner", "admin", "billing"],
    body: () => ({ amount_usd: "25" }),
    // Gate Pay is not configured.
    conflicts: true,
  },
  "GET /api/credits/:organization_id/payouts": {
    of: "organization",
    may: ["owner", "admin", "billing"],
  },
  "POST /api/credits/:organization_id/payouts": {
    ...booking,
    body: () => ({ payment_id: "pay_nobody" }),
    conflicts: true,
  },

  "GET /api/payments": list(["owner", "admin", "billing"]),
  "GET /api/payments.csv": {
    of: "organization",
    may: ["owner", "admin", "billing"],
    query: "?organization_id=:organization",
  },
  "GET /api/payments/:payment_id": { of: "payment", may: ["owner", "admin", "billing"] },
  // The gateway of this test takes no payments.
  "POST /api/payments/:payment_id/reconcile": {
    of: "payment",
    may: ["owner", "admin", "billing"],
    conflicts: true,
  },
  "GET /api/reports/revenue": {
    of: "organization",
    may: ["owner", "admin", "billing"],
    query: "?organization_id=:organization&from=2026-01-01&to=2026-01-31",
  },

  "GET /api/price-overrides": list(["owner", "admin", "billing"]),
  "POST /api/price-overrides": {
    of: "organization",
    may: [],
    seen: EVERYBODY,
    // Each of a model of its own: two of the same are a conflict.
    body: ({ organization, unique }) => ({
      organization_id: organization,
      document: { models: [unique], markupPercent: 1 },
    }),
  },
  "GET /api/price-overrides/:price_override_id": {
    of: "price-override",
    may: ["owner", "admin", "billing"],
  },
  "PATCH /api/price-overrides/:price_override_id": {
    of: "price-override",
    may: [],
    seen: ["owner", "admin", "billing"],
    body: ({ unique }) => ({ document: { models: [unique], markupPercent: 2 } }),
  },
  "DELETE /api/price-overrides/:price_override_id": {
    of: "price-override",
    may: [],
    seen: ["owner", "admin", "billing"],
  },

  "GET /api/credentials": list(HEADS),
  "POST /api/credentials": {
    of: "project",
    inTeam: true,
    may: HEADS,
    seen: EVERYBODY,
    body: ({ organization, id, unique }) => ({
      organization_id: organization,
      project_id: id,
      provider: "openai",
      name: unique,
      secret: "sk-own-0123456789-0123456789",
    }),
  },
  "GET /api/credentials/:credential_id": credential,
  "PATCH /api/credentials/:credential_id": {
    ...credential,
    body: ({ unique }) => ({ name: unique }),
  },
  "DELETE /api/credentials/:credential_id": credential,
  "POST /api/credentials/:credential_id/rotate": {
    ...credential,
    body: () => ({ secret: "sk-new-0123456789-0123456789" }),
  },
  "POST /api/credentials/:credential_id/test": credential,

  "GET /api/reports/spend": { ...ofProject, may: EVERYBODY, query: REPORT },
  "GET /api/reports/spend.csv": { ...ofProject, may: EVERYBODY, query: REPORT },
  "GET /api/requests": { ...ofProject, may: READERS, query: LOG },
  "GET /api/requests.csv": { ...ofProject, may: READERS, query: LOG },
  "GET /api/requests/:request_id": { of: "request", inTeam: true, may: READERS },
  // Of all teams at once: no role at one team is enough.
  "GET /api/sessions/:session_id": {
    of: "session",
    may: ["owner", "admin", "developer", "viewer"],
    query: "?organization_id=:organization",
  },

  "GET /api/alert-channels": {
    of: "organization",
    may: ORGANIZATION_ROLES,
    query: "?organization_id=:organization",
  },
  "POST /api/alert-channels": {
    of: "organization",
    may: ["owner", "admin"],
    seen: ORGANIZATION_ROLES,
    body: ({ organization, unique }) => ({
      organization_id: organization,
      channel: { kind: "webhook", name: unique, url: "https://hooks.invalid/in" },
    }),
  },
  "GET /api/alert-channels/:alert_channel_id": { of: "alert-channel", may: ORGANIZATION_ROLES },
  "GET /api/alert-channels/:alert_channel_id/deliveries": {
    of: "alert-channel",
    may: ORGANIZATION_ROLES,
  },
  "DELETE /api/alert-channels/:alert_channel_id": channelWriters,
  "POST /api/alert-channels/:alert_channel_id/test": channelWriters,
  "POST /api/alert-channels/:alert_channel_id/rotate": channelWriters,
  "POST /api/keys/:key_id/report-leak": keyWriters,

  "GET /api/requests/:request_id/content": {
    of: "request",
    inTeam: true,
    // The key of the request is team-developer's own.
    may: [...HEADS, "team-developer"],
    seen: READERS,
  },
  "POST /api/privacy/erasures": {
    ...erasure,
    body: ({ organization, unique }) => ({
      kind: "subject",
      organization_id: organization,
      end_user: unique,
    }),
  },
  "DELETE /api/privacy/subjects/:id": { ...erasure, query: "?organization_id=:organization" },
  "GET /api/privacy/receipt-key": {
    of: "organization",
    may: EVERYBODY,
    query: "?organization_id=:organization",
  },

  "GET /api/audit": list(["owner", "admin"]),
  "GET /api/audit/export": list(["owner", "admin"]),
  "GET /api/audit/verify": platform,
};

/** The same person's role, as somebody of the other organization has it there. */
const STRANGERS: Readonly<Record<string, string>> = {
  "stranger-owner": "owner",
  "stranger-admin": "admin",
};

/** The status that a route must answer with, by the rule alone; 2xx is written as 200. */
export function expectedStatus(rule: Rule, who: string, where: Where): number {
  if (who === "anonymous" || who === "inference-key") return 401;
  if (rule.of === "platform") return who === "platform" ? 200 : 403;
  if (rule.of === "list") return listStatus(rule, who);
  if (rule.of === "person") return who !== "platform" ? 403 : where === "missing" ? 404 : 200;
  if (where === "missing") return 404;
  if (who === "platform") return rule.finds === "nothing" ? 404 : 200;
  const stranger = STRANGERS[who];
  if ((where === "other") !== (stranger !== undefined)) return 404;
  if (where === "sibling" && rule.inTeam === true && TEAM_ROLES.includes(who)) return 404;
  if (who === "narrow-key") {
    if (rule.readsTeams === true) return 200;
    return rule.may.includes("owner") || rule.seen?.includes("owner") === true ? 403 : 404;
  }
  const role = stranger ?? who;
  if (rule.may.includes(role)) return 200;
  return rule.seen?.includes(role) === true ? 403 : 404;
}

function listStatus(rule: Rule, who: string): number {
  if (who === "platform") return 200;
  if (who === "narrow-key") return rule.readsTeams === true ? 200 : 403;
  return rule.may.includes(STRANGERS[who] ?? who) ? 200 : 403;
}

/** Everything of a place, by the ids of the small world. */
export const PLACES: Readonly<Record<Exclude<Where, "missing">, Omit<Ids, "id" | "unique">>> = {
  own: { organization: WORLD.own, team: WORLD.team, project: WORLD.project },
  sibling: { organization: WORLD.own, team: WORLD.sibling, project: WORLD.siblingProject },
  other: { organization: WORLD.other, team: WORLD.otherTeam, project: WORLD.otherProject },
};
