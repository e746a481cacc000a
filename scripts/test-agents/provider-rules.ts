import type { UpstreamProtocol } from "../../gateway/src/canonical/protocol-name.ts";
import type { JsonObject } from "../../gateway/src/lib/json.ts";
export const providerFaults = (_protocol: UpstreamProtocol, _body: JsonObject): string[] => [];
