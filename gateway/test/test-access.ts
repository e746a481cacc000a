import type { Access } from "#governance/access.ts";
import { NO_POLICY } from "#governance/effective-policy.ts";

/** The access of a key of the default project that nothing bounds. */
export const testAccess = (changes: Partial<Access> = {}): Access => ({
  key: {
    id: "key_1",
    name: "test",
    hint: "",
    ownerId: null,
    settings: {},
    createdAt: 0,
    expiresAt: null,
  },
  organization: {
    id: "org_default",
    slug: "default",
    name: "Default",
    plan: "enterprise",
    timeZone: "UTC",
    settings: { contentLogAllowed: false },
  },
  project: { id: "proj_default", name: "Default", settings: {} },
  policy: NO_POLICY,
  limits: [],
  budgets: [],
  priceOverrides: [],
  ...changes,
});
