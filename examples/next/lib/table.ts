// What stands in for the database of the shop: rows by their ids, in a file that gets a line for each change.

import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { setting } from "./settings";

/** Next may load this file several times in one process, so nothing is kept in memory. */
export class Table<Row extends { id: string }> {
  constructor(private readonly name: string) {}

  rows(): Row[] {
    return this.#open((file) => [...read(file).rows.values()] as Row[]);
  }

  get(id: string): Row | undefined {
    return this.rows().find((row) => row.id === id);
  }

  /** Sets members of a row, and makes it if there is none. It is on disk afterwards. */
  put(id: string, members: Partial<Row>): Row {
    return this.#open((file) => {
      const { rows, length } = read(file);
      const row = { ...rows.get(id), ...members, id } as Row;
      // Behind the last end of a line is what a crash has left of one.
      ftruncateSync(file, length);
      writeSync(file, `${JSON.stringify(row)}\n`);
      fsyncSync(file);
      return row;
    });
  }

  #open<T>(use: (file: number) => T): T {
    const path = `${setting("SHOP_DATABASE", "shop")}.${this.name}`;
    const file = openSync(/* turbopackIgnore: true */ path, "a+", 0o600);
    try {
      return use(file);
    } finally {
      closeSync(file);
    }
  }
}

function read(file: number) {
  const bytes = readFileSync(file);
  const whole = bytes.subarray(0, bytes.lastIndexOf("\n") + 1);
  const rows = new Map<string, { id: string }>();
  for (const line of whole.toString().split("\n").filter(Boolean)) {
    const row = JSON.parse(line);
    rows.set(row.id, row);
  }
  return { rows, length: whole.length };
}
