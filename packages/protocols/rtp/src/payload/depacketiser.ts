import { malformed } from '../errors.js';
import type { Depacketised } from './payload.js';

/** No encoder makes a larger picture; a peer may make us keep no more. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Each one costs an object, however short it is. */
const MOST_PAYLOADS = 32_768;
/** Units of an access unit, as everywhere in the media package. */
const MOST_UNITS = 4096;

/** @throws {RtpError} `malformed` where one unit more would be one too many */
export function checkUnits(count: number): void {
  if (count >= MOST_UNITS) throw malformed(`an access unit of more than ${MOST_UNITS} units`);
}

/** What all formats have in common: where an access unit ends, what a gap costs, and how much is kept. */
export abstract class Depacketiser {
  /** Of the access unit under way. */
  #timestamp: number | undefined;
  #bytes = 0;
  #payloads = 0;
  #isBroken = false;
  #mayMissStart = false;
  /** Something is missing since the last marker, or since the access unit under way began. */
  #hasGap = false;
  /** Complete, but not given out since the payload behind it was malformed. */
  #ready: Depacketised[] = [];

  /**
   * Takes a payload; they come in order.
   *
   * @returns the access units that it completes: its own, and before it one that had no marker
   * @throws {RtpError} `malformed` or `unsupported`; the access unit is given up
   */
  push(payload: Buffer, marker: boolean, timestamp: number): Depacketised[] {
    // Padding that senders fill the line with; it has the timestamp of what went before it.
    if (payload.length === 0) return [];
    if (this.#timestamp !== undefined && this.#timestamp !== timestamp) this.#end();
    if (this.#timestamp === undefined) this.#begin(timestamp);
    try {
      if (!this.#isBroken) this.#take(payload);
    } finally {
      if (marker) {
        // What is missing was in front of the marker: the next access unit begins with the next payload.
        this.#hasGap = false;
        this.#end();
      }
    }
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }

  /** A packet is missing: what is under way is thrown away. */
  lost(): void {
    this.#hasGap = true;
    if (this.#timestamp !== undefined) this.#break();
  }

  /**
   * Takes what a payload holds.
   *
   * @returns whether it fits to the payload before it
   */
  protected abstract add(payload: Buffer): boolean;

  /**
   * What was added makes this.
   *
   * @param mayMissStart whether packets are missing that may have been its first ones
   * @returns undefined where it isn't whole, or no picture
   */
  protected abstract complete(mayMissStart: boolean): Omit<Depacketised, 'timestamp'> | undefined;

  /** Forgets what was added. */
  protected abstract reset(): void;

  #begin(timestamp: number): void {
    this.#timestamp = timestamp;
    this.#mayMissStart = this.#hasGap;
    this.#hasGap = false;
    this.#isBroken = false;
    this.#bytes = 0;
    this.#payloads = 0;
  }

  #take(payload: Buffer): void {
    try {
      this.#bytes += payload.length;
      this.#payloads += 1;
      if (this.#bytes > MOST_BYTES || this.#payloads > MOST_PAYLOADS) throw malformed('an access unit without an end');
      if (!this.add(payload)) this.#break();
    } catch (error) {
      this.lost();
      throw error;
    }
  }

  #break(): void {
    this.#isBroken = true;
    this.reset();
  }

  #end(): void {
    const timestamp = this.#timestamp ?? 0;
    this.#timestamp = undefined;
    if (this.#isBroken) return;
    try {
      const whole = this.complete(this.#mayMissStart);
      if (whole !== undefined) this.#ready.push({ timestamp, ...whole });
    } finally {
      this.reset();
    }
  }
}
