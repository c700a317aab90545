// What stands in for the database of the shop: rows by their ids, in a file that gets a line for each change.

import { fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

export class Table {
  #rows = new Map();
  #file;

  constructor(path) {
    this.#file = openSync(path, "a+", 0o600);
    const bytes = readFileSync(path);
    // Behind the last end of a line is what a crash has left of one.
    const whole = bytes.subarray(0, bytes.lastIndexOf("\n") + 1);
    ftruncateSync(this.#file, whole.length);
    for (const line of whole.toString().split("\n").filter(Boolean)) {
      const row = JSON.parse(line);
      this.#rows.set(row.id, row);
    }
  }

  get(id) {
    return this.#rows.get(id);
  }

  find(is) {
    return this.rows().find(is);
  }

  rows() {
    return [...this.#rows.values()];
  }

  /** Sets members of a row, and makes it if there is none. It is on disk afterwards. */
  put(id, members) {
    const row = { ...this.#rows.get(id), ...members, id };
    writeSync(this.#file, `${JSON.stringify(row)}\n`);
    fsyncSync(this.#file);
    this.#rows.set(id, row);
    return row;
  }
}
