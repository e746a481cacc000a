import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { startApp, type App } from "../gateway/src/app.ts";

const ROOT = resolve(import.meta.dirname, "..");
const KEY = "docs-key-0123456789-0123456789-0123456789";
const PAGES = ["README.md", "docs/getting-started.md", "docs/api.md"];

interface Snippet {
  readonly name: string;
  readonly language: "js" | "sh";
  readonly code: string;
}

/** The programs and requests of a page; other shell commands are not run. */
function snippetsOf(page: string): readonly Snippet[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```(js|sh)\n(.*?)^```$/gms)]
    .map(([, language, code = ""]) => ({ language: language as "js" | "sh", code }))
    .filter(({ language, code }) => language === "js" || code.startsWith("curl "))
    .map((snippet, at) => ({ ...snippet, name: `${page}, ${snippet.language} ${at + 1}` }));
}

let app: App;
let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "turnpike-docs-"));
  app = await startApp({ home, port: 0, env: { TURNPIKE_KEY: KEY } });
});
afterAll(async () => {
  await app.close();
  rmSync(home, { recursive: true, force: true });
});

const run = ({ language, code }: Snippet): Promise<string> =>
  new Promise((settle) => {
    const text = code.replaceAll("http://127.0.0.1:8402", app.url);
    const [program, args] =
      language === "js"
        ? [process.execPath, ["--input-type=module", "-e", text]]
        : ["sh", ["-c", text]];
    const env = { PATH: process.env["PATH"], HOME: home, TURNPIKE_KEY: KEY };
    // Packages are found from the folder of the gateway, whose tests need them too.
    execFile(program, args, { cwd: join(ROOT, "gateway"), env }, (_error, out, err) =>
      settle(out + err),
    );
  });

describe("what the documentation prints works as printed", () => {
  test("there are programs and requests to run", () => {
    expect(PAGES.flatMap(snippetsOf).length).toBeGreaterThan(5);
  });

  test.each(PAGES.flatMap(snippetsOf))("$name", async (snippet) => {
    expect(await run(snippet)).toContain("You said: Hello");
  });
});
