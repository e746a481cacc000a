import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createTestCli, type TestCli } from "#test/cli.ts";

let cli: TestCli;
beforeEach(() => {
  cli = createTestCli();
});
afterEach(() => cli.remove());

describe("runCli", () => {
  test("--help names every command", async () => {
    const text = await cli.run("--help");
    for (const name of ["serve", "init", "keys", "models", "usage", "connect", "env", "doctor"]) {
      expect(text).toContain(name);
    }
  });

  test("version and help are commands, too", async () => {
    expect(await cli.run("version")).toBe(await cli.run("--version"));
    expect(await cli.run("help")).toContain("doctor");
    expect(await cli.run("help", "keys", "create")).toContain("--name");
  });

  test("--help behind a command is that command's", async () => {
    expect(await cli.run("keys", "create", "--help")).toContain("--name");
  });

  test.each([
    ["a wrong command", ["keyz"], /no command "keyz"\. Did you mean keys\?/],
    ["a wrong option", ["keys", "create", "--nmae", "x"], /"--nmae"\. Did you mean --name\?/],
    ["a wrong option of the implied command", ["--prot", "1"], /"--prot"\. Did you mean --port\?/],
    ["a name too many", ["keys", "revoke", "x", "y"], /"y" is one too many/],
    ["a missing name", ["keys", "revoke"], /say which key: its id or its name/],
    ["a missing tool", ["connect"], /say which tool: aider, claude-code, cline/],
    ["a missing tool of env", ["env", "--json"], /say which tool: aider, claude-code/],
    ["a missing value", ["keys", "create", "--name"], /--name needs a value/],
    ["a command that is half said", ["keys"], /create, list, revoke/],
    ["a port that is none", ["--port", "99999"], /"99999" is not a port/],
    [
      "a settings file that is not there",
      ["serve", "--config", "no.yaml"],
      /there is no file .*no\.yaml/,
    ],
  ])("%s is one line on stderr", async (_name, args, expected) => {
    const text = await cli.fails(...args);
    expect(text).toMatch(expected);
    expect(text.split("\n")).toHaveLength(1);
    expect(cli.out).toEqual([]);
  });

  test("a settings file with a mistake stops the start, with line and path", async () => {
    await cli.run("init");
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${cli.folder}/turnpike.yaml`, "server:\n  prot: 1\n");
    expect(await cli.fails("serve")).toMatch(/turnpike\.yaml:2: server\.prot: .*Did you mean port/);
  });
});
