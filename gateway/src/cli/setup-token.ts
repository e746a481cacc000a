import { existsSync } from "node:fs";
import { join } from "node:path";

import { defineCommand } from "citty";

import { CliError, dataFolder, printJson, type CliIo } from "#cli/cli-io.ts";
import { withStore } from "#cli/with-store.ts";
import { renewSetupToken } from "#governance/setup.ts";
import { loadMasterKey } from "#privacy/master-key.ts";
import { hasPerson } from "#store/users.ts";

/** `turnpike setup-token`: another one-time link for the first person; the one before works no more. */
export const setupTokenCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "setup-token", description: "Print another link for the first sign-in" },
    args: { json: { type: "boolean", description: "Answer in JSON" } },
    run: async ({ args }) => {
      const token = await withStore(io, async ({ core }) => {
        if (await hasPerson(core)) {
          throw new CliError(
            "the gateway is set up already: somebody can sign in, and invite others.",
          );
        }
        const home = dataFolder(io);
        const secret = io.env["TURNPIKE_MASTER_KEY"];
        if (!secret && !existsSync(join(home, "master.key"))) {
          throw new CliError(
            `there is no gateway in ${home} yet. Start it once; it prints the link.`,
          );
        }
        return renewSetupToken(core, loadMasterKey(home, secret).keyPepper);
      });
      if (args.json === true) printJson(io, { token });
      else io.out(`/setup?token=${token}\n(open it at the gateway's address; it works once)`);
    },
  });
