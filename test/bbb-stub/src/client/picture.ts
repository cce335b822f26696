/// <reference lib="dom" />
import { FLASH, isWhite, MARK, MARK_BITS, MARK_MODULUS } from '../mark.js';
import type { PictureMode } from '../protocol.js';
import { element } from './dom.js';

const RATE = 30;
/** A display's pictures come a little early or late. */
const SLACK_MS = 4;
const FLASH_MS = 100;
const SECOND = 1000;
/** How much of the difference is followed when a beep isn't where it was expected. */
const FOLLOW = 0.3;
const FAR_MS = 60;
const STRIPES = 12;

/** What is shown in the meeting: something that moves, a counter and a clock to be read by a program, and the flash. */
export class MeetingPicture {
  readonly canvas = element('canvas', { id: 'stage' });
  mode: PictureMode = 'moving';
  /** Asked before each picture: when a beep began, if one did. */
  beep: () => number | undefined = () => undefined;
  counter = 0;
  /** Time of a beep; the others are whole seconds away. Unknown until one was heard. */
  #phase: number | undefined;
  #drawnAt = 0;
  #request = 0;

  start(): void {
    const draw = (now: number) => {
      this.#request = requestAnimationFrame(draw);
      if (now - this.#drawnAt < SECOND / RATE - SLACK_MS) return;
      this.#drawnAt = now;
      this.#follow();
      this.#draw(now);
    };
    this.#request = requestAnimationFrame(draw);
  }

  stop(): void {
    cancelAnimationFrame(this.#request);
  }

  #follow(): void {
    const onset = this.beep();
    if (onset === undefined) return;
    const expected = this.#phase ?? onset;
    const off = ((((onset - expected + SECOND / 2) % SECOND) + SECOND) % SECOND) - SECOND / 2;
    this.#phase = Math.abs(off) > FAR_MS ? onset : expected + FOLLOW * off;
  }

  #draw(now: number): void {
    if (this.mode === 'frozen') return;
    const { canvas } = this;
    if (canvas.width !== innerWidth || canvas.height !== innerHeight) {
      canvas.width = innerWidth;
      canvas.height = innerHeight;
    }
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('the stage has no 2d context');
    const fill = (colour: string, x: number, y: number, width: number, height: number) => {
      context.fillStyle = colour;
      const [left, top] = [Math.round(x * canvas.width), Math.round(y * canvas.height)];
      const [right, bottom] = [Math.round((x + width) * canvas.width), Math.round((y + height) * canvas.height)];
      context.fillRect(left, top, right - left, bottom - top);
    };
    if (this.mode === 'black') {
      fill('#000', 0, 0, 1, 1);
      return;
    }
    this.counter = (this.counter + 1) % MARK_MODULUS;
    fill('#2b3a4a', 0, 0, 1, 1);
    for (let stripe = 0; stripe < STRIPES; stripe++) {
      const x = (stripe / STRIPES + this.counter / 240) % 1;
      fill(stripe % 2 === 0 ? '#8a6d4b' : '#5a7a96', x, 0.62 + stripe * 0.02, 0.05, 0.02);
    }
    const clock = Date.now() % MARK_MODULUS;
    for (let row = 0; row < MARK.rows; row++) {
      for (let column = 0; column < MARK_BITS; column++) {
        const colour = isWhite(this.counter, clock, column, row) ? '#fff' : '#000';
        fill(
          colour,
          MARK.left + column * MARK.bitWidth,
          MARK.top + row * MARK.rowHeight,
          MARK.bitWidth,
          MARK.rowHeight,
        );
      }
    }
    fill(this.#isFlash(now) ? '#fff' : '#000', FLASH.left, FLASH.top, FLASH.width, FLASH.height);
  }

  #isFlash(now: number): boolean {
    if (this.#phase === undefined) return false;
    return (((now - this.#phase) % SECOND) + SECOND) % SECOND < FLASH_MS;
  }
}
