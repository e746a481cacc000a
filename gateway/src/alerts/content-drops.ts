import type { EmitAlert } from "@turnpike/contract/alerts.ts";

const HOUR_MS = 3_600_000;
/** The event's name keeps it to one an hour; this keeps a flood of drops from asking the store each time. */
const QUIET_MS = 60_000;
const MAX_ORGANIZATIONS = 10_000;

/**
 * Tells an organization that texts which it wanted kept are lost, once an hour: whoever relies on them
 * must not learn it when they look for one. What could not be written down (the store may be what
 * fails) is said again a minute later, if more is lost then.
 */
export function watchContentDrops(
  emit: EmitAlert,
  now: () => number,
): (dropped: { readonly organizationId: string; readonly requestId: string }) => void {
  const quietUntil = new Map<string, number>();
  return ({ organizationId, requestId }) => {
    const at = now();
    if (at < (quietUntil.get(organizationId) ?? 0)) return;
    if (quietUntil.size >= MAX_ORGANIZATIONS) quietUntil.clear();
    quietUntil.set(organizationId, at + QUIET_MS);
    emit({
      kind: "content.dropped",
      organizationId,
      once: String(Math.floor(at / HOUR_MS)),
      text: "Texts that a project keeps were lost: more waited than the gateway holds, for the data store is slow, full or away. Look at its disk and its log.",
      facts: { request_id: requestId },
    });
  };
}
