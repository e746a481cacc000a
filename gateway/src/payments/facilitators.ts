import type {
  PaymentPayload,
  PaymentRequirements,
  SettleResponse,
  SupportedResponse,
  VerifyResponse,
} from "@x402/core/types";

import { callJson, type JsonAnswer } from "#payments/json-call.ts";
import { uptoSigners, type UptoFacilitator } from "#payments/upto-signers.ts";
import type { X402FacilitatorSettings, X402Settings } from "#payments/x402-settings.ts";
import type { Log } from "#telemetry/log.ts";
import type { Send } from "#upstream/answer.ts";

/** What a client has signed, with the offer that it accepts. */
export interface Signed {
  readonly payload: PaymentPayload;
  readonly requirements: PaymentRequirements;
}

/**
 * How a settlement came out; `unclear`: it may have been done, now or later; `unreached`: nothing came
 * back, which says the same of one facilitator.
 */
export type Settlement =
  | { readonly state: "success"; readonly transaction: string; readonly facilitator: string }
  | { readonly state: "refused"; readonly reason: string; readonly facilitator: string }
  | { readonly state: "unclear"; readonly reason: string; readonly transaction?: string }
  | { readonly state: "unreached"; readonly reason: string };

/** Those who check payments and bring them onto their chains; the next one where one is down. */
export interface Facilitators {
  /** What is wrong with a payment; `undefined`: nothing. Rejects when none can be asked. */
  verify(signed: Signed): Promise<string | undefined>;
  /** Those that serve a payment's network, in the order in which they are to be asked. */
  serving(signed: Signed): readonly X402FacilitatorSettings[];
  /** Never rejects: what is not known is `unclear` or `unreached`. */
  settle(facilitator: X402FacilitatorSettings, signed: Signed): Promise<Settlement>;
  /** What each of them says that it can do. */
  supported(): Promise<readonly SupportedResponse[]>;
  /** Who may settle a payment by `upto` on a network, as it was said by `supported`. */
  uptoSigner(network: string): string | undefined;
}

const VERIFY_TIMEOUT_MS = 10_000;
const SUPPORTED_TIMEOUT_MS = 10_000;
/** One that failed is asked last for so long. */
const COOL_MS = 15_000;

export interface FacilitatorsOptions {
  readonly settings: Pick<X402Settings, "facilitators" | "settleTimeoutMs">;
  readonly send: Send;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly tick: () => number;
}

export function openFacilitators(options: FacilitatorsOptions): Facilitators {
  const { settings, send, log, tick } = options;
  const failedAt = new Map<X402FacilitatorSettings, number>();
  const isCool = (one: X402FacilitatorSettings): boolean =>
    tick() - (failedAt.get(one) ?? -Infinity) < COOL_MS;
  let upto: ReadonlyMap<string, UptoFacilitator> = new Map();
  const serving = ({ requirements: { scheme, network } }: Signed) => {
    // A payment by `upto` is signed for one of them: no other one could settle it.
    const only = [upto.get(network)?.facilitator ?? []].flat();
    const all = scheme === "upto" ? only : servedBy(settings, network);
    return [...all.filter((one) => !isCool(one)), ...all.filter(isCool)];
  };
  const post = (one: X402FacilitatorSettings, path: string, call: Call): Promise<JsonAnswer> =>
    callJson(send, { url: pathOf(one, path), headers: one.headers, ...call });
  const noteFailure = (one: X402FacilitatorSettings, what: string, error: unknown): void => {
    failedAt.set(one, tick());
    log.warn({ facilitator: one.url.host, what, reason: reasonOf(error) }, "a facilitator failed");
  };

  return {
    verify: async (signed) => {
      for (const one of serving(signed)) {
        try {
          const { status, body } = await post(one, "verify", {
            body: bodyOf(signed),
            timeoutMs: VERIFY_TIMEOUT_MS,
          });
          const verified = body as Partial<VerifyResponse> | undefined;
          if (typeof verified?.isValid !== "boolean") throw new Error(`status ${status}`);
          failedAt.delete(one);
          return verified.isValid ? undefined : (verified.invalidReason ?? "invalid");
        } catch (error) {
          noteFailure(one, "verify", error);
        }
      }
      throw new Error("no facilitator answers");
    },

    serving,

    settle: async (one, signed) => {
      try {
        const { status, body } = await post(one, "settle", {
          body: bodyOf(signed),
          timeoutMs: settings.settleTimeoutMs,
        });
        const settled = body as Partial<SettleResponse> | undefined;
        if (typeof settled?.success !== "boolean") throw new Error(`status ${status}`);
        failedAt.delete(one);
        return settlementOf(settled, one.url.host);
      } catch (error) {
        noteFailure(one, "settle", error);
        return { state: "unreached", reason: reasonOf(error) };
      }
    },

    supported: async () => {
      const all = await Promise.all(settings.facilitators.map((one) => supportedBy(send, one)));
      upto = uptoSigners(settings.facilitators, all);
      return all;
    },
    uptoSigner: (network) => upto.get(network)?.signer,
  };
}

const servedBy = ({ facilitators }: FacilitatorsOptions["settings"], network: string) =>
  facilitators.filter(({ networks }) => networks?.has(network) ?? true);

async function supportedBy(send: Send, one: X402FacilitatorSettings): Promise<SupportedResponse> {
  const { url, headers } = one;
  const call = { url: pathOf(one, "supported"), headers, timeoutMs: SUPPORTED_TIMEOUT_MS };
  const { status, body } = await callJson(send, call);
  const supported = body as Partial<SupportedResponse> | undefined;
  if (status === 200 && Array.isArray(supported?.kinds)) return supported as SupportedResponse;
  throw new Error(`the facilitator ${url.host} answers ${status} to GET /supported`);
}

type Call = { readonly body: string; readonly timeoutMs: number };

/** Where its URL has a path, its own paths come behind it. */
const pathOf = ({ url }: X402FacilitatorSettings, path: string): URL =>
  new URL(`${url.pathname.replace(/\/$/, "")}/${path}${url.search}`, url);

const bodyOf = ({ payload, requirements }: Signed): string =>
  JSON.stringify({
    x402Version: 2,
    paymentPayload: payload,
    paymentRequirements: requirements,
  });

const TRANSACTION = /^0x[0-9a-f]{64}$/i;

function settlementOf(settled: Partial<SettleResponse>, facilitator: string): Settlement {
  const { success, transaction = "", errorReason = "" } = settled;
  const named = TRANSACTION.test(transaction) ? { transaction: transaction.toLowerCase() } : {};
  if (success === true && named.transaction !== undefined) {
    return { state: "success", transaction: named.transaction, facilitator };
  }
  const reason = errorReason.slice(0, 200);
  // A reason that is found before anything is sent to the chain; all others may come after it.
  if (success === false && named.transaction === undefined && isBeforehand(reason)) {
    return { state: "refused", reason, facilitator };
  }
  return { state: "unclear", reason: reason === "" ? "no reason" : reason, ...named };
}

const isBeforehand = (reason: string): boolean =>
  /insufficient_(?:funds|balance)|_simulation_failed|invalid_.*_(?:signature|value|recipient|network|asset|amount)|value_mismatch|_mismatch|valid_(?:before|after)|expired|allowance_required|unsupported/.test(
    reason,
  );

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 200);
