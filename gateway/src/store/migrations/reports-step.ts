import type { Step } from "#store/migrations/step.ts";

export const REPORTS: Step = [];
