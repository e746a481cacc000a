import { z } from "zod";

/** Plain http never leaves the machine. */
const SITE_URL =
  /^(?:https:\/\/|http:\/\/(?=(?:localhost|127(?:\.\d+){3}|\[::1\])(?:[:/]|$)))[^\s/?#@]+(?:\/[^\s?#]*)?$/;

export const siteUrl = (description: string) =>
  z
    .string()
    .regex(SITE_URL, "must be a URL such as https://login.example.com; http only on this machine")
    .describe(description);
