import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { FAILURES, GatewayError, type Failure } from "#canonical/failure.ts";
import { openInvitation } from "#governance/invitations.ts";
import { openReset } from "#governance/password-reset.ts";
import { readEmail } from "#governance/people.ts";
import { setSession } from "#http/admin/actor-of.ts";
import {
  errorParagraph,
  escapeHtml,
  fieldHtml,
  hiddenField,
  paragraph,
  sendPage,
} from "#http/admin/plain-page.ts";
import { checkOrigin } from "#http/admin/request-origin.ts";
import {
  acceptAndEnter,
  attemptOf,
  resetAndEnter,
  setUpAndEnter,
  type SignInApi,
} from "#http/admin/sign-in-routes.ts";

const BODY_LIMIT = 16 * 1024;
const MAX_FIELD = 1_000;

/** Adds the pages that people open by a link with a one-time token: setup, invitation, password reset. */
export function addSignInPages(server: FastifyInstance, api: SignInApi): void {
  const options = { bodyLimit: BODY_LIMIT };
  server.get("/setup", async (request, reply) => {
    if (!(await api.setup.isNeeded())) return sendDone(reply);
    return sendSetup(reply, 200, { token: queryToken(request) });
  });
  server.post("/setup", options, (request, reply) => {
    const form = readForm(request);
    return orAgain(
      () => submitSetup(api, { request, reply, form }),
      ({ status, error }) => sendSetup(reply, status, { ...form, error }),
    );
  });
  server.get("/invitation", async (request, reply) => {
    const token = queryToken(request);
    return orAgain(
      async () => {
        const { email } = await openInvitation(attemptOf(api, request), api.pepper, token);
        return sendInvitation(reply, 200, { token, email });
      },
      ({ status, error }) => sendRefusal(reply, status, error),
    );
  });
  server.post("/invitation", options, (request, reply) => {
    const form = readForm(request);
    return orAgain(
      () => submitInvitation(api, { request, reply, form }),
      ({ status, error }) => sendInvitation(reply, status, { ...form, error }),
    );
  });
  addResetPage(server, api);
}

function addResetPage(server: FastifyInstance, api: SignInApi): void {
  server.get("/password-reset", (request, reply) => {
    const token = queryToken(request);
    return orAgain(
      async () => {
        const { email } = await openReset(attemptOf(api, request), api.pepper, token);
        return sendReset(reply, 200, { token, email: email ?? undefined });
      },
      ({ status, error }) => sendRefusal(reply, status, error),
    );
  });
  server.post("/password-reset", { bodyLimit: BODY_LIMIT }, (request, reply) => {
    const form = readForm(request);
    return orAgain(
      () => submitReset(api, { request, reply, form }),
      ({ status, error }) => sendReset(reply, status, { ...form, error }),
    );
  });
}

interface Form {
  readonly token: string;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly password?: string | undefined;
}

interface Submitted {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly form: Form;
}

async function submitSetup(
  api: SignInApi,
  { request, reply, form }: Submitted,
): Promise<FastifyReply> {
  checkOrigin(request, api);
  const email = readEmail(form.email ?? "");
  const { token, name, password = "" } = form;
  const first = { token, email, name, password };
  const { session } = await setUpAndEnter(api, request, first);
  return sendWelcome(reply, api, session.token);
}

async function submitInvitation(
  api: SignInApi,
  { request, reply, form }: Submitted,
): Promise<FastifyReply> {
  checkOrigin(request, api);
  const { token, name, password } = form;
  const { session } = await acceptAndEnter(api, request, { token, name, password });
  return sendWelcome(reply, api, session.token);
}

async function submitReset(
  api: SignInApi,
  { request, reply, form: { token, password = "" } }: Submitted,
): Promise<FastifyReply> {
  checkOrigin(request, api);
  const { session } = await resetAndEnter(api, request, { token, password });
  return sendWelcome(reply, api, session.token);
}

interface Refused {
  readonly status: number;
  readonly error: string;
}

/** What the person can mend is said on the same page; everything else is an error like any other. */
async function orAgain(
  work: () => Promise<FastifyReply>,
  again: (refused: Refused) => FastifyReply,
): Promise<FastifyReply> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return again(refusedBy(error.failure));
  }
}

const refusedBy = ({ code, message }: Failure): Refused => ({
  status: FAILURES[code].status,
  error: message,
});

function sendSetup(
  reply: FastifyReply,
  status: number,
  { token, email, name, error }: Form & { readonly error?: string },
): FastifyReply {
  const fields = [
    hiddenField("token", token),
    fieldHtml({
      name: "email",
      label: "E-mail address",
      type: "email",
      autocomplete: "username",
      value: email ?? "",
    }),
    nameField(name),
    passwordField(),
  ];
  return sendPage(reply, status, {
    title: "Set up Turnpike",
    body: `${paragraph("You become the platform's administrator and the owner of the default organization.")}
${errorParagraph(error)}<form method="post" action="/setup">${fields.join("\n")}
<button type="submit">Set up</button></form>`,
  });
}

function sendInvitation(
  reply: FastifyReply,
  status: number,
  { token, email, name, error }: Form & { readonly error?: string },
): FastifyReply {
  const whom = email === undefined ? "" : `<p>For <strong>${escapeHtml(email)}</strong>.</p>`;
  const fields = [
    hiddenField("token", token),
    hiddenField("email", email ?? ""),
    nameField(name),
    passwordField("At least 12 characters. Leave it empty if you are signed in already.", true),
  ];
  return sendPage(reply, status, {
    title: "Accept the invitation",
    body: `${whom}${errorParagraph(error)}<form method="post" action="/invitation">${fields.join("\n")}
<button type="submit">Accept</button></form>`,
  });
}

function sendReset(
  reply: FastifyReply,
  status: number,
  { token, email, error }: Form & { readonly error?: string },
): FastifyReply {
  const whom = email === undefined ? "" : `<p>For <strong>${escapeHtml(email)}</strong>.</p>`;
  const fields = [hiddenField("token", token), hiddenField("email", email ?? ""), passwordField()];
  return sendPage(reply, status, {
    title: "Set another password",
    body: `${whom}${errorParagraph(error)}<form method="post" action="/password-reset">${fields.join("\n")}
<button type="submit">Set the password</button></form>`,
  });
}

const nameField = (value = ""): string =>
  fieldHtml({
    name: "name",
    label: "Name",
    type: "text",
    autocomplete: "name",
    value,
    optional: true,
  });

const passwordField = (
  hint = "At least 12 characters; a sentence is a good one.",
  optional?: true,
) =>
  fieldHtml({
    name: "password",
    label: "Password",
    type: "password",
    autocomplete: "new-password",
    hint,
    ...(optional && { optional }),
  });

/**
 * A page instead of a redirect: browsers send strict cookies only with what a page of this site
 * asks for.
 */
export function sendWelcome(reply: FastifyReply, api: SignInApi, token: string): FastifyReply {
  setSession(reply, api, token);
  return sendPage(reply, 200, {
    title: "You are signed in",
    body: `<p><a href="/">Go on</a></p>`,
    next: "/",
  });
}

export const sendRefusal = (reply: FastifyReply, status: number, message: string): FastifyReply =>
  sendPage(reply, status, { title: "That did not work", body: errorParagraph(message) });

const sendDone = (reply: FastifyReply): FastifyReply =>
  sendPage(reply, 409, {
    title: "Turnpike is set up",
    body: paragraph("There is somebody already. Sign in, or ask for an invitation."),
  });

function queryToken(request: FastifyRequest): string {
  const { token } = request.query as { token?: unknown };
  return typeof token === "string" ? token.slice(0, MAX_FIELD) : "";
}

/** The fields of a form; those of browsers, so that each stands there once. */
function readForm(request: FastifyRequest): Form {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    throw new GatewayError({
      code: "unsupported_media_type",
      message:
        "This page takes its own form. Programs use POST /api/setup and /api/invitations/accept.",
    });
  }
  const form = new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString() : "");
  const field = (name: string): string | undefined => form.get(name)?.slice(0, 2 * MAX_FIELD);
  return {
    token: field("token") ?? "",
    email: field("email"),
    name: field("name"),
    password: field("password"),
  };
}
