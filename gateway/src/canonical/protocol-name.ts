/** The wire formats that Turnpike speaks, to clients or to providers. */
export type WireProtocol =
  | "openai-chat"
  | "openai-responses"
  | "openai-completions"
  | "anthropic-messages"
  | "gemini"
  | "bedrock-converse"
  | "cohere";

/** Those that a client may speak. */
export type ClientProtocol = Exclude<WireProtocol, "bedrock-converse" | "cohere">;

/** Those that a chat model may be reached by. */
export type UpstreamProtocol = Exclude<WireProtocol, "openai-completions">;
