import type { Call, ParsedCall } from "#pipeline/call.ts";
import type { JsonBody } from "#pipeline/read-body.ts";
const none = (_call: Call, _body: JsonBody): ParsedCall => { throw new Error("soon"); };
export { none as parseEmbeddings, none as parseRerank, none as parseModerations };
