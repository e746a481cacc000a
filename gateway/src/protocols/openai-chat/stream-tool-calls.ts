import { unwrapSignature } from "#canonical/signature.ts";
import type { Signature } from "#canonical/signature.ts";
import { asNumber, asObject, asString, isObject, parseObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

import { argumentsText, madeUpCallId } from "./answer-parts.ts";
import { googleSignature } from "./parse-parts.ts";
import type { StreamSink } from "./stream-sink.ts";

/** One entry of `delta.tool_calls`, read. */
interface Fragment {
  readonly slot: number | undefined;
  readonly id: string;
  readonly name: string;
  readonly kind: "function" | "custom";
  readonly input: string;
  readonly signature?: Signature;
}

interface OpenCall {
  id: string;
  readonly slot: number | undefined;
  readonly kind: "function" | "custom";
  /** Set once the block has started, which needs the name. */
  index?: number;
  name: string;
  /** All input so far; what came before the name is sent with the start. */
  input: string;
  signature?: Signature;
}

/** The tool calls of one streamed answer: joins fragments, however the provider marks them. */
export class ToolCallStream {
  readonly #sink: StreamSink;
  readonly #open: OpenCall[] = [];
  #count = 0;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  get count(): number {
    return this.#count;
  }

  push(entry: JsonObject): void {
    const fragment = readFragment(entry);
    const call = this.#callOf(fragment) ?? this.#begin(fragment);
    if (fragment.signature !== undefined) call.signature = fragment.signature;
    if (call.name === "" && fragment.name !== "") call.name = fragment.name;
    call.input += fragment.input;
    if (call.index !== undefined) this.#delta(call.index, fragment.input);
    else if (call.name !== "") this.#start(call);
  }

  /** Ends all calls. `signatures`: tokens that came outside of the calls, by call id. */
  close(signatures: Map<string, Signature>): void {
    for (const call of this.#open.splice(0)) {
      const outside = signatures.get(call.id);
      signatures.delete(call.id);
      if (call.signature === undefined && outside !== undefined) call.signature = outside;
      this.#end(call);
    }
  }

  /**
   * Which call a fragment goes on with. The slot (`index`) decides, unless another id shows that a
   * new call has taken it: OpenRouter has sent two calls with index 0, Gemini's compatible surface
   * whole calls with index 0 and no id. Without a slot, the id decides; without both, the last call.
   */
  #callOf(fragment: Fragment): OpenCall | undefined {
    const { slot, id } = fragment;
    if (slot === undefined) {
      if (id !== "") return this.#open.find((call) => call.id === id);
      return fragment.name === "" ? this.#open.at(-1) : undefined;
    }
    const call = this.#open.findLast((open) => open.slot === slot);
    if (call === undefined || !takesSlotOver(call, fragment)) return call;
    this.#open.splice(this.#open.indexOf(call), 1);
    this.#end(call);
    return undefined;
  }

  #begin({ slot, id, kind }: Fragment): OpenCall {
    const position = this.#count++;
    const call: OpenCall = {
      id: id === "" ? madeUpCallId(this.#sink.responseId(), position) : id,
      slot,
      kind,
      name: "",
      input: "",
    };
    this.#open.push(call);
    return call;
  }

  #start(call: OpenCall): void {
    const { id, name, kind } = call;
    const index = this.#sink.nextIndex();
    call.index = index;
    this.#sink.emit({ type: "tool-call-start", id, name, kind, ...this.#sink.block(index) });
    this.#delta(index, call.input);
  }

  #delta(index: number, text: string): void {
    if (text === "") return;
    this.#sink.emit({ type: "tool-call-delta", text, ...this.#sink.block(index) });
  }

  #end(call: OpenCall): void {
    // A call that never got a name is passed on as it is: the client sees what the model did.
    if (call.index === undefined) this.#start(call);
    const { index = 0, signature } = call;
    const signed = signature === undefined ? {} : { signature };
    this.#sink.emit({ type: "tool-call-end", ...this.#sink.block(index), ...signed });
  }
}

function takesSlotOver(call: OpenCall, { id, name }: Fragment): boolean {
  if (id !== "") return id !== call.id && name !== "";
  // No id, but a name again: a new call only if the one before is complete.
  return name !== "" && call.input !== "" && parseObject(call.input) !== undefined;
}

function readFragment(entry: JsonObject): Fragment {
  const token = googleSignature(entry);
  const base = {
    slot: asNumber(entry["index"]),
    id: asString(entry["id"]) ?? "",
    ...(token !== undefined && { signature: unwrapSignature(token, "gemini") }),
  };
  const custom = entry["custom"];
  if (isObject(custom) && !isObject(entry["function"])) {
    const { name, input } = custom;
    return { ...base, kind: "custom", name: asString(name) ?? "", input: asString(input) ?? "" };
  }
  const called = asObject(entry["function"]);
  const input = argumentsText(called["arguments"]);
  return { ...base, kind: "function", name: asString(called["name"]) ?? "", input };
}
