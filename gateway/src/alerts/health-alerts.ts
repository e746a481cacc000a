import type { AlertEvent } from "@turnpike/contract/alerts.ts";

import type { HealthEvent } from "#health/health-event.ts";

const HOUR_MS = 3_600_000;

/** What people are told of endpoints; `undefined`: it will pass by itself. An event at most once an hour. */
export function healthAlert(event: HealthEvent, now: number): AlertEvent | undefined {
  const hour = Math.floor(now / HOUR_MS);
  switch (event.type) {
    case "endpoint-ejected": {
      const { key, provider, model } = event.endpoint;
      return {
        kind: "provider.down",
        organizationId: null,
        once: `${key} ${hour}`,
        text: `${provider} fails with ${model}: requests go elsewhere meanwhile.`,
        facts: { provider, model, reason: event.reason, ejections: event.ejections },
      };
    }
    case "endpoint-recovered": {
      const { key, provider, model } = event.endpoint;
      return {
        kind: "provider.back",
        organizationId: null,
        once: `${key} ${hour}`,
        text: `${provider} answers again with ${model}.`,
        facts: { provider, model },
      };
    }
    case "credential-dead": {
      const { credential, reason } = event;
      const isQuota = reason === "quota";
      return {
        kind: "provider.credential",
        organizationId: null,
        once: `${credential} ${reason} ${hour}`,
        text: isQuota
          ? `The account of ${credential} has no money or quota left, as its provider says.`
          : `The provider refuses the key ${credential}.`,
        facts: { credential, reason },
      };
    }
    case "credential-alive":
    case "scope-shut":
      return undefined;
  }
}
