/** What is to be erased, as it is kept: people as pseudonyms. */
export type ErasureTarget =
  | { readonly kind: "record"; readonly requestId: string }
  /** A person, in all projects: one pseudonym a project. */
  | { readonly kind: "subject"; readonly subjects: readonly string[] }
  | { readonly kind: "project"; readonly projectId: string }
  | {
      readonly kind: "range";
      readonly projectId?: string;
      /** Unix milliseconds: from this one on, before that one. */
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: "organization" };

export interface ErasedBefore {
  readonly organizationId: string;
  readonly target: ErasureTarget;
  /** Unix milliseconds: what came later is not meant. */
  readonly requestedAt: number;
}

interface Kept {
  readonly requestId: string;
  readonly organizationId: string;
  readonly projectId: string;
  /** Pseudonym. */
  readonly subject: string;
  readonly at: number;
}

/** Whether an erasure means a text that is still on its way to the log. */
export function isErased(
  kept: Kept,
  { organizationId, target, requestedAt }: ErasedBefore,
): boolean {
  if (kept.organizationId !== organizationId || kept.at > requestedAt) return false;
  switch (target.kind) {
    case "record":
      return kept.requestId === target.requestId;
    case "subject":
      return target.subjects.includes(kept.subject);
    case "project":
      return kept.projectId === target.projectId;
    case "range": {
      const isThere = target.projectId === undefined || kept.projectId === target.projectId;
      return isThere && kept.at >= target.from && kept.at < target.to;
    }
    case "organization":
      return true;
  }
}
