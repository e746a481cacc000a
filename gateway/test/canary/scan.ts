import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** A secret that was put somewhere, by the name of the place. */
export type Canaries = Readonly<Record<string, string>>;

/** Where one was found. */
export interface Finding {
  readonly canary: string;
  readonly place: string;
  readonly form: string;
}

/** Each way in which a text may lie on a disk without being encrypted. */
function formsOf(text: string): readonly (readonly [string, Buffer])[] {
  const plain = Buffer.from(text);
  const wide = Buffer.from(text, "utf16le");
  // In base64 a text looks like one of three, by what stands before it; its ends depend on neighbours.
  const encoded = [0, 1, 2].map((shift) => {
    const all = Buffer.concat([Buffer.alloc(shift), plain]).toString("base64");
    return all.slice(shift === 0 ? 0 : 4, -4);
  });
  return [
    ["plain", plain],
    ["utf-16", wide],
    ["hex", Buffer.from(plain.toString("hex"))],
    ["reversed", Buffer.from([...plain].toReversed())],
    ...encoded.map((form) => ["base64", Buffer.from(form)] as const),
  ];
}

/** All places of some bytes where a canary stands. */
export function scanBytes(place: string, bytes: Buffer, canaries: Canaries): readonly Finding[] {
  return Object.entries(canaries).flatMap(([canary, text]) =>
    formsOf(text).flatMap(([form, needle]) =>
      bytes.includes(needle) ? [{ canary, place, form }] : [],
    ),
  );
}

/** The same of every file of a folder, whatever it is. */
export function scanFolder(folder: string, canaries: Canaries): readonly Finding[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const path = join(folder, name);
    try {
      return statSync(path).isFile() ? scanBytes(name, readFileSync(path), canaries) : [];
    } catch (error) {
      // A server's own files come and go.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  });
}
