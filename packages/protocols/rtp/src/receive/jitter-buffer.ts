import { type RtpPacket, sequenceDistance16 } from '../wire/rtp.js';

/** What comes out, in order. */
export type JitterOutput =
  | { readonly kind: 'packet'; readonly packet: RtpPacket }
  /** So many packets did not come in time. */
  | { readonly kind: 'lost'; readonly count: number };

interface Missing {
  readonly since: number;
  askedAt: number | undefined;
  asked: number;
}

/** Packets that may wait behind a gap. */
const MOST_PACKETS = 1024;
/** A leap this far is a new beginning, RFC 3550 appendix A.1. */
const LONGEST_GAP = 512;
/** A packet that is a little late is not lost. */
const FIRST_ASK_MS = 10;
const ASK_AGAIN_MS = 50;
const MOST_ASKS = 10;

/** Puts the packets of one source in order, asks for those that are missing, and gives them up when it is too late. */
export class JitterBuffer {
  readonly #holdMs: number;
  readonly #waiting = new Map<number, RtpPacket>();
  readonly #missing = new Map<number, Missing>();
  #next: number | undefined;
  #newest = 0;

  /** @param holdMs how long a missing packet is waited for */
  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** @returns false for one that is too late, or was there before */
  push(packet: RtpPacket, now: number): boolean {
    const { sequence } = packet;
    if (this.#next === undefined) {
      this.#next = sequence;
      this.#newest = (sequence - 1) & 0xffff;
    }
    const ahead = sequenceDistance16(this.#next, sequence);
    if (ahead > LONGEST_GAP || ahead < -LONGEST_GAP || this.#waiting.size >= MOST_PACKETS) this.#restart(sequence);
    else if (ahead < 0 || this.#waiting.has(sequence)) return false;
    const distance = sequenceDistance16(this.#newest, sequence);
    for (let gap = 1; gap < distance; gap++) {
      this.#missing.set((this.#newest + gap) & 0xffff, { since: now, askedAt: undefined, asked: 0 });
    }
    if (distance > 0) this.#newest = sequence;
    this.#missing.delete(sequence);
    this.#waiting.set(sequence, packet);
    return true;
  }

  /** What can go on, in order. */
  take(now: number): JitterOutput | undefined {
    const next = this.#next;
    if (next === undefined) return undefined;
    const packet = this.#waiting.get(next);
    if (packet !== undefined) {
      this.#waiting.delete(next);
      this.#next = (next + 1) & 0xffff;
      return { kind: 'packet', packet };
    }
    const gap = this.#missing.get(next);
    if (gap === undefined || now - gap.since < this.#holdMs) return undefined;
    let count = 0;
    for (let at = next; this.#missing.delete(at); at = (at + 1) & 0xffff) count += 1;
    this.#next = (next + count) & 0xffff;
    return { kind: 'lost', count };
  }

  /** The numbers that are to be asked for now, in their order. */
  toAskFor(now: number): number[] {
    const numbers: number[] = [];
    for (const [number, missing] of this.#missing) {
      const { since, askedAt, asked } = missing;
      const isDue = askedAt === undefined ? now - since >= FIRST_ASK_MS : now - askedAt >= ASK_AGAIN_MS;
      if (!isDue || asked >= MOST_ASKS) continue;
      missing.askedAt = now;
      missing.asked += 1;
      numbers.push(number);
    }
    return numbers;
  }

  #restart(sequence: number): void {
    this.#waiting.clear();
    this.#missing.clear();
    this.#next = sequence;
    this.#newest = (sequence - 1) & 0xffff;
  }
}
