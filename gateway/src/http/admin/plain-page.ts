import type { FastifyReply } from "fastify";

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 4rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
label { display: block; margin-top: 1rem; font-weight: 600 }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; border: 1px solid #6b6b6b; border-radius: .25rem }
button { font: inherit; margin-top: 1.5rem; padding: .5rem 1.25rem; border: 0; border-radius: .25rem; color: #fff; background: #0b57a4 }
:focus-visible { outline: 3px solid #d98b00; outline-offset: 2px }
.hint { color: #4d4d4d; margin: .25rem 0 0 } .error { border-left: .25rem solid #b3261e; padding-left: .75rem }
@media (prefers-color-scheme: dark) { body { color: #eee; background: #161616 } input { color: #eee; background: #222 } .hint { color: #b8b8b8 } button { background: #2f7fd1 } }`;

/**
 * No scripts, nothing from elsewhere, in no frame. The referrer stays on this site: the address may
 * hold a one-time token; without any, browsers would call the form's origin "null".
 */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "referrer-policy": "same-origin",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

export interface PlainPage {
  readonly title: string;
  /** HTML; what is not ours has been escaped. */
  readonly body: string;
  /** Where the browser goes on by itself. */
  readonly next?: string;
}

/** Sends a page that needs nothing but itself. */
export function sendPage(reply: FastifyReply, status: number, page: PlainPage): FastifyReply {
  const { title, body, next } = page;
  const refresh =
    next === undefined ? "" : `<meta http-equiv="refresh" content="0; url=${escapeHtml(next)}">`;
  return reply.code(status).headers(HEADERS).type("text/html; charset=utf-8").send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${escapeHtml(title)} · Turnpike</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>`);
}

export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

export const errorParagraph = (text: string | undefined): string =>
  text === undefined ? "" : `<p class="error" role="alert">${escapeHtml(text)}</p>`;

interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "email" | "password";
  readonly autocomplete: string;
  readonly hint?: string;
  readonly value?: string;
  readonly optional?: true;
}

export function fieldHtml({
  name,
  label,
  type,
  autocomplete,
  hint,
  value = "",
  optional,
}: Field): string {
  const id = `field-${name}`;
  const described = hint === undefined ? "" : ` aria-describedby="${id}-hint"`;
  const note = hint === undefined ? "" : `<p class="hint" id="${id}-hint">${escapeHtml(hint)}</p>`;
  const required = optional === true ? "" : " required";
  return `<label for="${id}">${escapeHtml(label)}</label><input id="${id}" name="${name}" type="${type}" autocomplete="${autocomplete}" value="${escapeHtml(value)}"${described}${required}>${note}`;
}

export const hiddenField = (name: string, value: string): string =>
  `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`;

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? "");
