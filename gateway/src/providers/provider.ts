import type { UpstreamProtocol } from "#canonical/protocol-name.ts";
import type { Dialect } from "#protocols/codec.ts";

/** What is known when a URL is built. All values have passed `pathSegment`. */
export interface UrlTarget {
  /** The provider's own name of the model, URL-encoded as one segment. */
  readonly model: string;
  readonly stream: boolean;
  /** The provider's variables: region, project, resource, apiVersion. */
  readonly variables: Readonly<Record<string, string>>;
}

/** One wire protocol that a provider speaks for chat, and where. */
export interface Speech {
  readonly protocol: UpstreamProtocol;
  readonly dialect: Dialect;
  /** Path (and query) behind the base URL. A string where it does not depend on the model. */
  readonly path: string | ((target: UrlTarget) => string);
  /** Where it counts a request's tokens without answering it, in the same protocol. */
  readonly countPath?: string;
  /** Replaces the provider's base URL for this protocol (placeholders as there). */
  readonly baseUrl?: string;
  /** Headers that the protocol needs at this provider: `anthropic-version`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Which of the provider's models speak it, where not all do. */
  readonly models?: RegExp;
}

export type OperationProtocol =
  | "openai-embeddings"
  | "cohere-embed"
  | "gemini-embed"
  | "cohere-rerank"
  | "jina-rerank"
  | "voyage-rerank"
  | "openai-moderations";

/** How a provider does one of the operations that are not chat. */
export interface OperationSpeech {
  readonly protocol: OperationProtocol;
  readonly path: string | ((target: UrlTarget) => string);
  readonly baseUrl?: string;
}

export interface Variable {
  /** Environment variables that set it, the first found wins. */
  readonly env: readonly string[];
  /** Absent: the provider is configured only when the variable is set. */
  readonly default?: string;
}

/** What is about to be sent; signers see all of it. */
export interface OutgoingRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly body?: Buffer;
}

/** Gives the headers that authorise a request. Never logs or throws the secret. */
export type Authorize = (
  request: OutgoingRequest,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** What authorisers that fetch tokens are given, so that they never open a connection themselves. */
export interface AuthDependencies {
  /** Posts a form and gives the parsed JSON answer; rejects on any other outcome. */
  readonly post?: (url: string, form: Readonly<Record<string, string>>) => Promise<unknown>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** How a provider knows its customer. */
export interface Auth {
  /** Usual names of the environment variables that hold the secret; the first found wins. */
  readonly env: readonly string[];
  /** What must be set beside one of `env`: the other half of an AWS key, an Entra tenant. */
  readonly companions?: Readonly<Record<string, readonly string[]>>;
  /**
   * Takes the secrets out of an environment: `undefined` when it holds none. Returns the name of
   * the variable that was found (to print; never the value) and the authoriser.
   */
  discover(env: Environment, dependencies?: AuthDependencies): DiscoveredAuth | undefined;
  /**
   * An authoriser for a secret that the operator configured in `turnpike.yaml`, or a tenant brought
   * along. Throws `invalid_request` where it is none of the kind.
   */
  readonly withSecret?: (secret: string, dependencies?: AuthDependencies) => Authorize;
  /** Of secrets that are no plain key: whether this is one. */
  readonly takes?: (secret: string) => boolean;
}

export interface DiscoveredAuth {
  readonly variable: string;
  readonly authorize: Authorize;
}

/** A published fact about what a provider does with prompts, with its source and the day it was read. */
export interface RetentionFact {
  /** Days that prompts are kept by default; `null` when the provider does not say. */
  readonly days: number | null;
  readonly trainsOnApiData: boolean | null;
  /** Zero data retention can be agreed on. */
  readonly zeroRetentionOffered: boolean | null;
  readonly source: string;
  readonly date: string;
}

/** Response headers that tell the remaining allowance, lower case. */
export interface RateLimitHeaders {
  readonly remainingRequests?: string;
  readonly remainingTokens?: string;
  readonly resetRequests?: string;
  readonly resetTokens?: string;
  /** How resets are written: `1s`/`6m0s`, RFC 3339, seconds, or epoch milliseconds. */
  readonly resetFormat?: "duration" | "rfc3339" | "seconds" | "epoch-ms";
}

/** A company or server that runs models: one row of the provider table. */
export interface Provider {
  readonly label: string;
  /** `https://…` without a trailing slash; `{name}` stands for a variable. */
  readonly baseUrl: string;
  readonly variables?: Readonly<Record<string, Variable>>;
  /** Variables that follow from others and may stand in base URLs: Vertex's host from its location. */
  readonly derive?: (
    variables: Readonly<Record<string, string>>,
  ) => Readonly<Record<string, string>>;
  /** Environment variables that replace the base URL, besides `<ID>_BASE_URL` and its like. */
  readonly baseUrlEnv?: readonly string[];
  readonly auth: Auth;
  /** The first is preferred; another is taken when it is the client's own protocol. */
  readonly speaks: readonly Speech[];
  readonly embeddings?: OperationSpeech;
  readonly rerank?: OperationSpeech;
  readonly moderations?: OperationSpeech;
  readonly rateLimitHeaders?: RateLimitHeaders;
  /** Whether generation and billing stop when the connection is closed; `null` = not documented. */
  readonly cancelStopsBilling: boolean | null;
  readonly regions?: readonly string[];
  readonly retention?: RetentionFact;
  /** A free GET that only succeeds with a valid key (`doctor`). Absent: `/models`. `null`: none. */
  readonly checkPath?: string | null;
  /** The catalogue knows all of its models: another name is a mistake and not a newer model. */
  readonly listsAllModels?: true;
  /** Runs on the operator's own machine: probed on start-up, may be on a private address. */
  readonly local?: true;
}
