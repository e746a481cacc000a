import { z } from "zod";

import { configSchema } from "./config.ts";

/** The JSON schema of `turnpike.yaml`: for editors, and for the names of settings in messages. */
export const configJsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(configSchema),
  title: "turnpike.yaml",
  description: "Settings of Turnpike.",
});
