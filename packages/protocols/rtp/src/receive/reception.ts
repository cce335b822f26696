import type { ReceptionReport } from '../wire/rtcp.js';
import { type RtpPacket, type Ssrc, Unwrapper } from '../wire/rtp.js';

/** Counts what comes from a source, for receiver reports: RFC 3550 §6.4.1 and appendix A.8. */
export class Reception {
  readonly #clockRate: number;
  readonly #sequences = new Unwrapper(16);
  #ssrc: Ssrc | undefined;
  #first = 0;
  #highest = 0;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #transit: number | undefined;
  #jitter = 0;
  #lastReport = { middle: 0, at: 0 };

  /** @param clockRate of the payload, Hz */
  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** @param now ms */
  packet({ ssrc, sequence, timestamp }: RtpPacket, now: number): void {
    const number = this.#sequences.unwrap(sequence);
    if (this.#ssrc === undefined) this.#first = number;
    this.#ssrc = ssrc;
    this.#highest = Math.max(this.#highest, number);
    this.#received += 1;
    const transit = (now * this.#clockRate) / 1000 - timestamp;
    const difference = Math.abs(transit - (this.#transit ?? transit));
    // A wrap of the timestamp is no jitter.
    if (difference < this.#clockRate * 10) this.#jitter += (difference - this.#jitter) / 16;
    this.#transit = transit;
  }

  /** A sender report has come: the next of ours says when. */
  senderReport({ ntpSeconds, ntpFraction }: { ntpSeconds: number; ntpFraction: number }, now: number): void {
    const middle = (((ntpSeconds & 0xffff) << 16) | (ntpFraction >>> 16)) >>> 0;
    this.#lastReport = { middle, at: now };
  }

  /** @returns undefined before the first packet */
  report(now: number): ReceptionReport | undefined {
    if (this.#ssrc === undefined) return undefined;
    const expected = this.#highest - this.#first + 1;
    const [expectedLately, receivedLately] = [expected - this.#expectedBefore, this.#received - this.#receivedBefore];
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    const lostLately = Math.max(0, expectedLately - receivedLately);
    const { middle, at } = this.#lastReport;
    return {
      ssrc: this.#ssrc,
      fractionLost: expectedLately <= 0 ? 0 : Math.min(255, Math.floor((lostLately * 256) / expectedLately)),
      lost: expected - this.#received,
      highestSequence: this.#highest >>> 0,
      jitter: Math.round(this.#jitter),
      lastSenderReport: middle,
      delay: middle === 0 ? 0 : Math.round(((now - at) * 65_536) / 1000),
    };
  }
}
