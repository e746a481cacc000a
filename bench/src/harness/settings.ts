/** How long and how often to measure; more rounds give steadier medians. */
export interface Settings {
  readonly rounds: number;
  /** Length of one cell of closed-loop load. */
  readonly seconds: number;
}

export type Progress = (message: string) => void;
