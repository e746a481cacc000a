import type { z } from "zod";

import type { OutboxParts } from "#alerts/outbox.ts";
import type { CredentialRing } from "#byok/credential-ring.ts";
import type { CredentialParts } from "#byok/manage-credentials.ts";
import type { Deed } from "#governance/deed.ts";
import type { ReadInvoice } from "#governance/invoices.ts";
import type { explainPolicyAt, PolicyPart } from "#governance/explain-policy.ts";
import type { Action, Place } from "#governance/permissions.ts";
import type { Reach } from "#governance/reach.ts";
import type { PrivacyDesk } from "#http/admin/privacy-desk.ts";
import type { GatePayDesk } from "#payments/gate-pay/open-gate-pay.ts";
import type { PaymentRow } from "#payments/search-payments.ts";
import type { Reports } from "#telemetry/open-reports.ts";

/** The most that a body of the admin API may have. */
export const MAX_BODY_BYTES = 1024 * 1024;

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What handlers need of the gateway beyond the store; each room adds what its own need. */
export interface AdminParts {
  /** Of the digests of keys and tokens. */
  readonly pepper: Buffer;
  /** What seals, finds and tests provider credentials, and knows which do not open. */
  readonly credentials: CredentialParts & Pick<CredentialRing, "faultOf">;
  readonly reports: Reports;
  /** What an organization owes for a time. */
  readonly readInvoice: ReadInvoice;
  /** What alerts go out by. */
  readonly outbox: OutboxParts;
  readonly privacy: PrivacyDesk;
  /** Where credit is bought; `undefined`: it is not configured. */
  readonly gatePay: Pick<GatePayDesk, "order" | "refund"> | undefined;
  /** Asks the chain about a payment now. Throws `conflict` where its kind is not configured. */
  readonly reconcilePayment: (row: PaymentRow) => Promise<void>;
  /** What policies say of a place, from the organization down to it. */
  readonly explainPolicy: (
    place: Parameters<typeof explainPolicyAt>[0],
  ) => Promise<readonly PolicyPart[] | undefined>;
}

/** What a handler is given: everything is read and checked, and the actor may do it here. */
export interface Handling<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly deed: Deed;
  readonly parts: AdminParts;
  /** Where the object lies; of a list: the platform. */
  readonly place: Place;
  /** Of a list: what of it the actor may see. */
  readonly reach: Reach;
  /** The version that `If-Match` names; absent: none was sent, or `*`. */
  readonly expected: number | undefined;
  /** `any`: `If-Match: *`. */
  readonly ifMatch: number | "any" | undefined;
  /** Of a POST that has one. */
  readonly idempotencyKey: string | undefined;
}

/** What a route answers. */
export interface Answer<Body> {
  readonly body: Body;
  /** 200 unless given; 201 of what was made. */
  readonly status?: number;
  /** Of the object: sent as `ETag`. */
  readonly version?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, instead of the body: an export. */
  readonly lines?: AsyncIterable<string>;
}

/** Where the object of a request lies; `undefined`: there is none. A list is cut to the actor's reach. */
export type FindPlace<Params, Query, Body> =
  | "reach"
  | ((
      request: Pick<Handling<Params, Query, Body>, "params" | "query" | "body" | "deed" | "parts">,
    ) => Place | undefined | Promise<Place | undefined>);

export interface RouteDefinition<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Response extends z.ZodType,
> {
  readonly method: Method;
  /** `/api/teams/:team_id`. */
  readonly path: string;
  /** One line, of the reference. */
  readonly summary: string;
  /** Heading of the reference. */
  readonly group: string;
  readonly action: Action;
  /**
   * By which action it is known to be there: who may not do this gets 404, who may do this only 403.
   * Unless given: the reading of the same things.
   */
  readonly seenBy?: Action | ((read: { readonly body: z.output<Body> }) => Action);
  /** What is said to be missing; unless given the name of the path's last parameter. */
  readonly noun?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** What platform admins may send instead: privileged fields are in no other schema. */
  readonly platformBody?: z.ZodType<z.output<Body>>;
  readonly response: Response;
  /** Of the answer when all is well; 200 unless given. */
  readonly status?: 200 | 201;
  /** An update: must name the version that it changes. */
  readonly needsVersion?: boolean;
  /** Bytes of another type than JSON. */
  readonly produces?: string;
  readonly place: FindPlace<z.output<Params>, z.output<Query>, z.output<Body>>;
  readonly handle: (
    handling: Handling<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Promise<Answer<z.input<Response>>>;
}

/** A route of the table, its types forgotten: schemas are what guards its handler. */
export type AdminRoute = Omit<
  RouteDefinition<z.ZodType, z.ZodType, z.ZodType, z.ZodType>,
  "place" | "handle" | "seenBy"
> & {
  readonly seenBy?: Action | ((read: { readonly body: unknown }) => Action);
  readonly place: FindPlace<unknown, unknown, unknown>;
  readonly handle: (handling: Handling<unknown, unknown, unknown>) => Promise<Answer<unknown>>;
};

/** A row of the table of routes; types of what the handler reads come from the schemas. */
export const adminRoute = <
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Response extends z.ZodType,
>(
  definition: RouteDefinition<Params, Query, Body, Response>,
): AdminRoute => definition as unknown as AdminRoute;
