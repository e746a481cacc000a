import type { FailureCode } from "#canonical/failure.ts";

/** What a provider's failure is known by, whatever its protocol. */
export interface FailureSigns {
  readonly status: number;
  /** The provider's own codes and types, joined; any case. */
  readonly code: string;
  readonly message: string;
}

interface Rule {
  readonly code: FailureCode;
  readonly pattern: RegExp;
}

/**
 * What a message says counts before what the status says: providers wrap limits in 400 and missing
 * money in 429. First match counts, so the specific ones stand first.
 */
const MESSAGE_RULES: readonly Rule[] = [
  {
    code: "context_length_exceeded",
    pattern:
      /prompt is too long|context[_ ](?:length|window|limit)|maximum context|input token count .*exceeds|exceeds? the maximum number of (?:input )?tokens|too many (?:input )?tokens|input is too long|too large for model|reduce the length/i,
  },
  {
    code: "upstream_quota",
    pattern:
      /credit balance|insufficient[_ ](?:quota|balance|funds|credit)|out of credits|exceeded your current quota|billing[_ ](?:error|hard[_ ]limit|not[_ ]active)|billing (?:account|to be enabled)|payment required|arrears|no (?:more )?credits|spend[_ ]limit|usage limits?\b.*regain/i,
  },
  {
    code: "upstream_auth",
    pattern:
      /api[_ -]?key (?:not valid|not found|expired|is invalid|was reported)|invalid (?:x-)?api[_ -]?key|api_key_(?:invalid|expired)|invalid authentication|incorrect api key|organization has been disabled|service_disabled|has not been used in project|access_token_(?:expired|type_unsupported)/i,
  },
  {
    code: "content_policy",
    pattern:
      /content[_ ](?:filter|policy|management)|blocked by .*(?:policy|safety|filter)|safety (?:policy|system|filter|settings)|prohibited[_ ]content|violat\w+ .*(?:policy|policies|terms)/i,
  },
];

/**
 * Statuses of a caller's fault. Their messages repeat what the caller wrote, so that words in them prove
 * nothing of the key: one request could shut it for everybody. Only these sentences do, and the codes.
 */
const CALLERS_FAULT: ReadonlySet<number> = new Set([400, 404, 405, 409, 413, 415, 422]);
const OF_THE_KEY: readonly Rule[] = [
  {
    code: "upstream_quota",
    pattern:
      /^(?:your credit balance is too low to access|billing hard limit has been reached|you have reached your specified api usage limits|insufficient (?:balance|credits?)\b|you exceeded your current quota|billing account\b|this api method requires billing)/i,
  },
  {
    code: "upstream_auth",
    pattern:
      /^(?:api key (?:not valid|not found|expired)|this organization has been disabled|incorrect api key provided|invalid api key)/i,
  },
];
/** How providers answer to a field or a name that they do not know: with the caller's own words. */
const ECHO = /not permitted|unrecogni[sz]ed|unknown|unsupported|does not exist|not found for/i;

/** A refusal of one model, not of the key as a whole. */
const ONE_MODEL =
  /model_permission|\bmodels?\b(?=.*(?:permission|access|blocked|allowed|authori[sz]ed|entitle))|(?:permission|access|allowed|authori[sz]ed)(?=.*\b(?:models?|specified resource)\b)/i;

/** Google names the model among the resources of a project that the key has no rights to at all. */
const OF_THE_PROJECT = /denied on resource/i;

const UNSUPPORTED =
  /(?:is |are )?(?:not (?:currently )?support(?:ed)?|unsupported|deprecated for this model|not (?:enabled|available) for (?:this )?model|does(?: not|n't) support|cannot both be specified)/i;

/** The failure that a provider's error answer stands for. */
export function classifyFailure({ status, code, message }: FailureSigns): FailureCode {
  const text = `${code} ${message}`;
  // A limit on tokens a minute reads like a limit of the context, but waiting helps.
  const limited = status === 429 || /rate[_ ]limit|resource_exhausted|throttl|\b429\b/i.test(code);
  const rules = limited ? MESSAGE_RULES.slice(1, 3) : MESSAGE_RULES;
  const rule =
    CALLERS_FAULT.has(status) && !limited
      ? callersRule({ status, code, message })
      : status >= 500
        ? undefined
        : rules.find(({ pattern }) => pattern.test(text));
  // Google's per-minute limits say "exceeded your current quota" too, and name the time to wait.
  const waits = limited && /retry in|per[ _-]?(?:minute|day)/i.test(text);
  if (rule !== undefined && !(waits && rule.code === "upstream_quota")) return rule.code;
  if (limited) return "upstream_rate_limited";
  return byStatus(status, text);
}

/** What a message at a status of the caller's fault may say nevertheless. */
function callersRule({ code, message }: FailureSigns): Rule | undefined {
  const [context, quota, auth, policy] = MESSAGE_RULES;
  const ofKey = [quota, auth].find((rule) => rule?.pattern.test(code));
  if (ofKey !== undefined) return ofKey;
  const said = ECHO.test(message)
    ? undefined
    : OF_THE_KEY.find(({ pattern }) => pattern.test(message));
  const text = `${code} ${message}`;
  return said ?? [context, policy].find((rule) => rule?.pattern.test(text));
}

const BY_STATUS: Readonly<Record<number, FailureCode>> = {
  401: "upstream_auth",
  402: "upstream_quota",
  403: "upstream_auth",
  404: "upstream_model_missing",
  408: "upstream_timeout",
  413: "context_length_exceeded",
  503: "upstream_overloaded",
  504: "upstream_timeout",
  508: "loop_detected",
  524: "upstream_timeout",
  529: "upstream_overloaded",
};

function byStatus(status: number, text: string): FailureCode {
  if (status === 403 && ONE_MODEL.test(text) && !OF_THE_PROJECT.test(text))
    return "upstream_model_missing";
  // A page of HTML comes from something in between, which knows no keys.
  if (status === 403 && /^\s*<(?:!doctype|html)/i.test(text.trim())) return "upstream_error";
  const known = BY_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return /overload/i.test(text) ? "upstream_overloaded" : "upstream_error";
  if (status < 400) return "upstream_malformed";
  return UNSUPPORTED.test(text) ? "unsupported_parameter" : "upstream_invalid_request";
}
