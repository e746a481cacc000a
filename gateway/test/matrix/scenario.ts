import type { JsonObject } from "#lib/json.ts";

export const INGRESSES = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini",
] as const;
export type Ingress = (typeof INGRESSES)[number];

export const UPSTREAMS = [...INGRESSES, "bedrock-converse", "cohere"] as const;
export type Upstream = (typeof UPSTREAMS)[number];

export type Finish =
  | "stop"
  | "length"
  | "tool-calls"
  | "stop-sequence"
  | "content-filter"
  | "refusal";

export interface Call {
  readonly id: string;
  readonly name: string;
  /** JSON text, in the pieces in which a stream brings it. */
  readonly input: readonly string[];
  /** The provider calls it as a function, the client sees its own free-text tool. */
  readonly custom?: string;
  readonly namespace?: string;
}

/** What the fake provider answers, in no protocol's words: each upstream file writes it as its own. */
export interface Answer {
  readonly text?: readonly string[];
  readonly reasoning?: readonly string[];
  /** The reasoning (or the call, where that is the place for it) carries the provider's token. */
  readonly signed?: true;
  readonly redacted?: true;
  readonly calls?: readonly Call[];
  readonly citation?: { readonly url: string; readonly title: string };
  readonly logprobs?: true;
  readonly refusal?: string;
  readonly second?: string;
  readonly finish: Finish;
  readonly stopSequence?: string;
  readonly usage: {
    readonly input: number;
    readonly output: number;
    readonly cacheRead?: number;
    readonly cacheWrite?: number;
    readonly reasoning?: number;
  };
  /** The stream breaks with the provider's own error after the text. */
  readonly fails?: true;
}

export type ErrorKind = "context" | "rate-limit" | "auth" | "content-policy";

/** What a client sees of an answer. Absent members: it does not look for them. */
export interface Seen {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly {
    readonly id: string;
    readonly name: string;
    readonly namespace?: string;
    readonly custom?: string;
    readonly input?: unknown;
  }[];
  readonly finish: string;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly reasoningTokens: number;
  readonly citations: readonly string[];
  readonly logprobs: number;
  readonly refusal?: string;
  readonly second?: string;
  readonly stopSequence?: string;
  /** The answer as the client sends it back on the next turn. */
  readonly turn: unknown;
  /** The stream ended with the dialect's error. */
  readonly failed: boolean;
}

/** Objects match by their members, lists by `some` or element for element. */
export type Pattern = unknown;

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** The members that the client writes, by dialect; a text: why it has no way to say this. */
  readonly ask: Readonly<Record<Ingress, JsonObject | string>>;
  /** What the provider must receive; `null`: its protocol has no word for it, so a loss is due. */
  readonly sent: Readonly<Record<Upstream, Pattern>>;
  readonly answer?: Answer;
  /** Members of `Seen` that matter beside text and finish. */
  readonly look?: readonly (keyof Seen)[];
  readonly error?: ErrorKind;
  /** Sends the answer back on a second turn: to the same provider, or to another. */
  readonly replay?: "same" | "other";
  /** What a provider of the client's own protocol receives, where that is not `sent`. */
  readonly sentAsWritten?: Pattern;
  /** Only streams can do this. */
  readonly streamOnly?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ScenarioGroup {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}

export const HELLO: Answer = {
  text: ["Hel", "lo"],
  finish: "stop",
  usage: { input: 20, output: 5 },
};
