import type { FastifyReply, FastifyRequest } from "fastify";

import { isLoopback } from "#lib/is-loopback.ts";

/** Where people reach the gateway; absent: as the request says. */
export interface Reached {
  /** `https://gate.example.com`, of the settings. */
  readonly publicUrl: string | undefined;
}

/** A cookie of ours: for the whole gateway, and out of reach of scripts. */
export interface CookieKind {
  readonly name: string;
  readonly sameSite: "Strict" | "Lax";
}

export const SESSION_COOKIE: CookieKind = { name: "turnpike_session", sameSite: "Strict" };

/**
 * With `__Host-` no other host of the domain can set it, and it never travels in the clear. Browsers
 * refuse that on plain http: a gateway on one's own machine goes without.
 */
const isSecure = ({ headers }: FastifyRequest, { publicUrl }: Reached): boolean =>
  publicUrl?.startsWith("https:") === true || !isLoopback(hostNameOf(headers.host ?? ""));

const hostNameOf = (host: string): string => host.replace(/:\d+$/, "");

const nameOf = ({ name }: CookieKind, secure: boolean): string =>
  secure ? `__Host-${name}` : name;

/** The cookie's value; of the name that fits the connection only, and only when it is there once. */
export function readCookie(
  request: FastifyRequest,
  reached: Reached,
  kind: CookieKind,
): string | undefined {
  const prefix = `${nameOf(kind, isSecure(request, reached))}=`;
  const found = (request.headers.cookie ?? "")
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part.startsWith(prefix));
  const value = found.length === 1 ? found[0]?.slice(prefix.length) : undefined;
  return value === "" ? undefined : value;
}

interface CookieValue {
  readonly value: string;
  readonly maxAgeSeconds: number;
}

/** Sets a cookie; with an empty value and no age it is removed. */
export function setCookie(
  reply: FastifyReply,
  reached: Reached,
  { kind, value, maxAgeSeconds }: CookieValue & { readonly kind: CookieKind },
): void {
  const secure = isSecure(reply.request, reached);
  const parts = [
    `${nameOf(kind, secure)}=${value}`,
    "Path=/",
    "HttpOnly",
    `SameSite=${kind.sameSite}`,
    `Max-Age=${maxAgeSeconds}`,
    ...(secure ? ["Secure"] : []),
  ];
  // Fastify gathers several `set-cookie` of one answer.
  reply.header("set-cookie", parts.join("; "));
}

export const clearCookie = (reply: FastifyReply, reached: Reached, kind: CookieKind): void =>
  setCookie(reply, reached, { kind, value: "", maxAgeSeconds: 0 });
