import type { ConfigFile } from "@turnpike/contract/config.ts";

import type { AlertPost, Smtp } from "#alerts/send-delivery.ts";
import { dialSocket } from "#upstream/dial-socket.ts";
import { createDialer } from "#upstream/dialer.ts";

/** Of `turnpike.yaml`, what says how alerts go out; the gateway and the command line go by it alike. */
export interface PostSettings {
  readonly alerts?: ConfigFile["alerts"];
  readonly smtp?: ConfigFile["smtp"];
}

/** Opens the way by which alerts go out. */
export function openPost(
  { alerts, smtp }: PostSettings,
  now: () => number,
): { readonly post: AlertPost; readonly close: () => Promise<void> } {
  const allowed = new Set((alerts?.allowOrigins ?? []).map((url) => new URL(url).origin));
  const dialer = createDialer(() => allowed);
  const post = { send: dialer.send, dialSocket, smtp: smtpOf(smtp), now };
  return { post, close: () => dialer.close() };
}

function smtpOf(smtp: ConfigFile["smtp"]): Smtp | undefined {
  if (smtp === undefined || smtp === null) return undefined;
  const { host, secure = false, port = secure ? 465 : 587, from, allowPrivate = false } = smtp;
  return { host, port, secure, from, allowPrivate, user: smtp.user, password: smtp.password };
}
