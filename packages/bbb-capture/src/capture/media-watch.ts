import type { CaptureTrouble } from '@sluice/core';
import type { PictureLook } from './picture-look.js';

/** Something has begun to be wrong, or is right again. */
export type WatchEvent =
  | {
      readonly type: 'trouble';
      readonly trouble: CaptureTrouble;
      readonly detail: string;
      /** Whether it can't be meant so: joining anew may heal it. A still slide or a silent room heals nothing. */
      readonly isFault: boolean;
    }
  | { readonly type: 'recovered'; readonly trouble: CaptureTrouble };

type Watched = 'silent' | 'black' | 'frozen' | 'audio-lost' | 'slow';

/** Beyond these times something is told, within 10 s with the second that passes between two looks. */
const AFTER_MS: Readonly<Record<Watched, number>> = {
  silent: 8000,
  black: 6000,
  frozen: 8000,
  'audio-lost': 5000,
  slow: 8000,
};
/** The tab gives ten pictures a second even of a page that stands still. */
const NO_PICTURE_MS = 4000;
/** -60 dBFS. */
const SILENCE = 0.001;
/** Of luma, 0 to 255: 16 is the black of a limited range. */
const BLACK = 20;
const BLACK_DEVIATION = 3;
const CHANGE = 0.05;
/** Of the pictures that a tab gives, so many may be left out. */
const MOST_SKIPPED = 0.4;

/** Watches picture and sound of a capture. Times are milliseconds, monotonic. */
export class MediaWatch {
  readonly #good: Record<Watched, number>;
  /** What is wrong, and whether it was told as a fault. */
  readonly #told = new Map<Watched, boolean>();
  #captured = -1;
  #skipped = 0;
  #lastCaptured: number;
  #lastEncoded: number;
  #lastSound: number;
  #movesInPage = false;

  constructor(now: number) {
    this.#good = { silent: now, black: now, frozen: now, 'audio-lost': now, slow: now };
    this.#lastCaptured = now;
    this.#lastEncoded = now;
    this.#lastSound = now;
  }

  /** A look at the picture. */
  look(look: PictureLook, now: number): void {
    const captured = look.captured - this.#captured;
    if (captured !== 0) this.#lastCaptured = now;
    if (look.skipped - this.#skipped <= captured * MOST_SKIPPED) this.#good.slow = now;
    this.#captured = look.captured;
    this.#skipped = look.skipped;
    if (look.mean > BLACK || look.deviation > BLACK_DEVIATION) this.#good.black = now;
    if (look.change > CHANGE) this.#good.frozen = now;
  }

  /** The encoder has given a picture. */
  encoded(now: number): void {
    this.#lastEncoded = now;
  }

  /** The loudest sample of a block of sound, 0 to 1. */
  level(peak: number, now: number): void {
    this.#lastSound = now;
    if (peak > SILENCE) this.#good.silent = now;
  }

  /** What the page says: whether it plays the meeting's sound, and whether it plays pictures that go on. */
  page({ isHeard, moves }: { isHeard: boolean; moves: boolean }, now: number): void {
    if (isHeard) this.#good['audio-lost'] = now;
    this.#movesInPage = moves;
  }

  /** To be asked about once a second. */
  check(now: number): WatchEvent[] {
    const soundGone = now - this.#lastSound > NO_PICTURE_MS;
    const isEncoded = now - this.#lastEncoded <= NO_PICTURE_MS;
    const pictureGone = now - this.#lastCaptured > NO_PICTURE_MS || !isEncoded;
    const isLost = soundGone || this.#isBad('audio-lost', now);
    const isStill = pictureGone || this.#isBad('frozen', now);
    const lost = soundGone ? 'the tab gives no sound' : "the client doesn't play the meeting's sound";
    const gone = isEncoded ? 'the tab gives no pictures' : 'the encoder gives no pictures';
    const still = pictureGone ? gone : 'the picture stands still';
    return [
      this.#judge('audio-lost', isLost, true, lost),
      this.#judge('frozen', isStill, pictureGone || this.#movesInPage, still),
      this.#judge('black', this.#isBad('black', now), true, 'the picture is black'),
      this.#judge('slow', this.#isBad('slow', now), false, 'the encoder has no time for many of the pictures'),
      // Where nothing is played, nothing is heard.
      this.#judge('silent', this.#isBad('silent', now) && !isLost, false, 'nothing is heard'),
    ].flatMap((event) => event ?? []);
  }

  #isBad(trouble: Watched, now: number): boolean {
    return now - this.#good[trouble] > AFTER_MS[trouble];
  }

  /** Tells what has begun, become a fault, or is over. */
  #judge(trouble: Watched, isWrong: boolean, isFault: boolean, detail: string): WatchEvent | undefined {
    const told = this.#told.get(trouble);
    if (!isWrong) return this.#told.delete(trouble) ? { type: 'recovered', trouble } : undefined;
    if (told === true || told === isFault) return undefined;
    this.#told.set(trouble, isFault);
    return { type: 'trouble', trouble, detail, isFault };
  }
}
