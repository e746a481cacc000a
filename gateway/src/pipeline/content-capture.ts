import type { KeyObject } from "node:crypto";

import type { ContentLog } from "@turnpike/contract/governance.ts";

import type { Access } from "#governance/access.ts";
import type { Call } from "#pipeline/call.ts";
import { headerText, type AnswerSink } from "#pipeline/exchange.ts";
import type { JsonBody } from "#pipeline/read-body.ts";
import { isZeroRetention } from "#pipeline/zero-retention.ts";
import { asObject } from "#lib/json.ts";
import { subjectOf } from "#privacy/content-owner.ts";
import { readSealingKey } from "#privacy/sealed-content.ts";

/** Keeps what passes of one request, for the log of texts. */
export interface Capture {
  /** Gives it over, once the answer is sent. */
  end(): void;
}

const OPT_OUT_HEADER = "x-turnpike-content-log";
const OPT_OUT_FIELD = "turnpike_content_log";
const DAY_MS = 24 * 60 * 60 * 1_000;
/** An answer beyond this is not kept: it would push out all others. */
const MAX_ANSWER = 16 * 1024 * 1024;

/**
 * Begins to keep a request's text where its project has opted in, its organization allows it, and
 * neither policy nor request says otherwise; a request can only opt out. `undefined`: nothing is kept.
 */
export function captureContent(call: Call): Capture | undefined {
  const { access, gateway } = call;
  const settings = access?.project.settings.contentLog;
  if (access === undefined || settings === undefined || gateway.content === undefined)
    return undefined;
  if (!access.organization.settings.contentLogAllowed || access.policy.zeroRetention) {
    return undefined;
  }
  if (headerText(call.exchange.headers, OPT_OUT_HEADER) === "off") return undefined;
  if (gateway.random() * 100 >= settings.samplePercent) return undefined;
  const answer = record(call);
  return { end: () => offer(call, answer()) };
}

/** Listens at the way back; returns what has passed, `undefined` where that was too much. */
function record(call: Call): () => string | undefined {
  const pieces: (string | Buffer)[] = [];
  let size = 0;
  const note = (piece: string | Buffer): void => {
    size += piece.length;
    if (size <= MAX_ANSWER) pieces.push(piece);
  };
  const { sink } = call.exchange;
  const listening: AnswerSink = {
    json: (status, headers, body) => {
      note(body);
      sink.json(status, headers, body);
    },
    startStream: (headers, format) => sink.startStream(headers, format),
    write: (bytes) => {
      note(bytes);
      return sink.write(bytes);
    },
    onDrain: (callback) => sink.onDrain(callback),
    end: () => sink.end(),
    destroy: () => sink.destroy(),
  };
  call.exchange = { ...call.exchange, sink: listening };
  return () =>
    size > MAX_ANSWER
      ? undefined
      : Buffer.concat(pieces.map((piece) => Buffer.from(piece))).toString("utf8");
}

function offer(call: Call, answer: string | undefined): void {
  const { access, body, exchange, gateway } = call;
  const settings = access?.project.settings.contentLog;
  if (access === undefined || settings === undefined || body === undefined) return;
  if (answer === undefined || isZeroRetention(call) || optsOut(body)) return;
  const publicKey = settings.publicKey === undefined ? undefined : sealingKey(settings.publicKey);
  // A key that cannot be used must not turn into text that the gateway can read.
  if (publicKey === "unreadable") return;
  const owner = {
    organizationId: access.organization.id,
    projectId: access.project.id,
    endUser: call.endUser,
  };
  gateway.content?.offer({
    requestId: exchange.requestId,
    ...owner,
    subject: subjectOf(owner),
    at: exchange.startedAt,
    expiresAt: exchange.startedAt + daysOf(access, settings) * DAY_MS,
    redact: settings.redact,
    searchable: settings.searchable,
    ...(publicKey !== undefined && { publicKey }),
    request: body.text,
    answer,
  });
}

const optsOut = ({ object }: JsonBody): boolean =>
  asObject(object["metadata"])[OPT_OUT_FIELD] === "off";

const daysOf = ({ organization }: Access, { retentionDays }: ContentLog): number =>
  Math.min(retentionDays, organization.settings.maxContentDays ?? retentionDays);

const known = new Map<string, KeyObject | "unreadable">();
const MAX_KNOWN = 100;

function sealingKey(pem: string): KeyObject | "unreadable" {
  const found = known.get(pem);
  if (found !== undefined) return found;
  if (known.size >= MAX_KNOWN) known.clear();
  const key = tryKey(pem);
  known.set(pem, key);
  return key;
}

function tryKey(pem: string): KeyObject | "unreadable" {
  try {
    return readSealingKey(pem);
  } catch {
    return "unreadable";
  }
}
