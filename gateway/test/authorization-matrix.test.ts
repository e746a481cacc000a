import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { ACTIONS } from "#governance/permissions.ts";
import { digestOfToken, generateAdminKey } from "#governance/secret-token.ts";
import { ADMIN_ROUTES } from "#http/admin/admin-routes.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { insertAdminKey } from "#store/admin-keys.ts";
import { openStore, type Store } from "#store/store.ts";
import { addWorld, PEOPLE, WORLD } from "#test/admin-world.ts";
import { MAKERS, MISSING } from "#test/authorization-objects.ts";
import {
  expectedStatus,
  PLACES,
  RULES,
  type Ids,
  type Rule,
  type Where,
} from "#test/authorization-rules.ts";
import { startGateway, TEST_KEY, type TestGateway } from "#test/start-gateway.ts";

/** Routes that anybody may ask, and that say nothing of anybody. */
const PUBLIC = new Set([
  "GET /",
  "GET /healthz",
  // Its id is the secret: 65 random bits that only whoever paid is told.
  "GET /v1/payments/:id",
  "GET /readyz",
  "GET /openapi.json",
  "GET /.well-known/x402",
  "GET /llms.txt",
  "GET /api/hello",
  "GET /api/auth",
  "GET /api/openapi.json",
  // The way in: what they take is a password, a one-time token, or nothing.
  "POST /api/session",
  "DELETE /api/session",
  "POST /api/setup",
  "GET /setup",
  "POST /setup",
  "GET /invitation",
  "POST /invitation",
  "POST /api/invitations/accept",
  "GET /password-reset",
  "POST /password-reset",
  "POST /api/password-reset",
]);

/** Routes of a session alone. */
const SESSION = new Set(["GET /api/session", "POST /api/session/password"]);

/** Everything else that is no route of the table takes an inference key, and no other credential. */
const isInference = (route: string): boolean =>
  /^\w+ \/(?:(?:openai|anthropic)\/)?v1(?:beta)?\//.test(route) ||
  ["GET /metrics", "GET /api/health/endpoints"].includes(route);

const WHO = [
  "anonymous",
  "inference-key",
  ...PEOPLE.map(({ name }) => name),
  "narrow-key",
  "platform",
];
const WHERE: readonly Where[] = ["own", "sibling", "other", "missing"];

let gateway: TestGateway;
let store: Store;
const routes: string[] = [];
const credentials = new Map<string, string>([["inference-key", TEST_KEY]]);
let made = 0;

beforeAll(async () => {
  gateway = await startGateway({
    adminRate: { burst: 1e9, perMinute: 1e9 },
    onRoute: ({ method, url }) => {
      for (const one of [method].flat()) if (one !== "HEAD") routes.push(`${one} ${url}`);
    },
  });
  store = await openStore({ home: gateway.home });
  await addWorld(store);
  const { keyPepper } = loadMasterKey(gateway.home, undefined);
  const people = [...PEOPLE.map(({ name }) => name), "platform"];
  for (const who of [...people, "narrow-key"]) {
    const key = generateAdminKey();
    credentials.set(who, key);
    await insertAdminKey(store.core, {
      id: `akey_${who}`,
      organization_id: null,
      user_id: who === "narrow-key" ? "user_owner" : `user_${who}`,
      name: who,
      digest: digestOfToken(keyPepper, "admin-key", key),
      hint: "tp-adm-…",
      scopes: JSON.stringify(who === "narrow-key" ? ["teams.read"] : ACTIONS),
      created_at: 0,
      expires_at: null,
      revoked_at: null,
      last_used_at: Date.now(),
      version: 1,
    });
  }
  // That there are people now is looked for a few times a second.
  await vi.waitUntil(async () => (await fetch(`${gateway.url}/api/auth`)).status === 200);
});
afterAll(async () => {
  await store.close();
  await gateway.close();
});

const send = (who: string, route: string, body?: object | string): Promise<Response> =>
  sendAbout("*", { who, route, body });

interface Asked {
  readonly who: string;
  readonly route: string;
  readonly body?: object | string | undefined;
}

const sendAbout = (ifMatch: string, { who, route, body }: Asked): Promise<Response> => {
  const [method = "", path = ""] = route.split(" ");
  const credential = credentials.get(who);
  return fetch(gateway.url + path, {
    method,
    headers: {
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      "if-match": ifMatch,
      // Money asks for one; each request is one of its own.
      ...(path.startsWith("/api/credits/") && { "idempotency-key": `k${made++}` }),
    },
    redirect: "manual",
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
};

const byPlatform = async (route: string, body: object): Promise<string> => {
  const answer = (await (await send("platform", route, body)).json()) as { id: string };
  return answer.id;
};

/** A fresh object in a place, and what a request to it needs to know. */
async function objectAt({ of }: Rule, where: Where): Promise<Ids> {
  const unique = `m${made++}`;
  if (of === "list" || of === "platform") return { ...PLACES.own, id: "", unique };
  const place = { ...PLACES[where === "missing" ? "own" : where], unique };
  const tools = { made: byPlatform, records: store.records };
  if (where !== "missing") return { ...place, id: await MAKERS[of](store.core, place, tools) };
  const id = MISSING[of];
  if (of === "session") return { ...place, id, organization: MISSING.organization };
  return { ...place, id, ...(of === "organization" && { organization: id }) };
}

/** The path with its parameters. */
const pathOf = (path: string, { query = "" }: Rule, { id, organization }: Ids): string =>
  path.replace("/:level/:target_id", `/project/${id}`).replace(/:\w+_id/, id) +
  query.replace(":id", id).replace(":organization", organization);

function placesOf({ of }: Rule): readonly Where[] {
  return of === "list" || of === "platform" ? ["own"] : WHERE;
}

describe("every route, everybody, every place", () => {
  test("no route is without a rule, and no rule without a route", () => {
    const unknown = routes.filter(
      (route) =>
        RULES[route] === undefined &&
        !PUBLIC.has(route) &&
        !SESSION.has(route) &&
        !isInference(route),
    );
    expect(unknown).toEqual([]);
    const table = ADMIN_ROUTES.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(Object.keys(RULES))).toEqual(new Set(table));
    expect(table.filter((route) => !routes.includes(route))).toEqual([]);
  });

  test.each(Object.entries(RULES))("%s", async (route, rule) => {
    const [method = "", path = ""] = route.split(" ");
    const wrong: string[] = [];
    for (const who of WHO) {
      for (const where of placesOf(rule)) {
        const ids = await objectAt(rule, where);
        const request = `${method} ${pathOf(path, rule, ids)}`;
        const answer = await send(who, request, rule.body?.(ids));
        const text = await answer.text();
        const expected = expectedStatus(rule, who, where);
        const isDone = answer.status < 300 || (answer.status === 409 && rule.conflicts === true);
        const status = isDone ? 200 : answer.status;
        if (status !== expected) wrong.push(`${who}, ${where}: ${status}, not ${expected} ${text}`);
        if (status >= 400) checkProblem(text, ids, where);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("an answer to what may not be seen is the same as to what is not there", async () => {
    const seen = async (path: string): Promise<object> => {
      const {
        request_id: _,
        instance: __,
        ...rest
      } = (await (await send("stranger-owner", `GET ${path}`)).json()) as Record<string, unknown>;
      return rest;
    };
    for (const [kind, there] of [
      ["organizations", WORLD.own],
      ["teams", WORLD.team],
      ["projects", WORLD.project],
      ["keys", WORLD.key],
    ] as const) {
      const missing = there.replace(/_.*/, "_nobody");
      expect(await seen(`/api/${kind}/${there}`)).toEqual(await seen(`/api/${kind}/${missing}`));
    }
  });

  test.each(Object.entries(RULES).filter(([route]) => route.startsWith("DELETE ")))(
    "%s does nothing to another version than the one it was decided on",
    async (route, rule) => {
      const [, path = ""] = route.split(" ");
      const request = `DELETE ${pathOf(path, rule, await objectAt(rule, "own"))}`;
      const refused = await sendAbout('"v999999999"', { who: "platform", route: request });
      expect([refused.status, await refused.json()]).toMatchObject([412, { field: "If-Match" }]);
      expect((await send("platform", request)).status).toBe(route.includes("/teams/") ? 409 : 200);
    },
  );

  test("lists show nothing of another organization, nor of a sibling team", async () => {
    const lists = Object.entries(RULES).filter(([, { of }]) => of === "list");
    for (const [route] of lists) {
      const [, path = ""] = route.split(" ");
      const limit = path.endsWith("/export") ? "" : "?limit=200";
      for (const who of ["owner", "team-owner"]) {
        const text = await (await send(who, `GET ${path}${limit}`)).text();
        expect([path, who, text.includes(WORLD.other)]).toEqual([path, who, false]);
        if (who === "team-owner") {
          expect([path, text.includes(`"${WORLD.sibling}"`)]).toEqual([path, false]);
        }
      }
    }
  });

  test("inference takes inference keys, and no admin key; a session's routes take sessions", async () => {
    const closed = routes.filter(
      (route) => !PUBLIC.has(route) && (isInference(route) || SESSION.has(route)),
    );
    expect(closed.length).toBeGreaterThan(30);
    for (const route of closed) {
      const path = route.replaceAll(/:\w+|\*/g, "x");
      for (const who of ["anonymous", "platform", "owner"]) {
        const { status } = await send(who, path, route.startsWith("GET") ? undefined : {});
        const allowed = SESSION.has(route) ? [200, 401, 403, 400] : [401, 404];
        expect([route, who, allowed.includes(status)]).toEqual([route, who, true]);
        if (who === "anonymous") expect([route, status]).toEqual([route, 401]);
      }
    }
  });
});

const HOSTILE = [
  "'; DROP TABLE teams;--",
  "' OR '1'='1",
  "%",
  "_",
  "\u0000",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "-1",
  "1e309",
  "9007199254740993",
  "99999999999999999999",
  "NaN",
  "null",
  "[]",
  "x".repeat(3_000),
  "\u{1F4A9}".repeat(50),
];

const WRONG_VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  2 ** 53 + 2,
  0.1,
  "",
  "'; DROP TABLE teams;--",
  "x".repeat(100_000),
  [],
  {},
  [[[[]]]],
  { __proto__: null, constructor: { prototype: { x: 1 } } },
  { $gt: "" },
];

const PRIVILEGED = [
  "id",
  "object",
  "version",
  "created_at",
  "digest",
  "hint",
  "is_platform_admin",
  "user_id",
  "token_digest",
  "password_hash",
  "__proto__",
  "constructor",
];

/** Names of the members that a schema knows. */
const membersOf = (schema: unknown): readonly string[] =>
  Object.keys((schema as { shape?: object } | undefined)?.shape ?? {});

describe("bad input is 400 or 404, and never a fault of the gateway", () => {
  const accepted = async (route: string, body?: object | string): Promise<string> => {
    const answer = await send("platform", route, body);
    const text = await answer.text();
    return answer.status >= 500 ? `${route} ${JSON.stringify(body)}: ${text}` : "";
  };

  test.each(Object.entries(RULES))("in the path and the query of %s", async (route, rule) => {
    const [method = "", path = ""] = route.split(" ");
    const entry = ADMIN_ROUTES.find((one) => one.method === method && one.path === path);
    const body = rule.body?.(await objectAt(rule, "missing"));
    const requests = HOSTILE.map(encodeURIComponent).flatMap((hostile) => [
      ...(/:/.test(path) ? [path.replaceAll(/:\w+/g, hostile)] : []),
      ...[...membersOf(entry?.query), hostile].flatMap((name) => {
        const query = `${path.replaceAll(/:\w+/g, "proj_x")}?${name}=${hostile}`;
        return [query, `${query}&${name}=2`];
      }),
    ]);
    const faults = await Promise.all(requests.map((one) => accepted(`${method} ${one}`, body)));
    expect(faults.filter((fault) => fault !== "")).toEqual([]);
    expect(await store.core.selectFrom("teams").selectAll().execute()).not.toEqual([]);
  });

  const WITH_BODY = ADMIN_ROUTES.filter(({ body }) => body !== undefined);

  test.each(WITH_BODY.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "in the body of %s",
    async (name, { method, path, body, platformBody }) => {
      const rule = RULES[name];
      if (rule === undefined) throw new Error(`no rule for ${name}`);
      const faults: string[] = [];
      for (const member of membersOf(platformBody ?? body)) {
        for (const value of WRONG_VALUES) {
          const ids = await objectAt(rule, "own");
          const sent = { ...rule.body?.(ids), [member]: value };
          faults.push(await accepted(`${method} ${pathOf(path, rule, ids)}`, sent));
        }
      }
      const ids = await objectAt(rule, "own");
      const right = `${method} ${pathOf(path, rule, ids)}`;
      for (const member of PRIVILEGED) {
        if (membersOf(body).includes(member)) continue;
        const known = rule.body?.(ids) ?? {};
        const comma = Object.keys(known).length > 0 ? "," : "";
        const text = JSON.stringify(known).replace(/\}$/, `${comma}"${member}":1}`);
        const answer = await send("platform", right, text);
        const problem = (await answer.json()) as { status: number; field: string };
        if (answer.status !== 400 || problem.field !== member) {
          faults.push(`${right} ${text}: ${answer.status} ${problem.field}`);
        }
      }
      for (const text of [
        "[]",
        "null",
        '"x"',
        "{",
        `{"name":${"[".repeat(300)}${"]".repeat(300)}}`,
      ]) {
        const { status } = await send("platform", right, text);
        if (status !== 400) faults.push(`${right} ${text}: ${status}`);
      }
      expect(faults.filter((fault) => fault !== "")).toEqual([]);
    },
  );
});

/** A refusal names nothing but what was sent. */
function checkProblem(text: string, { id }: Ids, where: Where): void {
  const problem = JSON.parse(text) as Record<string, unknown>;
  expect(Object.keys(problem)).toEqual(
    expect.arrayContaining(["type", "title", "status", "detail", "instance", "code", "request_id"]),
  );
  if (where !== "missing" && id !== "") expect(String(problem["detail"])).not.toContain(id);
}
