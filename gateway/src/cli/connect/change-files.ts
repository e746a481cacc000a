import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { CliError } from "#cli/cli-io.ts";
import { asObjects, asString, parseObject } from "#lib/json.ts";

import type { ToolFile } from "./tools.ts";

/** A file before and after. `before` is absent when there was none. */
export interface FileChange {
  readonly path: string;
  readonly before?: Buffer;
  readonly after: Buffer;
}

/** What a tool's files were like before they were first changed. */
interface Backup {
  readonly files: readonly SavedFile[];
  /** The key that was made for the tool. */
  readonly keyId?: string;
}

interface SavedFile {
  readonly path: string;
  /** Base64; absent: there was no file. */
  readonly before?: string;
  readonly afterDigest: string;
  /** Folders that were made for it, the innermost first. */
  readonly madeFolders: readonly string[];
}

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** What the edits would do; nothing is written. Links are followed to the file behind them. */
export function planChanges(files: readonly ToolFile[]): readonly FileChange[] {
  return files.map(({ path: named, edit }) => {
    if (!existsSync(named)) return { path: named, after: Buffer.from(edit("")) };
    const path = realpathSync(named);
    const before = readFileSync(path);
    try {
      return { path, before, after: Buffer.from(edit(before.toString("utf8"))) };
    } catch (error) {
      throw error instanceof CliError ? new CliError(`${path}: ${error.message}`) : error;
    }
  });
}

const backupFile = (home: string, tool: string): string => join(home, "connect", `${tool}.json`);

export function readBackup(home: string, tool: string): Backup | undefined {
  const file = backupFile(home, tool);
  if (!existsSync(file)) return undefined;
  const saved = parseObject(readFileSync(file, "utf8"));
  if (saved === undefined) throw new CliError(`the backup ${file} is damaged.`);
  const keyId = asString(saved["keyId"]);
  const files = asObjects(saved["files"]) as unknown as readonly SavedFile[];
  return keyId === undefined ? { files } : { files, keyId };
}

/** The files that are no longer as they were left: by the person, or by the tool itself. */
export const changedSince = ({ files }: Backup): readonly string[] =>
  files
    .filter(({ path, afterDigest }) => {
      return !existsSync(path) || digestOf(readFileSync(path)) !== afterDigest;
    })
    .map(({ path }) => path);

interface WriteOptions {
  readonly home: string;
  readonly tool: string;
  readonly keyId?: string;
}

/**
 * Writes the changes. The backup is written first, so that a crash between the two loses nothing;
 * a second connection keeps what the first one found.
 */
export function writeChanges(changes: readonly FileChange[], options: WriteOptions): void {
  const { home, tool, keyId } = options;
  const earlier = readBackup(home, tool);
  const others = (earlier?.files ?? []).filter(
    ({ path }) => !changes.some((change) => change.path === path),
  );
  const own = changes.map((change): SavedFile => {
    const known = earlier?.files.find(({ path }) => path === change.path);
    const afterDigest = digestOf(change.after);
    if (known !== undefined) return { ...known, afterDigest };
    const before = change.before?.toString("base64");
    const madeFolders = missingFolders(dirname(change.path));
    const saved = { path: change.path, afterDigest, madeFolders };
    return before === undefined ? saved : { ...saved, before };
  });
  const files = [...others, ...own];
  const backup: Backup = keyId === undefined ? { files } : { files, keyId };
  // Settings hold other secrets of the person: the backup is for nobody else's eyes.
  writeFile(backupFile(home, tool), Buffer.from(JSON.stringify(backup)), 0o600);
  for (const { path, after } of changes) writeFile(path, after, 0o600);
}

/** Puts every file back as it was, to the byte, and forgets the backup. */
export function restore(home: string, tool: string, backup: Backup): void {
  for (const { path, before, madeFolders } of backup.files) {
    if (before !== undefined) writeFile(path, Buffer.from(before, "base64"), 0o600);
    else {
      rmSync(path, { force: true });
      madeFolders.forEach(removeEmpty);
    }
  }
  rmSync(backupFile(home, tool));
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // The tool has put something into it meanwhile.
  }
}

function missingFolders(folder: string): readonly string[] {
  return existsSync(folder) ? [] : [folder, ...missingFolders(dirname(folder))];
}

/** By a second file and a rename, so that nobody reads half a file. An existing file keeps its mode. */
function writeFile(path: string, bytes: Buffer, modeOfNew: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const mode = existsSync(path) ? statSync(path).mode & 0o777 : modeOfNew;
  const temporary = `${path}.turnpike-tmp`;
  writeFileSync(temporary, bytes, { mode });
  renameSync(temporary, path);
}
