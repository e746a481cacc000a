import type { Subject } from "#privacy/envelope.ts";

/** Where a text belongs. */
export interface ContentOwner {
  readonly organizationId: string;
  readonly projectId: string;
  /** Who the request is for; absent: it named nobody. */
  readonly endUser?: string | undefined;
}

/**
 * Whose text it is: the end user's within a project, else the project's. A key of its own for each
 * project, so that a project can be erased without its users' texts elsewhere.
 */
export const subjectOf = ({ projectId, endUser }: ContentOwner): Subject =>
  endUser === undefined || endUser === ""
    ? { kind: "project", id: projectId }
    : { kind: "end-user", id: JSON.stringify([projectId, recordedName(endUser)]) };

const MAX_NAME = 200;

/** As much of a person's id as records and budgets have: erasing goes by the same. */
export const recordedName = (endUser: string): string => endUser.slice(0, MAX_NAME);
