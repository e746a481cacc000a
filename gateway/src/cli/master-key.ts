import { defineCommand } from "citty";

import { CliError, dataFolder, type CliIo } from "#cli/cli-io.ts";
import { withStore } from "#cli/with-store.ts";
import {
  forgetEarlierSecrets,
  loadMasterKey,
  MASTER_KEY_VARIABLE,
  rotatedSecret,
  rotateKeyFile,
} from "#privacy/master-key.ts";
import { rewrapOrganizationKeys } from "#privacy/rotate-master-key.ts";

/** `turnpike master-key …`: another secret for everything that is encrypted at rest. */
export const masterKeyCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "master-key", description: "Rotate the key that protects what is kept" },
    subCommands: {
      rotate: defineCommand({
        meta: { name: "rotate", description: "Make a new secret and wrap all keys anew" },
        run: async () => {
          const fromEnvironment = io.env[MASTER_KEY_VARIABLE];
          if (fromEnvironment) {
            io.out(`${rotatedSecret(fromEnvironment)}\n${SET_IT}`);
            return;
          }
          const home = dataFolder(io);
          const master = rotateKeyFile(home);
          const count = await withStore(io, ({ core }) => rewrapOrganizationKeys(core, master));
          io.out(`${count} organization keys are wrapped by the new secret. ${RESTART}`);
        },
      }),
      rewrap: defineCommand({
        meta: {
          name: "rewrap",
          description: "Wrap keys by the present secret, where it is in the environment",
        },
        run: async () => {
          const master = loadMasterKey(dataFolder(io), io.env[MASTER_KEY_VARIABLE]);
          const count = await withStore(io, ({ core }) => rewrapOrganizationKeys(core, master));
          io.out(`${count} organization keys are wrapped by the present secret.`);
        },
      }),
      "forget-earlier": defineCommand({
        meta: { name: "forget-earlier", description: "Drop the earlier secrets from the key file" },
        args: {
          yes: { type: "boolean", description: "What only they open is lost, and that is meant" },
        },
        run: ({ args }) => {
          if (args.yes !== true) throw new CliError(FORGET);
          forgetEarlierSecrets(dataFolder(io));
          io.out("Earlier secrets are forgotten. Restart the gateways.");
        },
      }),
    },
  });

const SET_IT =
  "Set TURNPIKE_MASTER_KEY to this line at every gateway, restart them, then run `turnpike master-key rewrap`.";
const RESTART =
  "Copy master.key to the other gateways and restart them all; the earlier secret still opens what it sealed.";
const FORGET =
  "what only the earlier secrets open is lost: responses stored before there were organization keys, secrets of sign-in and alerts that were not saved again, and backups from before. Add --yes where that is meant.";
