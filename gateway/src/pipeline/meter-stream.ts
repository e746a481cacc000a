import type { Failure } from "#canonical/failure.ts";
import type { Progress } from "#ledger/open-holds.ts";
import type { Call, StreamAnswer } from "#pipeline/call.ts";
import { chargeAt, chargeFor, type CallMoney } from "#pipeline/call-money.ts";

/** Delivered tokens are counted roughly: so much more than was held is no error of counting. */
const OVERRUN = 1.5;
const OVERRUN_TOKENS = 1_000;

/**
 * Notes once a second how far a held answer has come: a process that dies leaves at most a second
 * uncounted. A provider that ignores the bound that it was sent is cut.
 */
export function meterStream(call: Call, answer: StreamAnswer): void {
  const { money, gateway, exchange } = call;
  if (money?.hold === undefined) return;
  const most = money.hold.outputTokens * answersOf(call) * OVERRUN + OVERRUN_TOKENS;
  gateway.holds.meter(exchange.requestId, () => {
    const { deliveredTokens } = answer.relay.state;
    if (deliveredTokens > most) call.cut?.(OVERRUN_FAILURE);
    return progressOf(call, money, answer);
  });
}

const answersOf = ({ answers }: Call): number => answers ?? 1;

function progressOf(call: Call, money: CallMoney, answer: StreamAnswer): Progress {
  const { route, tier, relay } = answer;
  const { deliveredTokens } = relay.state;
  const used = { usage: answer.estimateUsage(deliveredTokens), tier };
  const nanoUsd = chargeAt(call, route, used).nanoUsd ?? 0n;
  return { deliveredTokens, fallback: chargeFor(money, { route, used, nanoUsd }) };
}

const OVERRUN_FAILURE: Failure = {
  code: "budget_exhausted",
  message:
    "The provider wrote far more than the output bound that it was sent; the answer was cut at what its budget had held for it.",
};
