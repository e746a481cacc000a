import { BlockList, isIP } from "node:net";

/** The addresses that a key may be used from. */
export interface AddressRanges {
  includes(address: string | undefined): boolean;
}

/**
 * Reads addresses and CIDR ranges of IPv4 and IPv6. IPv4 addresses are the same whether they come as
 * such or mapped into IPv6 (`::ffff:10.0.0.1`, as sockets that listen on both show them). Throws a
 * sentence that names the entry which is neither.
 */
export function readAddressRanges(entries: readonly string[]): AddressRanges {
  const list = new BlockList();
  for (const entry of entries) addEntry(list, entry.trim());
  return {
    includes: (given) => {
      const address = plainAddress(given ?? "");
      const family = familyOf(address);
      return family !== undefined && list.check(address, family);
    },
  };
}

const MAPPED = /^::ffff:(?:0:)?(?=\d+\.\d+\.\d+\.\d+)/i;
/** Bits of an IPv6 prefix before those of a mapped IPv4 address. */
const MAPPED_BITS = 96;

/** Without the zone of link-local addresses, and IPv4 as IPv4. */
const plainAddress = (address: string): string => address.replace(/%.*$/, "").replace(MAPPED, "");

function familyOf(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? "ipv4" : "ipv6";
}

function addEntry(list: BlockList, entry: string): void {
  const [written = "", bits, ...rest] = entry.split("/");
  const address = plainAddress(written);
  const family = familyOf(address);
  if (family === undefined || rest.length > 0) throw noRange(entry);
  if (bits === undefined) return list.addAddress(address, family);
  if (!/^\d{1,3}$/.test(bits)) throw noRange(entry);
  const prefix = Number(bits) - (address === written ? 0 : MAPPED_BITS);
  if (prefix < 0 || prefix > (family === "ipv4" ? 32 : 128)) throw noRange(entry);
  return list.addSubnet(address, prefix, family);
}

const noRange = (entry: string): Error =>
  new Error(`"${entry.slice(0, 60)}" is neither an IP address nor a range such as 10.0.0.0/8.`);
