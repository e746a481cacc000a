import { ANTHROPIC } from "./anthropic.ts";
import { AZURE } from "./azure.ts";
import { BEDROCK } from "./bedrock.ts";
import { COHERE } from "./cohere.ts";
import { GOOGLE } from "./google.ts";
import { OPENAI_COMPATIBLE_CHINA } from "./openai-compatible-china.ts";
import { OPENAI_COMPATIBLE } from "./openai-compatible.ts";
import { OPENAI } from "./openai.ts";
import type { Provider } from "./provider.ts";
import { VERTEX } from "./vertex.ts";

const ROWS = {
  anthropic: ANTHROPIC,
  azure: AZURE,
  bedrock: BEDROCK,
  cohere: COHERE,
  google: GOOGLE,
  openai: OPENAI,
  vertex: VERTEX,
  ...OPENAI_COMPATIBLE,
  ...OPENAI_COMPATIBLE_CHINA,
} as const satisfies Record<string, Provider>;

/** Everyone that runs models and is known by name, by id. */
export const PROVIDERS: Readonly<Record<string, Provider>> = ROWS;
