import type { LossRange } from '../wire/nak.js';
import { type SequenceNumber, sequenceDistance } from '../wire/sequence.js';
import type { Micros } from '../wire/timestamp.js';

interface Gap {
  readonly range: LossRange;
  readonly seenAt: Micros;
  told: boolean;
}

/** A packet that comes this much later than the one behind it is as good as lost. */
const LONGEST_WAIT = 30_000;
/** A line that has brought a packet out of order brings the next one so, too; a little more time is given to it. */
const MARGIN = 1.25;
/** Each packet that was lost indeed says that waiting was in vain. */
const DECAY = 0.98;
const SHORTEST_WAIT = 500;
const FORGOTTEN_AFTER = 1_000_000;
const MOST_GAPS = 256;

/**
 * Tells gaps that will fill by themselves from packets that are lost: on a line that reorders, a gap is reported only
 * when the packets in it are later than late ones have been. On a line that doesn't, it is reported at once.
 */
export class ReorderWatch {
  #gaps: Gap[] = [];
  #wait = 0;

  /** @returns whether it is to be reported now */
  gap(range: LossRange, now: Micros): boolean {
    const told = this.#wait === 0;
    this.#gaps.push({ range, seenAt: now, told });
    if (this.#gaps.length > MOST_GAPS) this.#gaps.shift();
    return told;
  }

  /** A packet came that was missing. @param retransmitted whether it was asked for */
  filled(number: SequenceNumber, retransmitted: boolean, now: Micros): void {
    if (retransmitted) {
      this.#wait = this.#wait * DECAY < SHORTEST_WAIT ? 0 : this.#wait * DECAY;
      return;
    }
    const gap = this.#gapOf(number);
    if (gap !== undefined) this.#wait = Math.min(LONGEST_WAIT, Math.max(this.#wait, (now - gap.seenAt) * MARGIN));
  }

  /** Whether a packet that is missing has some time left to come by itself. */
  isWaitingFor(number: SequenceNumber): boolean {
    const gap = this.#gapOf(number);
    return gap !== undefined && !gap.told;
  }

  /** The gaps that have been waited for long enough; what of them is still missing is to be reported. */
  due(now: Micros): LossRange[] {
    const due: LossRange[] = [];
    for (const gap of this.#gaps) {
      if (gap.told || now - gap.seenAt < this.#wait) continue;
      gap.told = true;
      due.push(gap.range);
    }
    const [oldest] = this.#gaps;
    if (oldest !== undefined && now - oldest.seenAt > FORGOTTEN_AFTER) {
      this.#gaps = this.#gaps.filter(({ seenAt }) => now - seenAt <= FORGOTTEN_AFTER);
    }
    return due;
  }

  #gapOf(number: SequenceNumber): Gap | undefined {
    return this.#gaps.find(({ range: { first, last } }) => {
      return sequenceDistance(first, number) >= 0 && sequenceDistance(number, last) >= 0;
    });
  }
}
