import type { Message, Part, ToolResultPart } from "#canonical/message.ts";

const isResult = (part: Part): part is ToolResultPart => part.type === "tool-result";

/**
 * The messages with the results of each turn in the order of its calls. Ids are not sent, so Gemini
 * tells parallel calls of one function apart by their place, and agents send results as they come:
 * Claude Code in the order in which the tools ended.
 */
export function resultsInCallOrder(messages: readonly Message[]): readonly Message[] {
  const places = new Map<string, number>();
  const ordered: Message[] = [];
  let run: Message[] = [];
  let calls = 0;
  for (const message of messages) {
    if (message.role === "assistant") {
      ordered.push(...inOrder(run, places), message);
      run = [];
      for (const id of callIds(message)) places.set(id, calls++);
    } else run.push(message);
  }
  return [...ordered, ...inOrder(run, places)];
}

const callIds = ({ content }: Message): string[] =>
  content.flatMap((part) => (part.type === "tool-call" ? [part.id] : []));

/** Results change places among themselves; everything else stays where it is. */
function inOrder(run: readonly Message[], places: ReadonlyMap<string, number>): readonly Message[] {
  const placeOf = ({ toolCallId }: ToolResultPart): number =>
    places.get(toolCallId) ?? Number.MAX_SAFE_INTEGER;
  const results = run.flatMap(({ content }) => content.filter(isResult));
  if (results.length < 2) return run;
  const sorted = results.toSorted((a, b) => placeOf(a) - placeOf(b)).values();
  return run.map((message) => ({
    ...message,
    content: message.content.map((part) => (isResult(part) ? (sorted.next().value ?? part) : part)),
  }));
}
