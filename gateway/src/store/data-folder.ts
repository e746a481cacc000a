import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";

/** What Turnpike itself keeps in its folder. */
const OWN_FILE =
  /^(?:(?:turnpike|records)\.db(?:-wal|-shm|\.v\d+|\.before-restore-[\dTZ-]+)?|turnpike\.yaml|master\.key|catalog\.json|connect)$/;

const READ_BY_OTHERS = 0o077;

/**
 * Sees to a data folder that only its owner can read. A folder that holds other things as well keeps
 * its mode: it may be somebody's home. Throws in words naming the folder and what to do.
 */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(folder);
    const { mode } = statSync(folder);
    const isOwn = (mode & READ_BY_OTHERS) === 0 || readdirSync(folder).every(isOwnFile);
    if (isOwn) attemptChmod(folder, 0o700);
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(folder, error);
  }
}

const isOwnFile = (name: string): boolean => OWN_FILE.test(name);

/**
 * Step by step: `mkdirSync` with `recursive` never returns where a file system refuses with ENOENT
 * although the parent is there. Seen with Node 26.10 on /proc.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) {
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
    return;
  }
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Two commands may start at once.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

/** Sees to a database file, and to those that SQLite puts beside it, that only the owner can read. */
export function prepareFile(path: string): void {
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch (error) {
    throw unusable(path, error);
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`]) attemptChmod(file, 0o600);
}

/** Mounted folders may have no modes, and files may be another user's: then they stay as they are. */
function attemptChmod(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch {
    // Whether it can be used is found out by using it.
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ENOTDIR: "there is a file where a folder is needed",
  EEXIST: "there is a file where a folder is needed",
  EISDIR: "there is a folder where a file is needed",
  ENOENT: "it cannot be made there",
};

const unusable = (path: string, error: unknown): Error =>
  new Error(
    `the data folder cannot be used: ${path}: ${REASONS[codeOf(error)] ?? codeOf(error)}. Mend that, or set TURNPIKE_HOME to another folder.`,
    { cause: error },
  );
