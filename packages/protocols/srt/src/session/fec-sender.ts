import type { FecConfig } from '../wire/filter-config.js';
import { ROW_INDEX, writeRepairPayload } from '../wire/repair-packet.js';
import { type SequenceNumber, sequenceDistance } from '../wire/sequence.js';
import { type ClippedPacket, FecClip } from './fec-clip.js';
import { type FecGroup, FecMatrix } from './fec-matrix.js';

interface OpenGroup {
  readonly clip: FecClip;
  first: number;
  count: number;
}

/** A repair packet to be sent behind the packet that made its group whole. */
export interface Repair {
  readonly timestamp: number;
  readonly content: Buffer;
}

/** Makes the repair packets of what is sent. */
export class FecSender {
  readonly #matrix: FecMatrix;
  readonly #rowRepair: boolean;
  readonly #row: OpenGroup = { clip: new FecClip(), first: -1, count: 0 };
  readonly #columns: readonly OpenGroup[];
  #last: SequenceNumber;
  #lastPacket = 0;

  constructor(config: FecConfig, first: SequenceNumber) {
    this.#matrix = new FecMatrix(config);
    this.#rowRepair = config.rowRepair;
    const columns = config.rows > 1 ? config.columns : 0;
    this.#columns = Array.from({ length: columns }, () => ({ clip: new FecClip(), first: -1, count: 0 }));
    this.#last = first;
  }

  /** Takes a packet that is sent for the first time. Numbers ascend; some may be left out. */
  sent(number: SequenceNumber, packet: ClippedPacket): Repair[] {
    this.#lastPacket += sequenceDistance(this.#last, number);
    this.#last = number;
    const repairs: Repair[] = [];
    if (this.#rowRepair) this.#add(this.#row, this.#matrix.rowOf(this.#lastPacket), ROW_INDEX, packet, repairs);
    const column = this.#matrix.columnOf(this.#lastPacket);
    if (column !== undefined) {
      const index = this.#matrix.columnIndexOf(this.#lastPacket);
      const open = this.#columns[index];
      if (open !== undefined) this.#add(open, column, index, packet, repairs);
    }
    return repairs;
  }

  #add(open: OpenGroup, { first, size }: FecGroup, index: number, packet: ClippedPacket, repairs: Repair[]): void {
    const { clip } = open;
    if (open.first !== first) {
      clip.clear();
      open.first = first;
      open.count = 0;
    }
    clip.add(packet);
    open.count += 1;
    if (open.count < size) return;
    const { flags, length, payload, timestamp } = clip;
    repairs.push({ timestamp, content: writeRepairPayload({ index, flags, length, payload }) });
  }
}
