import { configJsonSchema } from "../../contract/src/config-json-schema.ts";

/** The JSON schema of `turnpike.yaml` as `docs/turnpike.schema.json` holds it. */
export const configSchemaJson = (): string => `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
