import { z } from "zod";

import { nameSchema } from "./governance.ts";

/** What organizations are told of. Each kind has its own way to be counted once. */
export const ALERT_KINDS = [
  "budget.threshold",
  "error-rate",
  "provider.down",
  "provider.back",
  "provider.credential",
  "key.leaked",
  "key.expiring",
  "ledger.invariant",
  "payment.reversed",
  "payment.mismatch",
  "payment.payout",
  "content.dropped",
  "test",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Something that people want to know. Free of secrets and of any text of prompts or answers. */
export interface AlertEvent {
  readonly kind: AlertKind;
  /** Whom it concerns; `null`: the whole platform, told to every organization that asks for the kind. */
  readonly organizationId: string | null;
  /**
   * The same event has the same name: it is told once. `bud_1 2026-11-01 80` for a budget's threshold
   * in a period, `key_1` for a key that expires.
   */
  readonly once: string;
  /** One sentence for people. */
  readonly text: string;
  /** For programs: names, numbers, ids. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** Takes an event; returns at once, and never throws. */
export type EmitAlert = (event: AlertEvent) => void;

const kinds = z
  .array(z.enum(ALERT_KINDS))
  .min(1)
  .optional()
  .describe("Which events; all, unless named.");

const url = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .describe("https, or http where the operator allows the address.");

const kindsOfChannel = {
  webhook: { kind: z.literal("webhook"), url, events: kinds },
  slack: { kind: z.literal("slack"), url, events: kinds },
  email: {
    kind: z.literal("email"),
    to: z.array(z.email().max(254)).min(1).max(20),
    events: kinds,
  },
};
const name = nameSchema.describe("Unique in its organization.");

export const alertChannelSchema = z.discriminatedUnion("kind", [
  z.strictObject({ ...kindsOfChannel.webhook, name }),
  z.strictObject({ ...kindsOfChannel.slack, name }),
  z.strictObject({ ...kindsOfChannel.email, name }),
]);

/** A channel in a file, where it is known by its name. */
export const alertChannelEntrySchema = z.discriminatedUnion("kind", [
  z.strictObject(kindsOfChannel.webhook),
  z.strictObject(kindsOfChannel.slack),
  z.strictObject(kindsOfChannel.email),
]);
export type AlertChannelDocument = z.output<typeof alertChannelSchema>;
