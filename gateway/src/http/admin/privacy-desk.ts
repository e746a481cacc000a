import type { ErasureRequest } from "#privacy/erase.ts";
import type { Content } from "#privacy/read-content.ts";
import type { Receipt } from "#privacy/receipt.ts";

/** What the admin API needs of the room where texts are kept. */
export interface PrivacyDesk {
  readonly erase: (organizationId: string, request: ErasureRequest) => Promise<Receipt>;
  readonly publicKey: () => Promise<string>;
  /** The key and project of a request; `undefined`: there is none. */
  readonly requestOf: (
    requestId: string,
  ) => Promise<{ readonly keyId: string | null; readonly projectId: string | null } | undefined>;
  readonly readContent: (requestId: string) => Promise<Content | undefined>;
}
