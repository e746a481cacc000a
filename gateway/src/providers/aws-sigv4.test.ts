import { createHash, createHmac } from "node:crypto";

import { describe, expect, test } from "vitest";

import { awsSigV4, regionOfHost, signAwsRequest } from "./aws-sigv4.ts";
import type { OutgoingRequest } from "./provider.ts";

/** The credentials of AWS's published Signature Version 4 test suite. */
const EXAMPLE = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const DATETIME = "20150830T123600Z";
const SUITE = { credentials: EXAMPLE, service: "service", region: "us-east-1", datetime: DATETIME };

const signatureOf = (headers: Record<string, string>): string | undefined =>
  /Signature=([0-9a-f]{64})$/.exec(headers["authorization"] ?? "")?.[1];

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer =>
  createHmac("sha256", key).update(data).digest();

/** The signature worked out from the specification's text, for a POST without a query. */
function expectedSignature(request: OutgoingRequest, region: string, token?: string): string {
  const path = request.url.pathname
    .split("/")
    .map((piece) => encodeURIComponent(piece))
    .join("/");
  const headers: [string, string][] = [
    ["host", request.url.host],
    ["x-amz-date", DATETIME],
  ];
  if (token !== undefined) headers.push(["x-amz-security-token", token]);
  const canonical = [
    request.method,
    path,
    "",
    ...headers.map(([name, value]) => `${name}:${value}`),
    "",
    headers.map(([name]) => name).join(";"),
    sha256(request.body ?? ""),
  ].join("\n");
  const scope = `20150830/${region}/bedrock/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", DATETIME, scope, sha256(canonical)].join("\n");
  const key = ["20150830", region, "bedrock", "aws4_request"].reduce<string | Buffer>(
    (previous, part) => hmac(previous, part),
    `AWS4${EXAMPLE.secretAccessKey}`,
  );
  return hmac(key, text).toString("hex");
}

describe("signAwsRequest", () => {
  test.each([
    [
      "GET",
      "https://example.amazonaws.com/",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ],
    [
      "GET",
      "https://example.amazonaws.com/?Param2=value2&Param1=value1",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ],
    [
      "POST",
      "https://example.amazonaws.com/",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ],
  ] as const)("gives AWS's published signature of %s %s", async (method, url, signature) => {
    const headers = await signAwsRequest({ method, url: new URL(url) }, SUITE);
    expect(signatureOf(headers)).toBe(signature);
    expect(headers["authorization"]).toContain(
      "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date",
    );
  });

  test.each([
    "anthropic.claude-3-haiku-20240307-v1%3A0",
    "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.amazon.nova",
    "amazon.titan-text-express-v1",
  ])("signs a converse request for %s as the specification says", async (model) => {
    const request = {
      method: "POST",
      url: new URL(
        `https://bedrock-runtime.eu-west-1.amazonaws.com/model/${model}/converse-stream`,
      ),
      body: Buffer.from('{"messages":[{"role":"user","content":[{"text":"Grüße"}]}]}'),
    } as const;
    const credentials = { ...EXAMPLE, sessionToken: "session==" };
    const scope = { credentials, service: "bedrock", region: "eu-west-1", datetime: DATETIME };
    const headers = await signAwsRequest(request, scope);
    expect(signatureOf(headers)).toBe(expectedSignature(request, "eu-west-1", "session=="));
    expect(headers).toMatchObject({ "x-amz-date": DATETIME, "x-amz-security-token": "session==" });
  });

  test("covers the body", async () => {
    const url = new URL("https://bedrock-runtime.eu-west-1.amazonaws.com/model/m/converse");
    const sign = async (body: string): Promise<string | undefined> =>
      signatureOf(await signAwsRequest({ method: "POST", url, body: Buffer.from(body) }, SUITE));
    expect(await sign("{}")).not.toBe(await sign("{ }"));
  });
});

describe("regionOfHost", () => {
  test.each([
    ["bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"],
    ["bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
    ["vpce-0a1b-2c3d.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"],
    ["bedrock.internal.example", undefined],
  ])("%s → %s", (hostname, region) => {
    expect(regionOfHost(hostname)).toBe(region);
  });
});

describe("awsSigV4", () => {
  const auth = awsSigV4("bedrock");
  const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "secret" };
  const post = (host: string): OutgoingRequest => ({
    method: "POST",
    url: new URL(`https://${host}/model/m/converse`),
    body: Buffer.from("{}"),
  });

  test("wants both halves of the key", () => {
    expect(auth.discover({ ...keys, AWS_SECRET_ACCESS_KEY: "" })).toBeUndefined();
    expect(auth.discover({ ...keys, AWS_ACCESS_KEY_ID: undefined })).toBeUndefined();
  });

  test("signs for the region of the host, not of the environment", async () => {
    const found = auth.discover({ ...keys, AWS_REGION: "us-east-1" });
    expect(found?.variable).toBe("AWS_ACCESS_KEY_ID");
    const headers = await found?.authorize(post("bedrock-runtime.eu-west-3.amazonaws.com"));
    expect(headers?.["authorization"]).toContain("/eu-west-3/bedrock/aws4_request");
    expect(JSON.stringify(headers)).not.toContain("secret");
  });

  test("signs for the environment's region where the host tells none", async () => {
    const found = auth.discover({ ...keys, AWS_DEFAULT_REGION: "sa-east-1" });
    const headers = await found?.authorize(post("bedrock.internal.example"));
    expect(headers?.["authorization"]).toContain("/sa-east-1/bedrock/aws4_request");
  });

  test("says what is missing where no region is known", () => {
    const found = auth.discover(keys);
    expect(() => found?.authorize(post("bedrock.internal.example"))).toThrow(/AWS_REGION/);
  });
});
