import { dataFolder, type CliIo } from "#cli/cli-io.ts";
import { verb, verbs } from "#cli/verb.ts";
import { makeResetLink } from "#governance/password-reset.ts";
import { resetLinkView } from "#governance/people-views.ts";
import { loadMasterKey } from "#privacy/master-key.ts";

/** `turnpike users …`: people, whatever they belong to. */
export const usersCommand = (io: CliIo) =>
  verbs("users", "Let people in again", {
    "reset-password": verb(io, {
      name: "reset-password",
      description: "Print a one-time link by which somebody sets another password",
      args: { email: { type: "positional", required: true, description: "their mail address" } },
      run: async (args, deed) => {
        const { keyPepper } = loadMasterKey(dataFolder(io), io.env["TURNPIKE_MASTER_KEY"]);
        const link = await makeResetLink(deed, keyPepper, args.email);
        return {
          value: resetLinkView(link),
          text: `/password-reset?token=${link.token}\n(open it at the gateway's address within an hour; it works once, ends all sessions, and replaces earlier links)`,
        };
      },
    }),
  });
