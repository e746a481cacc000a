import { headerText, type RequestHeaders } from "#pipeline/exchange.ts";

/** Headers of the client that are part of the protocol itself and go along in the byte-faithful lane. */
const PROTOCOL_HEADERS = ["anthropic-version", "anthropic-beta", "openai-beta"];

export function clientProtocolHeaders(from: RequestHeaders): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const name of PROTOCOL_HEADERS) {
    const value = headerText(from, name);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}
