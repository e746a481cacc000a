import { describe, expect, test } from "vitest";

import { PROVIDERS } from "../../gateway/src/providers/providers.ts";
import { renderProvidersPage } from "./providers-page.ts";

const page = renderProvidersPage(PROVIDERS);
const lines = page.split("\n");

describe("renderProvidersPage", () => {
  test.each(Object.keys(PROVIDERS))("has %s in the overview and among the base URLs", (id) => {
    expect(lines.filter((line) => line.startsWith(`| \`${id}\` |`)).length).toBeGreaterThan(1);
  });

  test("has tables whose rows are all of one width", () => {
    const tables = page.split("\n\n").filter((block) => block.startsWith("|"));
    expect(tables).toHaveLength(3);
    for (const table of tables) {
      const widths = table
        .trim()
        .split("\n")
        .map((line) => line.split(" | ").length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  test("says what is needed together and what is the default", () => {
    expect(page).toContain("`AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY`");
    expect(page).toContain("`DASHSCOPE_REGION` or `ALIBABA_REGION` (default `intl`)");
  });

  test("states retention with source and day", () => {
    expect(page).toContain(
      "| `xai` | 30 days | no | yes | [source](https://docs.x.ai/docs/faq/security) | 2026-11-21 |",
    );
  });

  test("tells a documented end of billing from an undocumented one", () => {
    const cancel = (id: string): string | undefined =>
      lines
        .find((line) => line.startsWith(`| \`${id}\` |`))
        ?.split(" | ")
        .at(-1);
    expect(cancel("openai")).toBe("stops billing |");
    expect(cancel("bedrock")).toBe("billed to the end |");
    expect(cancel("moonshot")).toBe("not documented |");
  });
});
