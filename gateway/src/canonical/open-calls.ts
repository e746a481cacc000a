/** Tool calls of a conversation that have no result yet. A hundred thousand of them cost no more each than ten. */
export class OpenCalls {
  readonly #ids = new Set<string>();
  readonly #order: string[] = [];
  #first = 0;

  add(id: string): void {
    this.#ids.add(id);
    this.#order.push(id);
  }

  /** A set is not asked for its first member: it passes all that were taken from it, each time. */
  oldest(): string | undefined {
    while (this.#first < this.#order.length && !this.#ids.has(this.#order[this.#first] ?? "")) {
      this.#first++;
    }
    return this.#order[this.#first];
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }
}
