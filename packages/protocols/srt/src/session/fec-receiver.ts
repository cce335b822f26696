import type { FecConfig } from '../wire/filter-config.js';
import { ROW_INDEX, readRepairPayload } from '../wire/repair-packet.js';
import { type SequenceNumber, sequenceAdd, sequenceDistance } from '../wire/sequence.js';
import { type ClippedPacket, FecClip } from './fec-clip.js';
import { type FecGroup, FecMatrix, lastOf } from './fec-matrix.js';
import { WINDOW } from './receive-buffer.js';

/** A packet that was lost, made anew. */
export interface RepairedPacket extends ClippedPacket {
  readonly number: SequenceNumber;
}

interface GroupState {
  readonly group: FecGroup;
  readonly clip: FecClip;
  /** Of the packets that are there, the sum of their places in the group: what it lacks of the whole is the last one's. */
  places: number;
  count: number;
  hasRepair: boolean;
}

/** Makes lost packets anew from those around them and the repair packets. */
export class FecReceiver {
  readonly #matrix: FecMatrix;
  readonly #rowRepair: boolean;
  readonly #rows = new Map<number, GroupState>();
  readonly #columns = new Map<number, GroupState>();
  #newest: SequenceNumber;
  #newestPacket = 0;

  constructor(config: FecConfig, first: SequenceNumber) {
    this.#matrix = new FecMatrix(config);
    this.#rowRepair = config.rowRepair;
    this.#newest = first;
  }

  /**
   * Takes a packet that has come, or has been repaired, and wasn't there before.
   *
   * @returns what could be made anew: to be taken in the same way
   */
  received(number: SequenceNumber, packet: ClippedPacket): RepairedPacket[] {
    const place = this.#place(number);
    if (place === undefined) return [];
    const repaired: RepairedPacket[] = [];
    if (this.#rowRepair) this.#add(this.#stateOf(this.#rows, this.#matrix.rowOf(place)), place, packet, repaired);
    const column = this.#matrix.columnOf(place);
    if (column !== undefined) this.#add(this.#stateOf(this.#columns, column), place, packet, repaired);
    return repaired;
  }

  /**
   * Takes a repair packet.
   *
   * @throws {SrtError} `malformed`
   */
  repair(number: SequenceNumber, timestamp: number, content: Buffer): RepairedPacket[] {
    const { index, flags, length, payload } = readRepairPayload(content);
    const place = this.#place(number);
    if (place === undefined) return [];
    const isRow = index === ROW_INDEX;
    const group = isRow ? this.#matrix.rowOf(place) : this.#matrix.columnOf(place);
    if (group === undefined || (isRow && !this.#rowRepair)) return [];
    const state = this.#stateOf(isRow ? this.#rows : this.#columns, group);
    if (state.hasRepair) return [];
    state.hasRepair = true;
    state.clip.add({ flags, timestamp, payload }, length);
    const repaired: RepairedPacket[] = [];
    this.#repairLast(state, repaired);
    return repaired;
  }

  /** Whether a packet that is missing can still be made anew. */
  mayRepair(number: SequenceNumber): boolean {
    const place = this.#newestPacket + sequenceDistance(this.#newest, number);
    if (place < 0) return false;
    const column = this.#matrix.columnOf(place);
    return (
      (this.#rowRepair && this.#isOpen(this.#matrix.rowOf(place))) || (column !== undefined && this.#isOpen(column))
    );
  }

  /** A little longer than to its end: the line may bring packets out of order. */
  #isOpen(group: FecGroup): boolean {
    return this.#newestPacket <= lastOf(group) + this.#matrix.columns;
  }

  /** Counted from the first; undefined where it can't be of this connection's present. */
  #place(number: SequenceNumber): number | undefined {
    const ahead = sequenceDistance(this.#newest, number);
    const place = this.#newestPacket + ahead;
    if (Math.abs(ahead) >= WINDOW || place < 0) return undefined;
    if (ahead > 0) {
      this.#newest = number;
      this.#newestPacket = place;
    }
    return place;
  }

  #stateOf(groups: Map<number, GroupState>, group: FecGroup): GroupState {
    const known = groups.get(group.first);
    if (known !== undefined) return known;
    for (const [first, old] of groups) {
      if (lastOf(old.group) + this.#matrix.span >= this.#newestPacket) break;
      groups.delete(first);
    }
    const state = { group, clip: new FecClip(), places: 0, count: 0, hasRepair: false };
    groups.set(group.first, state);
    return state;
  }

  #add(state: GroupState, place: number, packet: ClippedPacket, repaired: RepairedPacket[]): void {
    const { first, step, size } = state.group;
    if (state.count >= size) return;
    state.clip.add(packet);
    state.places += (place - first) / step;
    state.count += 1;
    this.#repairLast(state, repaired);
  }

  #repairLast({ group, clip, places, count, hasRepair }: GroupState, repaired: RepairedPacket[]): void {
    const { first, step, size } = group;
    if (!hasRepair || count !== size - 1) return;
    // What is left of all others is the one.
    const { flags, length, timestamp, payload } = clip;
    if (length > payload.length) return;
    const missing = first + step * ((size * (size - 1)) / 2 - places);
    const number = sequenceAdd(this.#newest, missing - this.#newestPacket);
    repaired.push({ number, flags: flags & 3, timestamp, payload: Buffer.from(payload.subarray(0, length)) });
  }
}
