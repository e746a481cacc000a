/**
 * Shapes of credentials, and of the ids of organisations, projects, teams and accounts, in provider
 * messages. Providers quote keys back ("Incorrect API key provided: sk-…"), and OpenRouter relays
 * whole bodies of others with team and key ids in them.
 */
const SECRETS: readonly RegExp[] = [
  // Provider keys by prefix: sk-…, sk-ant-…, gsk_…, xai-…, r8_…, hf_…, pplx-…, nvapi-…, key-….
  /\b(?:sk|pk|rk|gsk|xai|r8|hf|pplx|nvapi|fw|csk|tgp|pa|jina|tp|key)[-_][\w*.…-]*[\w*]{4,}/g,
  // Google: API keys and OAuth tokens.
  /\bAIza[\w*-]{8,}/g,
  /\bya29\.[\w.-]{8,}/g,
  // Amazon access key ids; account numbers inside ARNs.
  /\b(?:AKIA|ASIA|ABSK)[A-Za-z0-9+/=]{8,}/g,
  /(?<=\barn:[\w-]*:[\w-]*:[\w-]*:)\d{12}\b/g,
  // JSON web tokens, and whatever follows an authorization scheme.
  /\beyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?/g,
  /(?<=\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi,
  // Ids of tenants: org-…, proj_…, team_…, user_…, acct_…, ws_….
  /\b(?:org|proj|project|team|user|acct|account|workspace|wrkspc|cus)[-_](?=[\w-]*\d)[\w-]{6,}/g,
  // Ids that only their label gives away: "project 123456", "team: 3f1c…", "organization 'ab12…'".
  /(?<=\b(?:organi[sz]ation|project|projects|team|account|consumer|workspace|tenant)s?(?:[\s_-]?(?:id|number))?\s?[:=/#]?\s?["'`]?)(?=[\w:-]*\d)(?:project(?:_number)?:)?[\w-]{6,}/gi,
  // "api_key=…", "token: …" whatever their shape.
  /(?<=\b(?:api[_ -]?key|access[_ -]?token|secret)(?:\s+provided)?["'`]?\s?[:=]\s?["'`]?)[\w*.+/=…-]{6,}/gi,
];

const MASK = "[masked]";
const MAX_LENGTH = 500;

/** The text with everything that looks like a credential or a tenant's id replaced by `[masked]`. */
export function maskSecrets(text: string): string {
  return SECRETS.reduce((masked, pattern) => masked.replace(pattern, MASK), text);
}

const isHtml = (text: string): boolean => /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(text);

/**
 * A provider's message as a caller may see it: masked, one line, at most 500 characters. HTML and
 * empty texts give the fallback.
 */
export function callerMessage(text: string | undefined, fallback: string): string {
  if (text === undefined || isHtml(text)) return fallback;
  const masked = maskSecrets(
    text
      .slice(0, 4 * MAX_LENGTH)
      .replace(/\s+/g, " ")
      .trim(),
  );
  if (masked === "") return fallback;
  return masked.length > MAX_LENGTH ? `${masked.slice(0, MAX_LENGTH - 1)}…` : masked;
}
