import { readFileSync } from "node:fs";
import { resolve } from "node:path";

import { defineCommand } from "citty";

import { CliError, dataFolder, printJson, type CliIo } from "#cli/cli-io.ts";
import { withStore } from "#cli/with-store.ts";
import { OPERATOR } from "#governance/actor.ts";
import { writeAudit } from "#governance/audit.ts";
import { erase, type EraseDeps, type ErasureRequest } from "#privacy/erase.ts";
import { loadMasterKey, MASTER_KEY_VARIABLE } from "#privacy/master-key.ts";
import { openErasing } from "#privacy/open-erasing.ts";
import { receiptPublicKey, verifyReceipt } from "#privacy/receipt.ts";

const text = (description: string) => ({ type: "string", description }) as const;

/** `turnpike privacy …`: erasing, and proving it. */
export const privacyCommand = (io: CliIo) =>
  defineCommand({
    meta: { name: "privacy", description: "Erase texts and names; check receipts" },
    subCommands: {
      erase: defineCommand({
        meta: { name: "erase", description: "Erase one thing; prints the signed receipt" },
        args: {
          organization: { ...text("its id"), default: "org_default" },
          user: text("a person, by the id that requests named"),
          request: text("one request, by its id"),
          project: text("a project, by its id"),
          from: text("with --to: a range of time, such as 2027-01-01T00:00:00Z"),
          to: text("the end of the range, itself not included"),
          everything: { type: "boolean", description: "All texts of the organization" },
        },
        run: async ({ args }) => {
          const request = requestOf(args);
          const receipt = await withErasing(io, async (deps) => {
            const done = await erase(deps, args.organization, request);
            const deed = { actor: OPERATOR, now: io.now(), ip: null, requestId: null };
            const { erasure_id: id, counts } = done;
            await deps.core.transaction().execute((transaction) =>
              writeAudit(transaction, deed, {
                action: "privacy.erase",
                target: { kind: "erasure", id },
                organizationId: args.organization,
                after: { scope: request.kind, counts, receipt_id: id },
              }),
            );
            return done;
          });
          printJson(io, receipt);
        },
      }),
      "receipt-key": defineCommand({
        meta: { name: "receipt-key", description: "Print the public key of receipts" },
        run: async () => io.out((await withErasing(io, publicKey(io))).trimEnd()),
      }),
      "verify-receipt": defineCommand({
        meta: { name: "verify-receipt", description: "Check the signature of a receipt" },
        args: {
          file: { type: "positional", required: true, description: "the receipt, as JSON" },
          key: text("public key in PEM; absent: this gateway's own"),
        },
        run: async ({ args }) => {
          const receipt: unknown = JSON.parse(readFileSync(resolve(io.cwd, args.file), "utf8"));
          const key =
            args.key === undefined
              ? await withErasing(io, publicKey(io))
              : readFileSync(resolve(io.cwd, args.key), "utf8");
          if (!verifyReceipt(receipt, key)) {
            throw new CliError(
              "the signature does not fit: this receipt was changed, or is another gateway's.",
            );
          }
          io.out("The receipt is genuine.");
        },
      }),
    },
  });

const publicKey =
  (io: CliIo) =>
  ({ core, master }: EraseDeps): Promise<string> =>
    receiptPublicKey(core, master, io.now());

const withErasing = <Result>(
  io: CliIo,
  work: (deps: EraseDeps) => Promise<Result>,
): Promise<Result> =>
  withStore(io, (store) => {
    const home = dataFolder(io);
    const master = loadMasterKey(home, io.env[MASTER_KEY_VARIABLE]);
    return work(openErasing({ home, store, master }));
  });

interface Named {
  readonly user?: string | undefined;
  readonly request?: string | undefined;
  readonly project?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly everything?: boolean | undefined;
}

function requestOf({ user, request, project, from, to, everything }: Named): ErasureRequest {
  const wanted: ErasureRequest[] = [
    ...(user === undefined ? [] : [{ kind: "subject", endUser: user } as const]),
    ...(request === undefined ? [] : [{ kind: "record", requestId: request } as const]),
    ...(from === undefined && to === undefined ? [] : [rangeOf({ from, to, project })]),
    ...(project === undefined || from !== undefined
      ? []
      : [{ kind: "project", projectId: project } as const]),
    ...(everything === true ? [{ kind: "organization" } as const] : []),
  ];
  const [one, ...others] = wanted;
  if (one !== undefined && others.length === 0) return one;
  throw new CliError(
    "name exactly one thing: --user, --request, --project, --from with --to, or --everything.",
  );
}

function rangeOf({ from, to, project }: Pick<Named, "from" | "to" | "project">): ErasureRequest {
  const range = { from: Date.parse(from ?? ""), to: Date.parse(to ?? "") };
  if (Number.isNaN(range.from) || Number.isNaN(range.to) || range.from >= range.to) {
    throw new CliError(
      "--from and --to must be times such as 2027-01-01T00:00:00Z, in this order.",
    );
  }
  return { kind: "range", ...range, ...(project !== undefined && { projectId: project }) };
}
