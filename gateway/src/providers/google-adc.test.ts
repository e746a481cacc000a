import { createVerify, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { GOOGLE_ADC } from "./google-adc.ts";
import type { OutgoingRequest } from "./provider.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ACCOUNT = {
  type: "service_account",
  project_id: "my-project",
  private_key_id: "key-1",
  private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
  client_email: "gateway@my-project.iam.gserviceaccount.com",
};
const REQUEST: OutgoingRequest = {
  method: "POST",
  url: new URL("https://aiplatform.googleapis.com/v1/x"),
};

/** A token server on this machine, and a `post` that leads every request to it. */
const seen: { url: string; form: Readonly<Record<string, string>> }[] = [];
let server: Server;
let status = 200;

async function post(url: string, form: Readonly<Record<string, string>>): Promise<unknown> {
  seen.push({ url, form });
  const { port } = server.address() as AddressInfo;
  const body = new URLSearchParams(form);
  const response = await fetch(`http://127.0.0.1:${port}/token`, { method: "POST", body });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

beforeAll(async () => {
  server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ access_token: `ya29.${seen.length}`, expires_in: 3599 }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
});

afterAll(() => {
  server.close();
});

const decode = (part: string | undefined): unknown =>
  JSON.parse(Buffer.from(part ?? "", "base64url").toString());

describe("GOOGLE_ADC", () => {
  test("is not found by a cloud project alone", () => {
    expect(GOOGLE_ADC.discover({ GOOGLE_CLOUD_PROJECT: "p" })).toBeUndefined();
    expect(GOOGLE_ADC.discover({ GOOGLE_APPLICATION_CREDENTIALS: " " })).toBeUndefined();
  });

  test("is found by a key file, an inline account or the wish to use a project", () => {
    const inline = JSON.stringify(ACCOUNT);
    for (const env of [
      { GOOGLE_APPLICATION_CREDENTIALS: "/etc/key.json" },
      { GOOGLE_SERVICE_ACCOUNT_JSON: inline },
      { GOOGLE_VERTEX_PROJECT: "p" },
    ]) {
      expect(GOOGLE_ADC.discover(env)?.variable).toBe(Object.keys(env)[0]);
    }
  });

  test("exchanges a signed assertion for a token, and keeps the token", async () => {
    const env = { GOOGLE_SERVICE_ACCOUNT_JSON: JSON.stringify(ACCOUNT) };
    const found = GOOGLE_ADC.discover(env, { post });
    const first = await found?.authorize(REQUEST);
    expect(first).toEqual({ authorization: "Bearer ya29.1" });
    expect(await found?.authorize(REQUEST)).toEqual(first);
    expect(seen.length).toBe(1);

    const { url, form } = seen[0]!;
    expect(url).toBe("https://oauth2.googleapis.com/token");
    expect(form["grant_type"]).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [head, claims, signature] = (form["assertion"] ?? "").split(".");
    expect(decode(claims)).toMatchObject({
      iss: ACCOUNT.client_email,
      aud: "https://oauth2.googleapis.com/token",
      scope: "https://www.googleapis.com/auth/cloud-platform",
    });
    const verify = createVerify("RSA-SHA256").update(`${head}.${claims}`);
    expect(verify.verify(publicKey, signature ?? "", "base64url")).toBe(true);
  });

  test("fails as an upstream's authorisation, without words of the credential", async () => {
    status = 401;
    const env = { GOOGLE_SERVICE_ACCOUNT_JSON: JSON.stringify(ACCOUNT) };
    const found = GOOGLE_ADC.discover(env, { post });
    const error: unknown = await Promise.resolve(found?.authorize(REQUEST)).catch(
      (reason: unknown) => reason,
    );
    status = 200;
    expect(error).toMatchObject({ failure: { code: "upstream_auth" } });
    expect(String(error)).not.toContain(ACCOUNT.client_email);
  });

  test("reads a service account's key file", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "turnpike-adc-")), "key.json");
    writeFileSync(file, JSON.stringify(ACCOUNT));
    const found = GOOGLE_ADC.discover({ GOOGLE_APPLICATION_CREDENTIALS: file }, { post });
    const headers = await found?.authorize(REQUEST);
    expect(headers?.["authorization"]).toMatch(/^Bearer ya29\.\d+$/);
  });

  test("refuses inline text that is not JSON, without repeating it", () => {
    const discover = (): unknown =>
      GOOGLE_ADC.discover({ GOOGLE_SERVICE_ACCOUNT_JSON: "{private words" });
    expect(discover).toThrow(/GOOGLE_SERVICE_ACCOUNT_JSON is not/);
    expect(discover).not.toThrow(/private words/);
  });

  test("fails cleanly on a key file that is not there", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "turnpike-adc-")), "missing.json");
    const found = GOOGLE_ADC.discover({ GOOGLE_APPLICATION_CREDENTIALS: path });
    await expect(found?.authorize(REQUEST)).rejects.toMatchObject({
      failure: { code: "upstream_auth" },
    });
    writeFileSync(path, JSON.stringify(ACCOUNT));
    const later = GOOGLE_ADC.discover({ GOOGLE_APPLICATION_CREDENTIALS: path }, { post });
    await expect(later?.authorize(REQUEST)).resolves.toHaveProperty("authorization");
  });

  test("takes the JSON of a service account as a secret, and nothing else", async () => {
    const before = seen.length;
    const authorize = GOOGLE_ADC.withSecret?.(JSON.stringify(ACCOUNT), { post });
    expect(await authorize?.(REQUEST)).toEqual({
      authorization: expect.stringMatching(/^Bearer ya29/),
    });
    await authorize?.(REQUEST);
    expect(seen.length).toBe(before + 1);
    expect(seen.at(-1)?.url).toBe("https://oauth2.googleapis.com/token");
    expect(() => GOOGLE_ADC.withSecret?.("AIza-a-plain-key")).toThrow(/service account/);
  });
});
