import { isIP } from "node:net";

import { invalidRequest } from "#canonical/failure.ts";
import { checkBaseUrl, isNearbyHost } from "#providers/base-url.ts";

const MAX_LENGTH = 500;

/**
 * A base URL that a tenant gives, without trailing slashes. It must be https to a host name of the
 * internet: numbers in any spelling, and names of networks at home, are refused here; what a name
 * resolves to is checked each time it is dialled. Throws `invalid_request`.
 */
export function checkOwnUrl(text: string, field: string): string {
  if (text.length > MAX_LENGTH) throw refused(field, `is longer than ${MAX_LENGTH} characters`);
  // Parsers drop or turn some of these: what is read here would not be what others read.
  if (/[\\\s]/.test(text.trim())) throw refused(field, "holds characters that a URL has not");
  const checked = checkBaseUrl(text, field);
  const { protocol, hostname } = new URL(checked);
  if (protocol !== "https:") throw refused(field, "must begin with https://");
  // The URL's parser has made one spelling of all: 0x7f.1, 2130706433, ①②⑦.0.0.1.
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) {
    throw refused(field, "must name a host, and not its address");
  }
  const name = hostname.replace(/\.+$/, "");
  if (name !== hostname || isNearbyHost(name)) {
    throw refused(field, "must name a host of the internet, such as https://llm.example.com/v1");
  }
  return checked;
}

const refused = (field: string, reason: string): Error =>
  invalidRequest(field, `${field} ${reason}.`);
