/** What an agent is asked to do. Its answer cannot be known without running the commands. */
export interface Task {
  readonly prompt: string;
  readonly first: Step;
  /** Two that are called in one turn. */
  readonly parallel: readonly [Step, Step];
}

interface Step {
  readonly command: string;
  /** Only the shell's own arithmetic can give it: it stands nowhere else. */
  readonly output: string;
}

/** In every prompt of a task, and in nothing that an agent asks on its own account. */
export const MARKER = "Turnpike round trip";

export function makeTask(dice: () => number): Task {
  const number = (): number => 100 + Math.floor(dice() * 900);
  const nonce = Math.floor(dice() * 2 ** 32).toString(36);
  const step = (word: string): Step => {
    const [a, b] = [number(), number()];
    return { command: `echo ${word}-${nonce}-$((${a}*${b}))`, output: `${word}-${nonce}-${a * b}` };
  };
  const [first, second, third] = [step("one"), step("two"), step("three")];
  const prompt = `${MARKER}: run \`${first.command}\` with the shell tool, then \`${second.command}\` and \`${third.command}\` at the same time, and tell me the three outputs.`;
  return { prompt, first, parallel: [second, third] };
}
