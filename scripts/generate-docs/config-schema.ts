import { z } from "zod";

import { configSchema } from "../../contract/src/config.ts";

/** The JSON schema of `turnpike.yaml` that editors read: `docs/turnpike.schema.json`. */
export const configSchemaJson = (): string => {
  const schema = z.toJSONSchema(configSchema);
  const titled = { ...schema, title: "turnpike.yaml", description: "Settings of Turnpike." };
  return `${JSON.stringify(titled, null, 2)}\n`;
};
