import type { FastifyRequest } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { Reached } from "#http/admin/session-cookie.ts";
import { isLoopback } from "#lib/is-loopback.ts";

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export const isUnsafe = ({ method }: FastifyRequest): boolean => !SAFE_METHODS.has(method);

/**
 * Throws `forbidden` for a request that a page of another site makes. Browsers send at least one of
 * the two headers with every change; programs send none.
 */
export function checkOrigin({ headers }: FastifyRequest, { publicUrl }: Reached): void {
  const site = headers["sec-fetch-site"];
  const isOwnSite = site === undefined || site === "same-origin";
  const { origin } = headers;
  if (isOwnSite && (origin === undefined || isOwnOrigin(origin, headers.host, publicUrl))) return;
  throw new GatewayError({
    code: "forbidden",
    message:
      "The request comes from another site. Where the gateway stands behind a proxy, `auth.publicUrl` in turnpike.yaml must say how it is reached.",
  });
}

function isOwnOrigin(
  origin: string,
  host: string | undefined,
  publicUrl: string | undefined,
): boolean {
  if (publicUrl !== undefined && origin === new URL(publicUrl).origin) return true;
  return origin === `https://${host}` || origin === `http://${host}`;
}

/**
 * Where a browser reaches the gateway, without a slash at the end. The `host` header counts on this
 * machine only: elsewhere anybody could have written it. Throws `no_route` where it is not known.
 */
export function publicOrigin({ headers }: FastifyRequest, { publicUrl }: Reached): string {
  if (publicUrl !== undefined) return new URL(publicUrl).origin;
  const host = headers.host ?? "";
  if (isLoopback(host.replace(/:\d+$/, ""))) return `http://${host}`;
  throw new GatewayError({
    code: "no_route",
    message: "The operator must set `auth.publicUrl` in turnpike.yaml: how the gateway is reached.",
  });
}
