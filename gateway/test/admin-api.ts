import { GatewayError } from "#canonical/failure.ts";
import { openPrivacy } from "#app/open-privacy.ts";
import { openDirectory } from "#governance/directory.ts";
import { explainPolicyAt } from "#governance/explain-policy.ts";
import { addAdminRoutes } from "#http/admin/add-admin-routes.ts";
import { ADMIN_ROUTES } from "#http/admin/admin-routes.ts";
import type { AdminRate } from "#http/admin/rate-limit.ts";
import { createServer } from "#http/server.ts";
import { invoiceOf } from "#ledger/invoice.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import type { Store } from "#store/store.ts";
import { openReports } from "#telemetry/open-reports.ts";
import { dialSocket } from "#upstream/dial-socket.ts";
import { createLog } from "#telemetry/log.ts";
import { actorNamed, fillWorld } from "#test/admin-world.ts";
import { credentialDesk } from "#test/credential-desk.ts";
import { makeDatabase } from "#test/databases.ts";

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // Tests look into answers of every shape.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

export interface AdminApiOfTest {
  readonly store: Store;
  readonly records: Store["records"];
  readonly core: Awaited<ReturnType<Awaited<ReturnType<typeof makeDatabase>>["open"]>>["core"];
  readonly url: string;
  clock: number;
  /** A request as somebody of the world; `anonymous` sends no credential. */
  ask(
    who: string,
    request: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<AdminAnswer>;
  close(): Promise<void>;
}

/** Nothing is sent out of these tests. */
const refuse = (): Promise<never> => Promise.reject(new Error("refused"));

/** The admin API over a real socket and store, its world filled in; people are taken at their word. */
export async function startAdminApi(
  rate: AdminRate = { burst: 1e9, perMinute: 1e9 },
): Promise<AdminApiOfTest> {
  const database = await makeDatabase("sqlite");
  const store = await database.open();
  await fillWorld(store);
  const master = loadMasterKey(database.home, undefined);
  const directory = await openDirectory(store.core);
  const api = { clock: Date.parse("2026-06-01T00:00:00Z") };
  const log = createLog("silent");
  const closers: (() => void | Promise<void>)[] = [];
  const privacy = await openPrivacy({
    home: database.home,
    store,
    master,
    log,
    closers,
    emitAlert: () => undefined,
  });
  const server = createServer({ now: () => api.clock, bodyLimit: undefined, log });
  addAdminRoutes(
    server,
    {
      core: store.core,
      authenticate: async ({ headers }) => {
        const who = /^Bearer (.+)$/.exec(headers.authorization ?? "")?.[1];
        if (who === undefined) throw new GatewayError({ code: "unauthenticated", message: "Who?" });
        return actorNamed(who);
      },
      parts: {
        pepper: Buffer.from("pepper"),
        reports: openReports(store.records),
        readInvoice: (asked) => invoiceOf(store, asked),
        outbox: {
          core: store.core,
          master,
          post: { send: refuse, dialSocket, smtp: undefined, now: () => api.clock },
          now: () => api.clock,
        },
        privacy: privacy.desk,
        gatePay: undefined,
        reconcilePayment: refuse,
        credentials: credentialDesk(store.core, master, {}),
        explainPolicy: async (place) => {
          await directory.refresh();
          return explainPolicyAt(place, directory.tables);
        },
      },
      sealer: master,
      now: () => api.clock++,
      onChange: async () => undefined,
      rate,
    },
    ADMIN_ROUTES,
  );
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return Object.assign(api, {
    store,
    core: store.core,
    records: store.records,
    url,
    ask: (...[who, request, body, headers = {}]: Parameters<AdminApiOfTest["ask"]>) =>
      ask(url, { who, request, body, headers }),
    close: async () => {
      await server.close();
      directory.close();
      for (const close of closers) await close();
      await store.close();
      await database.remove();
    },
  });
}

interface Asked {
  readonly who: string;
  readonly request: string;
  readonly body: unknown;
  readonly headers: Record<string, string>;
}

async function ask(url: string, { who, request, body, headers }: Asked): Promise<AdminAnswer> {
  const [method = "GET", path = ""] = request.split(" ");
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(who !== "anonymous" && { authorization: `Bearer ${who}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson =
    /json\b/.test(response.headers.get("content-type") ?? "") &&
    !/jsonl/.test(response.headers.get("content-type") ?? "");
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}
