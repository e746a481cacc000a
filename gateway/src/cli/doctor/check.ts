/** What one check found. `fail` makes the command fail, `warn` does not. */
export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly text: string;
}

export const ok = (check: string, text: string): Finding => ({ check, status: "ok", text });
export const warn = (check: string, text: string): Finding => ({ check, status: "warn", text });
export const fail = (check: string, text: string): Finding => ({ check, status: "fail", text });

export const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
