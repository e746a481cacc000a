import { invalidRequest } from "#canonical/failure.ts";
import { isObject } from "#lib/json.ts";
import type { JsonObject } from "#lib/json.ts";

/**
 * A client's object and where it stands in the body: reads optional members, and names the full path
 * of one that has a wrong type. `null` counts as absent, as all official SDKs send it for that.
 */
export class FieldReader {
  readonly object: JsonObject;
  readonly path: string;

  constructor(object: JsonObject, path = "") {
    this.object = object;
    this.path = path;
  }

  field(key: string): string {
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  string(key: string): string | undefined {
    const value = this.object[key] ?? undefined;
    if (value === undefined || typeof value === "string") return value;
    throw this.#wrong(key, "a string");
  }

  requiredString(key: string): string {
    const value = this.string(key);
    if (value !== undefined) return value;
    throw invalidRequest(this.field(key), `${this.field(key)} is missing: it must be a string`);
  }

  number(key: string): number | undefined {
    const value = this.object[key] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.#wrong(key, "a number");
  }

  /** A whole number that JSON and a double both hold exactly; of either sign, unless bounded. */
  integer(key: string, atLeast = Number.MIN_SAFE_INTEGER): number | undefined {
    const value = this.object[key] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= atLeast) return value;
    throw this.#wrong(key, `a whole number from ${atLeast} to ${Number.MAX_SAFE_INTEGER}`);
  }

  /** A whole number, 0 or more: of tokens, of what is wanted. */
  count(key: string): number | undefined {
    return this.integer(key, 0);
  }

  /**
   * A whole number of 64 bits, of either sign: a seed. Beyond 2^53 it is read rounded; the client's own
   * digits go out where nothing is translated.
   */
  seed(key: string): number | undefined {
    const value = this.object[key] ?? undefined;
    if (value === undefined) return undefined;
    const isWhole = typeof value === "number" && Number.isInteger(value);
    // The greatest, 2^64 - 1, is read as 2^64.
    if (isWhole && value >= -(2 ** 63) && value <= 2 ** 64) return value;
    throw this.#wrong(key, "a whole number of at most 64 bits");
  }

  boolean(key: string): boolean | undefined {
    const value = this.object[key] ?? undefined;
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#wrong(key, "true or false");
  }

  objectAt(key: string): JsonObject | undefined {
    const value = this.object[key] ?? undefined;
    if (value === undefined || isObject(value)) return value;
    throw this.#wrong(key, "an object");
  }

  /** A reader of the nested object. */
  nested(key: string): FieldReader | undefined {
    const value = this.objectAt(key);
    return value === undefined ? undefined : new FieldReader(value, this.field(key));
  }

  array(key: string): readonly unknown[] | undefined {
    const value = this.object[key] ?? undefined;
    if (value === undefined) return undefined;
    if (Array.isArray(value)) return value as readonly unknown[];
    throw this.#wrong(key, "an array");
  }

  /** Readers of the array's members, which must all be objects. */
  objects(key: string): readonly FieldReader[] | undefined {
    return this.array(key)?.map((value, at) => {
      const path = `${this.field(key)}[${at}]`;
      if (isObject(value)) return new FieldReader(value, path);
      throw invalidRequest(path, `${path} must be an object`);
    });
  }

  strings(key: string): readonly string[] | undefined {
    return this.array(key)?.map((value, at) => {
      const path = `${this.field(key)}[${at}]`;
      if (typeof value === "string") return value;
      throw invalidRequest(path, `${path} must be a string`);
    });
  }

  #wrong(key: string, right: string): Error {
    return invalidRequest(this.field(key), `${this.field(key)} must be ${right}`);
  }
}
