import type { FecConfig } from '../wire/filter-config.js';

/** A row or a column: every so manieth packet from a first one on. Packets are counted from the connection's first. */
export interface FecGroup {
  readonly first: number;
  readonly step: number;
  readonly size: number;
}

export const lastOf = ({ first, step, size }: FecGroup): number => first + step * (size - 1);

/** Which row and which column a packet belongs to. */
export class FecMatrix {
  readonly columns: number;
  readonly rows: number;
  readonly #columnStarts: readonly number[];

  constructor({ columns, rows, layout }: FecConfig) {
    this.columns = columns;
    this.rows = rows;
    this.#columnStarts = columnStarts(columns, rows, layout === 'staircase');
  }

  /** Packets from a column's first to the next column's in its place. */
  get span(): number {
    return this.columns * this.rows;
  }

  rowOf(packet: number): FecGroup {
    return { first: packet - (packet % this.columns), step: 1, size: this.columns };
  }

  columnIndexOf(packet: number): number {
    return packet % this.columns;
  }

  /** @returns undefined where columns aren't repaired, and for the first packets of a staircase, which are in none */
  columnOf(packet: number): FecGroup | undefined {
    const start = this.#columnStarts[packet % this.columns] ?? 0;
    if (this.rows < 2 || packet < start) return undefined;
    return { first: packet - ((packet - start) % this.span), step: this.columns, size: this.rows };
  }
}

/** Where each column begins. A staircase has as many steps as a column has rows, and then begins again at the top. */
function columnStarts(columns: number, rows: number, isStaircase: boolean): number[] {
  return Array.from({ length: columns }, (_, column) => column + (isStaircase ? (column % rows) * columns : 0));
}
