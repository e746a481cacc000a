/** Prefixes of the ids that the kinds of output items have. */
export type ItemKind = "msg" | "rs" | "fc" | "ctc" | "ig";

/** The id of this answer: the request's id under the prefix that the SDKs expect. */
export const responseId = (requestId: string): string => `resp_${bare(requestId)}`;

/** The id of the answer's item at this place. */
export const itemId = (kind: ItemKind, requestId: string, at: number): string =>
  `${kind}_${bare(requestId)}_${at}`;

const bare = (requestId: string): string => requestId.replace(/^[a-z]+_/, "");
