import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type FrameFigures, readTrace, TRACE_CATEGORIES } from './frames.js';

/** The board in a browser. */
export interface BoardFigures extends FrameFigures {
  /** From asking for the page until the first text of it is on the screen, ms. */
  readonly firstPaintMs: number;
  readonly cards: number;
}

export interface BoardOptions {
  readonly api: string;
  readonly user: string;
  readonly password: string;
}

const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
const SCROLL_SPEED = 2500;
const SCROLL_ROUNDS = 3;
/** Until the first pictures are there. */
const SETTLE_MS = 4000;

/** A board that is open, for as long as somebody looks at it. */
export class Board {
  readonly #browser: Browser;
  readonly #page: Page;
  readonly #firstPaintMs: number;

  private constructor(browser: Browser, page: Page, firstPaintMs: number) {
    this.#browser = browser;
    this.#page = page;
    this.#firstPaintMs = firstPaintMs;
  }

  static async open({ api, user, password }: BoardOptions): Promise<Board> {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      headless: false,
      args: FLAGS,
    });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(`${api}/console`);
    await page.locator('input[name=user]').fill(user);
    await page.locator('input[name=password]').fill(password);
    await page.locator('button[type=submit]').click();
    await page.locator('.stream-card').first().waitFor();
    // Again, as somebody who is logged in already.
    await page.reload();
    await page.locator('.stream-card').first().waitFor();
    const paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN";
    const firstPaintMs = (await page.evaluate(paint)) as number;
    return new Board(browser, page, firstPaintMs);
  }

  /** Scrolls down and up, as a wheel does. */
  async scroll(): Promise<BoardFigures> {
    const page = this.#page;
    await sleep(SETTLE_MS);
    const session = await page.context().newCDPSession(page);
    const height = (await page.evaluate('document.documentElement.scrollHeight - innerHeight')) as number;
    await this.#browser.startTracing(page, { categories: [...TRACE_CATEGORIES, 'blink.user_timing'] });
    await page.evaluate("performance.mark('scroll-begins')");
    for (let round = 0; round < SCROLL_ROUNDS; round++) {
      for (const yDistance of [-height, height]) {
        const gesture = { x: 700, y: 400, yDistance, speed: SCROLL_SPEED, preventFling: true };
        await session.send('Input.synthesizeScrollGesture', gesture);
      }
    }
    await page.evaluate("performance.mark('scroll-ends')");
    const trace = await this.#browser.stopTracing();
    const cards = await page.locator('.stream-card').count();
    return { ...readTrace(trace, 'scroll-begins', 'scroll-ends'), cards, firstPaintMs: this.#firstPaintMs };
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
