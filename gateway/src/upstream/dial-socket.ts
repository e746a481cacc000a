import { connect, isIP, type Socket } from "node:net";

import { BlockedAddressError, guardedLookup, isPrivateAddress } from "#upstream/guarded-lookup.ts";

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
  /** The operator has said that it may be in a private network. */
  readonly allowPrivate: boolean;
}

/** Connects to what speaks no HTTP, such as a mail server, under the same guard. */
export type DialSocket = (address: SocketAddress) => Promise<Socket>;

const TIMEOUT_MS = 10_000;

export const dialSocket: DialSocket = ({ host, port, allowPrivate }) =>
  new Promise((resolve, reject) => {
    // Literal addresses never reach `lookup`.
    if (!allowPrivate && isIP(host) !== 0 && isPrivateAddress(host)) {
      reject(new BlockedAddressError(host));
      return;
    }
    const socket = connect({ host, port, ...(!allowPrivate && { lookup: guardedLookup }) });
    socket.setTimeout(TIMEOUT_MS, () =>
      socket.destroy(Object.assign(new Error("no connection"), { code: "ETIMEDOUT" })),
    );
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("error", reject);
      resolve(socket);
    });
  });
