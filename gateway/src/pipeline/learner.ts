import type { Kysely } from "kysely";

import { organizationOf, type Call } from "#pipeline/call.ts";
import { createAskedAgain } from "#routing/learning/asked-again.ts";
import { drawn, explores } from "#routing/learning/explore.ts";
import {
  RouteLearning,
  type ClassLearning,
  type Posterior,
  type Score,
  type Subject,
} from "#routing/learning/route-learning.ts";
import { signalsOf, type AnswerEnd, type SignalName } from "#routing/learning/signals.ts";
import type { PlanContext } from "#routing/planning.ts";
import type { RoutingPolicy } from "#routing/policy.ts";
import type { Route } from "#routing/route.ts";
import { listFeedbackTimes, listPosteriors, writePosterior } from "#store/feedback.ts";
import type { RecordTables } from "#store/schema.ts";
import { errorFacts, type Log } from "#telemetry/log.ts";

/** What the gateway learns about its routes; survives a restart. */
export interface Learner {
  readonly isEnabled: () => boolean;
  /**
   * What `auto` is told of a model in a class; absent where learning is off. The seed decides whether
   * this request explores; without one it does not.
   */
  evidence(organization: string, seed?: number): Pick<PlanContext, "evidenceOf">;
  /** Takes in how an answer ended. Never throws, and nobody waits for it. */
  noteEnd(call: Call, route: Route, end: AnswerEnd): void;
  /**
   * Takes in a key's score, in place of an earlier one of its own; resolves when a restart would know
   * it. How much one key's scores may count is `RouteLearning`'s rule.
   */
  score(subject: Subject, score: KeyScore, before?: Score): Promise<void>;
}

/** A score, and the key that gave it. */
export type KeyScore = Score & { readonly keyId: string };

export interface LearnerOptions {
  readonly records: Kysely<RecordTables>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** As the policy of this moment wants it. */
  readonly settings: () => RoutingPolicy["learning"];
  readonly log: Log;
}

/** After so long an eighth is left of a score: whose it was hardly matters. */
const REMEMBERED_MS = 90 * 86_400_000;

/** A learner that knows what was learnt before. */
export async function openLearner(options: LearnerOptions): Promise<Learner> {
  const { records, now, settings, log } = options;
  const isEnabled = (): boolean => settings().enabled;
  const learning = await restored(records, now);
  const askedAgain = createAskedAgain<Subject>();
  const keep = (subject: Subject, posterior: Posterior): Promise<void> =>
    writePosterior(records, rowOf(subject, posterior));
  const signal = (subject: Subject, names: readonly SignalName[]): void => {
    const posterior = learning.signal(subject, names);
    if (posterior === undefined) return;
    // A restart that does not know a signal is no loss that anybody should wait for.
    keep(subject, posterior).catch((error: unknown) => {
      log.error(errorFacts(error), "what was learnt from an answer was not stored");
    });
  };
  return {
    isEnabled,
    evidence: (organization, seed) => {
      const { enabled, explore } = settings();
      if (!enabled) return {};
      return { evidenceOf: evidenceOf(learning, { organization, ...(explore && { seed }) }) };
    },
    noteEnd: (call, route, end) => {
      if (!isEnabled()) return;
      const { access } = call;
      if (access !== undefined) learning.noteCaller(access.organization.id, access.key.id);
      const subject = subjectOf(call, route);
      const names = signalsOf(end);
      if (subject !== undefined && names !== undefined) signal(subject, names);
      const doubted = askedAgain.note(call.sessionKey ?? "", turnOf(call, subject));
      if (doubted !== undefined) signal(doubted, ["asked-again"]);
    },
    score: (subject, score, before) => keep(subject, learning.score(subject, score, before)),
  };
}

interface Asking {
  readonly organization: string;
  /** Absent: nothing is explored. */
  readonly seed?: number | undefined;
}

/** A look-up for one plan, which asks for every model of one class. */
function evidenceOf(
  learning: RouteLearning,
  { organization, seed }: Asking,
): NonNullable<PlanContext["evidenceOf"]> {
  const exploring = seed !== undefined && explores(seed) ? seed : undefined;
  const classes = new Map<string, ClassLearning>();
  return (taskClass, modelId) => {
    const known = classes.get(taskClass) ?? learning.inClass({ organization, taskClass });
    classes.set(taskClass, known);
    const evidence = known.evidenceOf(modelId);
    if (exploring === undefined || !known.isDense) return evidence;
    return drawn(evidence, { seed: exploring, modelId });
  };
}

async function restored(records: Kysely<RecordTables>, now: () => number): Promise<RouteLearning> {
  const learning = new RouteLearning(now);
  for (const row of await listPosteriors(records)) {
    const { good, bad, signalled, updated_at: updatedAt } = row;
    const { organization, task_class: taskClass, model: modelId } = row;
    learning.restore({ organization, taskClass, modelId }, { good, bad, signalled, updatedAt });
  }
  for (const given of await listFeedbackTimes(records, now() - REMEMBERED_MS)) {
    const { createdAt: at, modelId, keyId, score, ...task } = given;
    learning.noteScore(task, at);
    if (modelId !== undefined) learning.restoreVoice({ ...task, modelId }, { score, at, keyId });
  }
  return learning;
}

const rowOf = (
  { organization, taskClass, modelId }: Subject,
  { good, bad, signalled, updatedAt }: Posterior,
) => ({
  organization,
  task_class: taskClass,
  model: modelId,
  good,
  bad,
  signalled,
  updated_at: updatedAt,
});

/** What an answer is judged as; nothing where the request was put in no class. */
function subjectOf(call: Call, { model }: Route): Subject | undefined {
  const decision = call.plan?.decision ?? call.shadow?.()?.decision;
  if (decision === undefined) return undefined;
  const { taskClass } = decision.assessment;
  return { organization: organizationOf(call), taskClass, modelId: model.id };
}

const turnOf = ({ exchange, gateway, needs }: Call, subject: Subject | undefined) => ({
  startedTick: exchange.startedTick,
  endedTick: gateway.tick(),
  inputTokens: needs?.inputTokens ?? 0,
  inToolLoop: needs?.inToolLoop === true,
  subject,
});
