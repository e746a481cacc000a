import type { Access, EffectivePolicy } from "#governance/access.ts";
import { organizationOf, type Call } from "#pipeline/call.ts";

const MAX_TEXT = 200;

/** The caller's side of a record. Client's text is cut: a record is metadata, whatever was sent. */
export function askedFor(call: Call) {
  const { options } = call;
  return {
    ...tenantOf(call),
    ...conversationOf(call),
    modelAsked: call.modelAsked.slice(0, MAX_TEXT),
    streamed: call.streamed,
    endUser: call.endUser?.slice(0, MAX_TEXT) ?? null,
    tags: options?.tags ?? [],
    taskClass: call.plan?.decision?.assessment.taskClass ?? null,
  };
}

/** Whose request it was, and what they had decided about it. Without a valid key it is nobody's. */
function tenantOf(call: Call) {
  const { access } = call;
  return {
    organizationId: organizationOf(call),
    teamId: access?.team?.id ?? null,
    projectId: access?.project.id ?? null,
    keyId: access?.key.id ?? null,
    policy: access === undefined ? null : boundsOf(call, access),
  };
}

/** A request may ask for more than its policy: nobody kept anything of it, and the record says so. */
function boundsOf({ options }: Call, access: Access): object | null {
  const facts = policyFacts(access);
  return options?.provider.zdr === true ? { ...facts, zeroRetention: true } : facts;
}

/** Made once a policy. */
const known = new WeakMap<EffectivePolicy, object | null>();

/** The bounds by which a record can be understood later, when the policy is another one. */
function policyFacts({ policy }: Access): object | null {
  let facts = known.get(policy);
  if (facts !== undefined) return facts;
  const { zeroRetention, noTraining, regions, maxTokens, maxRequestNanoUsd, preference } = policy;
  const bounds = {
    ...(zeroRetention && { zeroRetention }),
    ...(noTraining && { noTraining }),
    ...(regions.length > 0 && { regions: regions.map(({ value }) => value) }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(maxRequestNanoUsd !== undefined && { maxRequestNanoUsd: String(maxRequestNanoUsd) }),
    ...(preference !== undefined && { preference }),
  };
  facts = Object.keys(bounds).length === 0 ? null : bounds;
  known.set(policy, facts);
  return facts;
}

/** What it was a part of. The key of a conversation holds hashes of its first words, no words. */
function conversationOf({ options, sessionKey, needs }: Call) {
  const sessionId = options?.sessionId ?? null;
  return {
    sessionId,
    conversation: sessionId ?? sessionKey?.replaceAll(" ", ".") ?? null,
    inToolLoop: needs?.inToolLoop === true,
  };
}
