import type { JsonObject } from "#lib/json.ts";

/** Where an SDK is pointed and what it asks for. */
export interface Target {
  /** The gateway's origin. */
  readonly url: string;
  readonly key: string;
  readonly model: string;
  /** The SDK's own retries. */
  readonly retries: number;
}

/** An answer as the SDK gives it to its user. */
export interface Told {
  readonly text: string;
  /** The SDK's own word for why the answer ended. */
  readonly finish: string | null | undefined;
  readonly usage: { readonly input: number | undefined; readonly output: number | undefined };
  /** `usage.cost`; absent where the SDK does not pass on what it does not know. */
  readonly cost?: unknown;
  /** Reads a header of the answer; absent where the SDK does not show them. */
  readonly header?: (name: string) => string | null | undefined;
}

/** What a user of the SDK learns of an error. */
export interface ToldFailure {
  readonly type: string;
  readonly status: number | undefined;
  readonly message: string;
}

/** The tool that every SDK is given. */
export const WEATHER = {
  name: "get_weather",
  description: "The weather in a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
} as const;

export const CITY_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, population: { type: "integer" } },
  required: ["city", "population"],
  additionalProperties: false,
} as const;

export interface ToolRun {
  /** Runs the tool; the driver calls it with what the SDK parsed. */
  (name: string, args: JsonObject): string;
}

/** One SDK as its users use it: unmodified, only base URL and key are set. */
export interface SdkDriver {
  readonly name: string;
  /** The SDK's words for the ends of an answer; `an error` where it throws a cut answer away. */
  readonly finish: { readonly stop: string; readonly length: string };
  readonly shows: { readonly cost: boolean; readonly headers: boolean };
  /** Where the SDK itself falls short, with the reason; what it would break is not asserted. */
  readonly shortfalls?: {
    readonly streamedUsage?: string;
    readonly textBeforeStreamedCalls?: string;
    readonly unfinishedAnswers?: string;
    readonly brokenStreams?: string;
  };
  /** Error classes by what happened. */
  readonly errors: {
    readonly badRequest: string;
    readonly wrongKey: string;
    readonly unknownModel: string;
    readonly rateLimited: string;
  };
  /** Whether it waits and asks again when told to, and leaves off when `x-should-retry` says no. */
  readonly retries: "as told" | "never" | "its own way";
  chat(target: Target, prompt: string): Promise<Told>;
  stream(target: Target, prompt: string): Promise<Told & { readonly deltas: number }>;
  /** Asks, runs the tools that are called, and tells the final text. */
  tools(
    target: Target,
    asked: { readonly prompt: string; readonly run: ToolRun; readonly streamed: boolean },
  ): Promise<string>;
  structured(target: Target, prompt: string): Promise<unknown>;
  failure(error: unknown): ToldFailure;
}

function toldFailure(error: unknown): ToldFailure {
  const { constructor, status, statusCode, message } = error as {
    constructor: { name: string };
    status?: number;
    statusCode?: number;
    message: string;
  };
  return { type: constructor.name, status: status ?? statusCode, message };
}

/** The SDKs that Stainless generates: OpenAI's, Anthropic's and what stands on them. */
export const STAINLESS: Pick<SdkDriver, "errors" | "failure" | "retries"> = {
  retries: "as told",
  errors: {
    badRequest: "BadRequestError",
    wrongKey: "AuthenticationError",
    unknownModel: "NotFoundError",
    rateLimited: "RateLimitError",
  },
  failure: toldFailure,
};
