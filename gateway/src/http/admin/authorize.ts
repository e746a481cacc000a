import { GatewayError } from "#canonical/failure.ts";
import type { Actor } from "#governance/actor.ts";
import {
  ACTIONS,
  belongsTo,
  can,
  WHOLE_PLATFORM,
  type Action,
  type Place,
} from "#governance/permissions.ts";
import { notAllowed, reachOf } from "#governance/reach.ts";
import type { AdminRoute, Handling } from "#http/admin/admin-route.ts";
import { asObject } from "#lib/json.ts";

type Read = Pick<
  Handling<unknown, unknown, unknown>,
  "params" | "query" | "body" | "deed" | "parts"
>;

const NOWHERE = { organizationIds: [], teamIds: [] } as const;

/**
 * Lets an actor through to what it may do. Throws `not_found` for what it may not know of, whether
 * that is there or not, and `forbidden` for what it may know of and not do.
 */
export async function authorize(
  route: AdminRoute,
  read: Read,
): Promise<Pick<Handling<unknown, unknown, unknown>, "place" | "reach">> {
  const { actor } = read.deed;
  if (route.place === "reach") {
    return { place: WHOLE_PLATFORM, reach: reachOfList(route, read) };
  }
  const place = await route.place(read);
  if (place === undefined || !sees(actor, place, shownBy(route, read))) throw missing(route);
  if (!can(actor, route.action, place)) throw notAllowed(actor, route.action);
  return { place, reach: NOWHERE };
}

function reachOfList(route: AdminRoute, { query, deed }: Read): ReturnType<typeof reachOf> {
  const within = asObject(query)["organization_id"];
  if (typeof within !== "string") return reachOf(deed.actor, route.action);
  if (!belongsTo(deed.actor, within)) throw missing({ ...route, noun: "organization" });
  return reachOf(deed.actor, route.action, within);
}

/** Scopes hide nothing: who lacks one is told so. */
function sees(actor: Actor, place: Place, action: Action): boolean {
  if (place.organizationId === null) return true;
  const { scopes: _scopes, ...unscoped } = actor;
  return can(unscoped, action, place);
}

function shownBy({ action, seenBy = readingOf(action) }: AdminRoute, read: Read): Action {
  return typeof seenBy === "function" ? seenBy(read) : seenBy;
}

/** `teams.write` is done to what `teams.read` shows. */
function readingOf(action: Action): Action {
  const reading = action.replace(/\.[\w-]+$/, ".read");
  return ACTIONS.find((known) => known === reading) ?? action;
}

function missing({ noun, path }: Pick<AdminRoute, "noun" | "path">): GatewayError {
  const parameter = /:(\w+)_id(?:\/[\w-]+)?$/.exec(path)?.[1];
  const what = noun ?? parameter?.replaceAll("_", " ") ?? "object";
  return new GatewayError({
    code: "not_found",
    message: `There is no such ${what}, or none that you may see.`,
  });
}
