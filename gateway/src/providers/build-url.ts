import { GatewayError, invalidRequest } from "#canonical/failure.ts";

import { pathSegment } from "./path-segment.ts";
import type { Provider, Speech } from "./provider.ts";

/** What a URL is built for. */
export interface UrlRequest {
  /** The provider's own name of the model, as it is in the catalogue or the request. */
  readonly model: string;
  readonly stream: boolean;
  readonly variables?: Readonly<Record<string, string>>;
  /** The operator's base URL; a speech with a base URL of its own keeps that. */
  readonly baseUrlOverride?: string;
}

/** What may stand in a host name or a path: no dots in a row, none at an end. */
const VARIABLE = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.|$)){0,99}$/;
const PLACEHOLDER = /\{([a-zA-Z]+)\}/g;

export const isVariableValue = (value: string): boolean => VARIABLE.test(value);

const unusable = (message: string): GatewayError => new GatewayError({ code: "internal", message });

/** All variables of a row, the derived ones too, checked for use in URLs. */
export function completeVariables(
  provider: Pick<Provider, "derive">,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const variables = { ...given, ...provider.derive?.(given) };
  for (const [name, value] of Object.entries(variables)) {
    if (!isVariableValue(value)) throw unusable(`The variable ${name} cannot stand in a URL.`);
  }
  return variables;
}

/** A base URL with its `{name}` placeholders filled in. */
export function fillPlaceholders(
  template: string,
  variables: Readonly<Record<string, string>>,
): string {
  return template.replaceAll(PLACEHOLDER, (_match, name: string) => {
    const value = variables[name];
    if (value === undefined) throw unusable(`The variable ${name} of a base URL is not set.`);
    return value;
  });
}

function modelSegment(model: string): string {
  const segment = pathSegment(model);
  if (segment !== undefined) return segment;
  throw invalidRequest(
    "model",
    "The model name cannot stand in this provider's URL: letters, digits and . _ : @ - / only.",
  );
}

/**
 * The URL that a request goes to. Throws `invalid_request` for a model name that would lead
 * anywhere else: the finished URL must be base and path to the letter, so that nothing in either
 * was resolved, decoded or cut by the parser.
 */
export function buildUrl(
  provider: Pick<Provider, "baseUrl" | "derive">,
  speech: Pick<Speech, "path" | "baseUrl">,
  request: UrlRequest,
): URL {
  const variables = completeVariables(provider, request.variables ?? {});
  const template = speech.baseUrl ?? request.baseUrlOverride ?? provider.baseUrl;
  const base = fillPlaceholders(template, variables);
  const path =
    typeof speech.path === "string"
      ? speech.path
      : speech.path({ model: modelSegment(request.model), stream: request.stream, variables });
  const url = new URL(base + path);
  const expected = new URL(base);
  const basePath = expected.pathname.replace(/\/$/, "");
  const landed = url.origin === expected.origin && url.pathname + url.search === basePath + path;
  if (!landed || url.username !== "" || url.hash !== "") {
    throw invalidRequest("model", "The model name does not lead to this provider's model path.");
  }
  return url;
}
