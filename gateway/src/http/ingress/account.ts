import type { FastifyInstance } from "fastify";

import { GatewayError } from "#canonical/failure.ts";
import type { Access } from "#governance/access.ts";
import { briefPolicy } from "#governance/brief-policy.ts";
import type { KeyRing } from "#governance/key-ring.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import type { Generation } from "#telemetry/read-record.ts";

interface Deps {
  readonly keys: Pick<KeyRing, "authenticate">;
  /** The limits of a key and how they stand; takes nothing. */
  readonly limitsOf: (access: Access, requestId: string) => Promise<object>;
  readonly findGeneration: (id: string) => Promise<Generation | undefined>;
}

/** Adds what a key can read of itself: its requests and its own description. */
export function addAccountRoutes(server: FastifyInstance, deps: Deps): void {
  const { keys, limitsOf, findGeneration } = deps;
  server.get("/v1/generations/:id", async (request) => {
    const { key } = keys.authenticate(credentialOf(request), request.ip);
    const { id } = request.params as { id: string };
    const found = await findGeneration(id);
    if (found === undefined || found.keyId !== key.id) {
      throw new GatewayError({
        code: "not_found",
        field: "id",
        message: `There is no request "${id.slice(0, 60)}" of this key. The id is the answer's x-request-id header.`,
      });
    }
    return { data: found.body };
  });
  server.get("/v1/key", async (request) => {
    const access = keys.authenticate(credentialOf(request), request.ip);
    const { key, organization, team, project, policy } = access;
    const { operations, ipRanges, routing } = key.settings;
    return {
      data: {
        id: key.id,
        name: key.name,
        hint: key.hint,
        created_at: new Date(key.createdAt).toISOString(),
        expires_at: key.expiresAt === null ? null : new Date(key.expiresAt).toISOString(),
        organization: { id: organization.id, name: organization.name, plan: organization.plan },
        team: team ?? null,
        project: { id: project.id, name: project.name },
        operations: operations ?? null,
        ip_ranges: ipRanges ?? null,
        default_model: routing?.model ?? null,
        policy: briefPolicy(policy),
        ...(await limitsOf(access, request.id)),
      },
    };
  });
}
