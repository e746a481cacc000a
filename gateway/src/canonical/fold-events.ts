import type { Candidate, ChatResponse, FinishReason } from "#canonical/chat-response.ts";
import type { JsonObject } from "#lib/json.ts";
import type { Citation, Part } from "#canonical/message.ts";
import type { StreamEvent } from "#canonical/stream-event.ts";
import type { Usage } from "#canonical/usage.ts";

type BlockStart = Exclude<
  Extract<StreamEvent, { type: `${string}-start` }>,
  { type: "response-start" }
>;

interface OpenBlock {
  readonly candidate: number;
  readonly text: string[];
  readonly citations: Citation[];
  readonly start: BlockStart;
}

interface OpenCandidate {
  /** By block index, so that overlapping blocks end up in the order in which they began. */
  readonly parts: Map<number, Part>;
  readonly logprobs: JsonObject[];
  finishReason: FinishReason;
  stopSequence?: string;
}

/** Collects the events of a whole stream to the response that a non-streamed call would give. */
class EventFolder {
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #candidates: OpenCandidate[] = [];
  #id = "";
  #model = "";
  #created: number | undefined;
  #usage: Usage | undefined;

  push(event: StreamEvent): void {
    switch (event.type) {
      case "response-start":
        this.#id = event.id ?? this.#id;
        this.#model = event.model ?? this.#model;
        this.#created = event.created ?? this.#created;
        return;
      case "text-start":
      case "refusal-start":
      case "reasoning-start":
      case "tool-call-start":
        this.#open(event);
        return;
      case "text-delta":
      case "refusal-delta":
      case "reasoning-delta":
      case "tool-call-delta":
        this.#blocks.get(event.index)?.text.push(event.text);
        if (event.type === "text-delta" && event.logprobs !== undefined) {
          this.#candidate(event.candidate).logprobs.push(...event.logprobs);
        }
        return;
      case "citation":
        this.#blocks.get(event.index)?.citations.push(event.citation);
        return;
      case "text-end":
      case "refusal-end":
      case "reasoning-end":
      case "tool-call-end":
        this.#close(event);
        return;
      case "part":
        this.#candidate(event.candidate).parts.set(event.index, event.part);
        return;
      case "usage":
        this.#usage = event.usage;
        return;
      case "finish":
        this.#finish(event);
        return;
      case "error":
        return;
    }
  }

  response(): ChatResponse {
    return {
      id: this.#id,
      model: this.#model,
      ...(this.#created !== undefined && { created: this.#created }),
      candidates: this.#candidates.map(closedCandidate),
      ...(this.#usage !== undefined && { usage: this.#usage }),
    };
  }

  #candidate(index = 0): OpenCandidate {
    for (let at = this.#candidates.length; at <= index; at++) {
      this.#candidates.push({ parts: new Map(), logprobs: [], finishReason: "other" });
    }
    // The loop above has made it.
    return this.#candidates[index] as OpenCandidate;
  }

  #open(start: OpenBlock["start"]): void {
    const candidate = start.candidate ?? 0;
    this.#blocks.set(start.index, { start, candidate, text: [], citations: [] });
    // Holds the block's place among the parts.
    this.#candidate(candidate).parts.set(start.index, { type: "text", text: "" });
  }

  #close(end: Extract<StreamEvent, { type: `${string}-end` }>): void {
    const block = this.#blocks.get(end.index);
    if (block === undefined) return;
    this.#blocks.delete(end.index);
    const signature = end.type === "refusal-end" ? undefined : end.signature;
    const part = closedPart(block, block.text.join(""));
    const signed = signature === undefined ? part : ({ ...part, signature } as Part);
    this.#candidate(block.candidate).parts.set(end.index, signed);
  }

  #finish(event: Extract<StreamEvent, { type: "finish" }>): void {
    const candidate = this.#candidate(event.candidate);
    candidate.finishReason = event.reason;
    if (event.stopSequence !== undefined) candidate.stopSequence = event.stopSequence;
  }
}

function closedPart(block: OpenBlock, text: string): Part {
  const { start, citations } = block;
  switch (start.type) {
    case "text-start":
      return { type: "text", text, ...(citations.length > 0 && { citations }) };
    case "refusal-start":
      return { type: "refusal", text };
    case "reasoning-start":
      return { type: "reasoning", text, ...(start.summary === true && { summary: true }) };
    case "tool-call-start": {
      const { id, name, kind, namespace } = start;
      const named = { id, name, kind, ...(namespace !== undefined && { namespace }) };
      return { type: "tool-call", ...named, input: text };
    }
    default:
      return { type: "text", text };
  }
}

function closedCandidate(open: OpenCandidate): Candidate {
  return {
    parts: [...open.parts.entries()].sort((a, b) => a[0] - b[0]).map(([, part]) => part),
    finishReason: open.finishReason,
    ...(open.stopSequence !== undefined && { stopSequence: open.stopSequence }),
    ...(open.logprobs.length > 0 && { logprobs: open.logprobs }),
  };
}

export function foldEvents(events: Iterable<StreamEvent>): ChatResponse {
  const folder = new EventFolder();
  for (const event of events) folder.push(event);
  return folder.response();
}
