/** Whether a name fits a glob: `claude-*`, `openai/gpt-5*`; a star stands for anything, case for nothing. */
export function globPattern(glob: string): RegExp {
  const parts = glob.toLowerCase().split(/\*+/);
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[^\w-]/g, "\\$&")).join(".*")}$`);
}
