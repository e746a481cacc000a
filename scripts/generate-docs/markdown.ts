/** A Markdown table; pipes within cells are escaped. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return `${[header, header.map(() => "---"), ...rows].map(cells).join("\n")}\n`;
}

export const code = (text: string): string => `\`${text}\``;

/** The line under the title of every generated page. */
export const generatedFrom = (source: string): string =>
  `<!-- Generated from ${source} by \`npm run docs\`. Change that, not this page. -->\n`;
