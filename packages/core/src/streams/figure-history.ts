import type { Millis } from '@sluice/media';

/** Of one second. */
interface Slot {
  readonly wall: Millis;
  readonly seconds: number;
  readonly bytes: number;
  readonly pictures: number;
  readonly viewers: number;
  readonly keyframeInterval: number | undefined;
  readonly avDrift: number | undefined;
}

/** The same seconds of each figure, oldest first; null where there was nothing to tell. */
export interface FigureSeries {
  /** Wall time, ms. */
  readonly at: readonly number[];
  /** Bit/s. */
  readonly bitrate: readonly number[];
  readonly fps: readonly number[];
  readonly viewers: readonly number[];
  /** Seconds. */
  readonly keyframeInterval: readonly (number | null)[];
  /** Milliseconds. */
  readonly avDrift: readonly (number | null)[];
}

/** Ten minutes. */
const SLOTS = 600;
/** How many of the newest don't count for what is usual: a drop is to be seen against what was before. */
const NEWEST = 5;

/** Remembers a stream's figures of the last ten minutes, in a ring of plain numbers: 30 kB when it is full. */
export class FigureHistory {
  readonly #wall: number[] = [];
  readonly #seconds: number[] = [];
  readonly #bytes: number[] = [];
  readonly #pictures: number[] = [];
  readonly #viewers: number[] = [];
  readonly #keyframeInterval: number[] = [];
  readonly #avDrift: number[] = [];
  #next = 0;

  get size(): number {
    return this.#wall.length;
  }

  push({ wall, seconds, bytes, pictures, viewers, keyframeInterval, avDrift }: Slot): void {
    const at = this.#next;
    this.#wall[at] = wall;
    this.#seconds[at] = seconds;
    this.#bytes[at] = bytes;
    this.#pictures[at] = pictures;
    this.#viewers[at] = viewers;
    this.#keyframeInterval[at] = keyframeInterval ?? Number.NaN;
    this.#avDrift[at] = avDrift ?? Number.NaN;
    this.#next = (at + 1) % SLOTS;
  }

  /** Bit/s of each of the newest slots, oldest first. */
  bitrates(slots: number): number[] {
    return Array.from({ length: Math.min(slots, this.size) }, (_, age) => this.#slot(age))
      .reverse()
      .map((slot) => Math.round(((this.#bytes[slot] ?? 0) * 8) / (this.#seconds[slot] ?? 1)));
  }

  /** Bytes and pictures a second, over the newest slots. */
  rates(slots: number): { readonly bytes: number; readonly pictures: number } {
    return this.#mean(0, slots);
  }

  /** Pictures a second before the newest slots, in seconds that had any. */
  usualPictures(): number {
    return this.#mean(NEWEST, this.size, true).pictures;
  }

  series(): FigureSeries {
    const order = Array.from({ length: this.size }, (_, index) => this.#slot(this.size - 1 - index));
    const told = (values: readonly number[]) =>
      order.map((slot) => {
        const value = values[slot] ?? Number.NaN;
        return Number.isNaN(value) ? null : value;
      });
    const rate = (values: readonly number[], times: number) =>
      order.map((slot) => Math.round(((values[slot] ?? 0) * times) / (this.#seconds[slot] ?? 1)));
    return {
      at: order.map((slot) => this.#wall[slot] ?? 0),
      bitrate: rate(this.#bytes, 8),
      fps: rate(this.#pictures, 1),
      viewers: order.map((slot) => this.#viewers[slot] ?? 0),
      keyframeInterval: told(this.#keyframeInterval),
      avDrift: told(this.#avDrift),
    };
  }

  /** The place of the slot that is so many before the newest. */
  #slot(age: number): number {
    return (this.#next - 1 - age + SLOTS * 2) % SLOTS;
  }

  #mean(from: number, to: number, withPictures = false): { readonly bytes: number; readonly pictures: number } {
    let [seconds, bytes, pictures] = [0, 0, 0];
    for (let age = from; age < Math.min(to, this.size); age++) {
      const slot = this.#slot(age);
      if (withPictures && this.#pictures[slot] === 0) continue;
      seconds += this.#seconds[slot] ?? 0;
      bytes += this.#bytes[slot] ?? 0;
      pictures += this.#pictures[slot] ?? 0;
    }
    return seconds === 0 ? { bytes: 0, pictures: 0 } : { bytes: bytes / seconds, pictures: pictures / seconds };
  }
}
