import type { Call } from "#pipeline/call.ts";

/** Whether nobody may keep anything of this request: its policy says so, or it does itself. */
export const isZeroRetention = ({ access, options }: Pick<Call, "access" | "options">): boolean =>
  access?.policy.zeroRetention === true || options?.provider.zdr === true;
