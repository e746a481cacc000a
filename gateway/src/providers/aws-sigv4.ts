import { AwsV4Signer } from "aws4fetch";

import { GatewayError, invalidRequest } from "#canonical/failure.ts";
import { asString, parseObject } from "#lib/json.ts";

import { findSecret } from "./auth.ts";
import type { Auth, Authorize, OutgoingRequest } from "./provider.ts";

const ACCESS_KEY = ["AWS_ACCESS_KEY_ID"];
const SECRET_KEY = ["AWS_SECRET_ACCESS_KEY"];
const SESSION_TOKEN = ["AWS_SESSION_TOKEN"];
const REGION = ["AWS_REGION", "AWS_DEFAULT_REGION"];

interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What a signature is bound to besides the request. */
export interface SigningScope {
  readonly credentials: AwsCredentials;
  readonly service: string;
  readonly region: string;
  /** `20150830T123600Z`; absent: now. */
  readonly datetime?: string;
  /** Derived keys of the day, kept between requests: they cost four HMACs. */
  readonly cache?: Map<string, ArrayBuffer>;
}

/** The headers of an AWS Signature Version 4 over method, host, path, query and body. */
export async function signAwsRequest(
  { method, url, body }: OutgoingRequest,
  { credentials, ...scope }: SigningScope,
): Promise<Record<string, string>> {
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    ...(body !== undefined && { body: new Uint8Array(body) }),
    ...credentials,
    ...scope,
  });
  const { headers } = await signer.sign();
  return Object.fromEntries(headers);
}

/** The region that an AWS host name tells: `bedrock-runtime.eu-west-1.amazonaws.com`. */
export function regionOfHost(hostname: string): string | undefined {
  return hostname.split(".").find((label) => /^[a-z]{2,3}(?:-[a-z]+)+-\d+$/.test(label));
}

/** The form in which AWS's own tools hand out keys (`credential_process`), and a region. */
function readKeyPair(secret: string): (AwsCredentials & { readonly region?: string }) | undefined {
  const given = parseObject(secret);
  const accessKeyId = asString(given?.["AccessKeyId"]);
  const secretAccessKey = asString(given?.["SecretAccessKey"]);
  const sessionToken = asString(given?.["SessionToken"]);
  const region = asString(given?.["Region"]);
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(region !== undefined && { region }),
  };
}

interface SignerOptions {
  readonly service: string;
  readonly credentials: AwsCredentials;
  /** Of a host that tells none. */
  readonly region: string | undefined;
}

function signerOf({ service, credentials, region: ownRegion }: SignerOptions): Authorize {
  const cache = new Map<string, ArrayBuffer>();
  return (request) => {
    const region = regionOfHost(request.url.hostname) ?? ownRegion;
    if (region === undefined) throw regionMissing();
    return signAwsRequest(request, { credentials, service, region, cache });
  };
}

/** AWS access keys, with the region of the host that is called. */
export function awsSigV4(service: string): Auth {
  return {
    env: ACCESS_KEY,
    companions: { AWS_ACCESS_KEY_ID: SECRET_KEY },
    discover(env) {
      const key = findSecret(env, ACCESS_KEY);
      const secretAccessKey = findSecret(env, SECRET_KEY)?.secret;
      if (key === undefined || secretAccessKey === undefined) return undefined;
      const sessionToken = findSecret(env, SESSION_TOKEN)?.secret;
      const credentials = {
        accessKeyId: key.secret,
        secretAccessKey,
        ...(sessionToken !== undefined && { sessionToken }),
      };
      const region = findSecret(env, REGION)?.secret;
      return { variable: key.variable, authorize: signerOf({ service, credentials, region }) };
    },
    takes: (secret) => secret.trimStart().startsWith("{"),
    withSecret(secret) {
      const pair = readKeyPair(secret);
      if (pair === undefined) {
        throw invalidRequest(
          "secret",
          'secret must be a JSON object such as {"AccessKeyId": "AKIA…", "SecretAccessKey": "…"}, with SessionToken where there is one.',
        );
      }
      const { region, ...credentials } = pair;
      return signerOf({ service, credentials, region });
    },
  };
}

const regionMissing = (): GatewayError =>
  new GatewayError({
    code: "upstream_auth",
    message: "An AWS request cannot be signed without a region: set AWS_REGION.",
  });
