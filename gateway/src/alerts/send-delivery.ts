import { createTransport } from "nodemailer";

import type { Channel, ChannelSecrets } from "#alerts/channel.ts";
import { signatureHeaders } from "#lib/sign-webhook.ts";
import type { Send } from "#upstream/answer.ts";
import type { DialSocket } from "#upstream/dial-socket.ts";

/** How mail is sent; of `turnpike.yaml`. */
export interface Smtp {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte; otherwise STARTTLS. */
  readonly secure: boolean;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  /** For a server in the operator's own network. */
  readonly allowPrivate: boolean;
}

/** What deliveries go out by. */
export interface AlertPost {
  /** Guarded: no private addresses, no redirects. */
  readonly send: Send;
  readonly dialSocket: DialSocket;
  readonly smtp: Smtp | undefined;
  readonly now: () => number;
}

export interface Message {
  /** The event's id: the same at every try. */
  readonly eventId: string;
  /** JSON: `{type, timestamp, data: {text, …}}`. */
  readonly body: string;
  readonly channel: Channel;
  readonly secrets: ChannelSecrets;
}

/** Why it was not delivered, in words without anything of the answer's; `undefined`: it was. */
export type Fault = string | undefined;

const TIMEOUT_MS = 15_000;

/** Sends one message once. Never rejects. */
export async function sendDelivery(post: AlertPost, message: Message): Promise<Fault> {
  try {
    return message.channel.shown.kind === "email"
      ? await sendMail(post, message)
      : await sendHttp(post, message);
  } catch (error) {
    return faultOf(error);
  }
}

/** Codes and our own refusals; other errors' words may quote addresses or answers. */
function faultOf(error: unknown): string {
  if (!(error instanceof Error)) return "failed";
  const { code } = error as NodeJS.ErrnoException;
  if (error.name === "BlockedAddressError") return "the address is private or reserved";
  if (error.name === "TimeoutError") return "no answer within 15 seconds";
  return typeof code === "string" && /^[A-Z_0-9]{2,40}$/.test(code)
    ? code
    : "the connection failed";
}

async function sendHttp(post: AlertPost, message: Message): Promise<Fault> {
  const { secrets, eventId, body, channel } = message;
  const isSlack = channel.shown.kind === "slack";
  const text = isSlack ? JSON.stringify({ text: textOf(body) }) : body;
  const timestamp = Math.floor(post.now() / 1000);
  const signed = isSlack
    ? {}
    : signatureHeaders({ id: eventId, timestamp, body }, secrets.signing ?? []);
  const answer = await post.send({
    method: "POST",
    url: new URL(secrets.url ?? ""),
    headers: { "content-type": "application/json", "user-agent": "turnpike-alerts", ...signed },
    body: Buffer.from(text),
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headTimeoutMs: TIMEOUT_MS,
    idleTimeoutMs: TIMEOUT_MS,
  });
  // The status says it all: nobody reads what a stranger's server has to say.
  answer.abort();
  const { status } = answer;
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400
    ? `answered ${status}: redirects are not followed`
    : `answered ${status}`;
}

async function sendMail(
  { smtp, dialSocket }: AlertPost,
  { eventId, body, channel }: Message,
): Promise<Fault> {
  const { shown } = channel;
  if (smtp === undefined) return "no mail server is set (smtp in turnpike.yaml)";
  if (shown.kind !== "email") return "not a mail channel";
  const { host, port, secure, user, password, from, allowPrivate } = smtp;
  const transport = createTransport({
    host,
    port,
    secure,
    // A server that offers no TLS gets no password and no mail, unless it is the operator's own.
    requireTLS: !secure && !allowPrivate,
    ...(user !== undefined && { auth: { user, pass: password ?? "" } }),
    disableFileAccess: true,
    disableUrlAccess: true,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    getSocket: (_options: unknown, done: (error: Error | null, found?: object) => void) => {
      void hand(dialSocket({ host, port, allowPrivate }), done);
    },
  });
  try {
    const text = textOf(body);
    await transport.sendMail({
      from,
      to: [...shown.to],
      subject: `Turnpike: ${text.split(/[\r\n]/)[0]?.slice(0, 150) ?? ""}`,
      text: `${text}\n\n${JSON.stringify(JSON.parse(body), undefined, 2)}\n`,
      messageId: `<${eventId}@turnpike>`,
    });
    return undefined;
  } finally {
    transport.close();
  }
}

/** nodemailer asks by callback. */
async function hand(
  dialled: ReturnType<DialSocket>,
  done: (error: Error | null, found?: object) => void,
): Promise<void> {
  let connection: Awaited<typeof dialled>;
  try {
    connection = await dialled;
  } catch (error) {
    done(error instanceof Error ? error : new Error("failed"));
    return;
  }
  done(null, { connection });
}

const textOf = (body: string): string =>
  (JSON.parse(body) as { data?: { text?: string } }).data?.text ?? "";
