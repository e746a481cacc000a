import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { defineCommand } from "citty";

import { CliError, type CliIo } from "#cli/cli-io.ts";
import { openSealedContent } from "#privacy/sealed-content.ts";

/** `turnpike content …`: reads sealed texts where the private key is; needs no gateway. */
export const contentCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "content", description: "Open sealed texts with your private key" },
    subCommands: {
      open: defineCommand({
        meta: { name: "open", description: "Print a sealed text in clear" },
        args: {
          file: {
            type: "positional",
            required: true,
            description: "request or answer of GET /api/requests/{id}/content: base64, or as bytes",
          },
          key: { type: "string", required: true, description: "file of the private key, PEM" },
        },
        run: ({ args }) => {
          const bytes = readFileSync(resolve(io.cwd, args.file));
          const key = readFileSync(resolve(io.cwd, args.key), "utf8");
          const sealed = bytes[0] === OPEN_BRACE ? bytes : Buffer.from(bytes.toString(), "base64");
          try {
            io.out(openSealedContent(sealed, key).plain.toString("utf8"));
          } catch {
            throw new CliError("this key does not open this text, or the text was changed.");
          }
        },
      }),
    },
  });

const OPEN_BRACE = 123;
