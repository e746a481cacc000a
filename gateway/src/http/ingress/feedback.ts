import type { FastifyInstance } from "fastify";

import type { KeyRing } from "#governance/key-ring.ts";
import { credentialOf } from "#pipeline/authenticate.ts";
import { readFeedback, type GiveFeedback } from "#pipeline/feedback.ts";
import { readBody } from "#pipeline/read-body.ts";

interface Deps {
  readonly keys: Pick<KeyRing, "authenticate">;
  readonly giveFeedback: GiveFeedback;
}

/** Adds `POST /v1/feedback`: what a caller thinks of an answer, which routing learns from. */
export function addFeedbackRoute(server: FastifyInstance, { keys, giveFeedback }: Deps): void {
  server.post("/v1/feedback", async (request) => {
    const access = keys.authenticate(credentialOf(request), request.ip);
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const feedback = readFeedback(readBody(bytes).object);
    await giveFeedback(access, feedback);
    const { generationId, score } = feedback;
    // There is one a request: its id follows from the request's.
    const id = generationId.replace(/^req_/, "fb_");
    return { object: "feedback", id, generation_id: generationId, score };
  });
}
