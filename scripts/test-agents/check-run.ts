import type { ReceivedRequest } from "../../gateway/test/fake-upstream.ts";
import { providerFaults } from "./provider-rules.ts";
import { KEY, type Run, type Setting } from "./run-agent.ts";
import { isOfTask, signatureOf, USAGE } from "./scripted-model.ts";

/** One request a turn: the task has three. */
const TURNS = 3;
/** Titles, token counts and the like; more is a storm of retries. */
const MOST_REQUESTS = 8;

/** What is wrong with a run; empty when nothing is. */
export function checkRun(setting: Setting, run: Run): readonly string[] {
  return [
    ...checkAgent(setting, run),
    ...checkUpstream(setting, run),
    ...checkRecords(run),
    ...checkAccesses(run),
    ...run.warnings.map((warning) => `the gateway logged: ${warning}`),
  ];
}

function checkAgent({ agent, task }: Setting, { code, stdout, stderr }: Run): string[] {
  const faults: string[] = [];
  if (code !== 0) {
    const said = `${stdout.slice(-600)}\n${stderr.slice(-600)}`;
    faults.push(code === null ? `no end within the time limit\n${said}` : `exit ${code}\n${said}`);
  }
  for (const { output } of [task.first, ...task.parallel]) {
    if (!agent.answerOf(stdout).includes(output)) faults.push(`the agent's answer lacks ${output}`);
  }
  return faults;
}

function checkUpstream(setting: Setting, { requests }: Run): string[] {
  const { wire } = setting.dialect;
  const turns = requests.filter(({ body }) => isOfTask(wire, body));
  const faults: string[] = [];
  if (turns.length !== TURNS) faults.push(`${turns.length} turns, not ${TURNS}`);
  if (requests.length > MOST_REQUESTS) faults.push(`${requests.length} requests upstream`);
  const broken = new Set(requests.flatMap(({ body }) => providerFaults(wire.protocol, body)));
  faults.push(...[...broken].map((fault) => `a provider refuses this: ${fault}`));
  if (requests.some(({ headers, text }) => (JSON.stringify(headers) + text).includes(KEY))) {
    faults.push("the gateway's own key went to the provider");
  }
  const last = turns.at(-1);
  return last === undefined ? faults : [...faults, ...checkHistory(setting, last)];
}

/** The last turn has to tell the whole story: calls, their results and the reasoning before them. */
function checkHistory({ dialect, agent, task }: Setting, last: ReceivedRequest): string[] {
  const { calls, results, signatures } = dialect.wire.received(last.body);
  const faults: string[] = [];
  const outputs = [task.first, ...task.parallel].map(({ output }) => output);
  // Gemini's results have no ids: the place tells whose they are.
  const byId = new Set(results.map(({ id }) => id)).size === results.length;
  outputs.forEach((output, at) => {
    const result = byId ? results.find(({ id }) => id === calls[at]?.id) : results[at];
    if (result?.text.includes(output) !== true) faults.push(`call ${at} has no result ${output}`);
  });
  if (calls.length < outputs.length) faults.push(`${calls.length} calls in the history`);
  if (results.length !== calls.length) faults.push(`${results.length} of ${calls.length} results`);
  // What Codex answers to a call of a name that it did not offer.
  if (results.some(({ text }) => /unsupported call/i.test(text))) faults.push("a call of no tool");
  if (dialect.signs !== undefined && agent.keeps.includes(dialect.signs)) {
    const lost = [1, 2].filter((turn) => !signatures.includes(signatureOf(turn)));
    if (lost.length > 0) faults.push(`the opaque reasoning of turn ${lost.join(" and ")} is lost`);
  }
  return faults;
}

function checkRecords({ records }: Run): string[] {
  const chats = records.filter(({ operation }) => operation === "chat");
  const faults: string[] = [];
  for (const { status, failure, usage, estimated, priced } of chats) {
    if (failure !== null) faults.push(`a record says ${status} ${failure}`);
    else if (
      estimated ||
      usage["inputTokens"] !== USAGE.input ||
      usage["outputTokens"] !== USAGE.output
    ) {
      faults.push(`a record's usage is ${JSON.stringify(usage)}`);
    } else if (!priced) faults.push("a record has no cost");
  }
  if (chats.length < TURNS) faults.push(`${chats.length} records of ${TURNS} turns`);
  if (chats.some(({ session }) => session === null)) faults.push("a record has no session");
  return [...new Set(faults)];
}

function checkAccesses({ accesses }: Run): string[] {
  const refused = accesses.filter(({ status }) => status >= 400);
  return refused.map(({ method, path, status }) => `${method} ${path} was answered ${status}`);
}
