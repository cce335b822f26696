import type { Database } from 'better-sqlite3';

/** How a field is kept: as it is, as JSON text, or as 0 and 1. */
type Kept = 'plain' | 'json' | 'boolean';

/** The columns of a record, with those that aren't kept as they are. */
export type Columns<T> = Readonly<Record<keyof T & string, Kept>>;

type Row = Record<string, unknown>;

/** Records by id, in a table whose columns are their fields. */
export class RecordTable<T extends { readonly id: string }> {
  readonly #columns: readonly [string, Kept][];
  readonly #all: () => unknown[];
  readonly #put: (row: Row) => void;
  readonly #delete: (id: string) => void;

  /** @param name and column names come from this package, never from outside */
  constructor(database: Database, name: string, columns: Columns<T>) {
    this.#columns = Object.entries<Kept>(columns);
    const names = this.#columns.map(([column]) => column);
    const all = database.prepare(`SELECT ${names.join(', ')} FROM ${name} ORDER BY rowid`);
    const values = names.map((column) => `@${column}`).join(', ');
    const changes = names.filter((column) => column !== 'id').map((column) => `${column} = excluded.${column}`);
    const put = database.prepare(
      `INSERT INTO ${name} (${names.join(', ')}) VALUES (${values}) ON CONFLICT (id) DO UPDATE SET ${changes.join(', ')}`,
    );
    const remove = database.prepare(`DELETE FROM ${name} WHERE id = ?`);
    this.#all = () => all.all();
    this.#put = (row) => void put.run(row);
    this.#delete = (id) => void remove.run(id);
  }

  load(): T[] {
    return this.#all().map((row) => this.#fromRow(row as Row));
  }

  put(record: T): void {
    this.#put(this.#toRow(record));
  }

  delete(id: string): void {
    this.#delete(id);
  }

  #toRow(record: T): Row {
    const fields = record as unknown as Row;
    return Object.fromEntries(this.#columns.map(([name, kept]) => [name, toColumn(fields[name], kept)]));
  }

  #fromRow(row: Row): T {
    const fields = this.#columns.flatMap(([name, kept]) =>
      row[name] === null ? [] : [[name, fromColumn(row[name], kept)]],
    );
    return Object.fromEntries(fields) as T;
  }
}

function toColumn(value: unknown, kept: Kept): unknown {
  if (value === undefined) return null;
  if (kept === 'json') return JSON.stringify(value);
  return kept === 'boolean' ? Number(value) : value;
}

function fromColumn(value: unknown, kept: Kept): unknown {
  if (kept === 'json') return JSON.parse(String(value));
  return kept === 'boolean' ? value === 1 : value;
}
