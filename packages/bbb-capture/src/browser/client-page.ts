import { type Logger, messageOf } from '@sluice/core';
import type { Page } from 'playwright-core';
import type { SecretUrl } from '../api/secret-url.js';
import { CaptureError } from '../capture/capture-error.js';
import { type PageFacts, readFacts } from './page-facts.js';
import { type Part, SELECTORS, styleFor } from './selectors.js';

/** The probe, compiled for the browser; beside `src` and `dist` alike. */
const PROBE = new URL('../../dist/page/meeting-probe.js', import.meta.url).href;
const OPEN_MS = 30_000;
const ANSWER_MS = 3000;
const CLICK_MS = 700;
const PANEL_MS = 3000;
/** Where BigBlueButton's clients live, behind whatever a cluster puts before it. */
const CLIENT_PATH = '/html5client';

/** The tab with BigBlueButton's client in it. Of its address nothing is told: it holds the session's token. */
export class ClientPage {
  readonly #page: Page;
  readonly #log: Logger;
  readonly #style: string;
  #pending: Promise<unknown> | undefined;
  #hasCrashed = false;

  constructor(page: Page, options: { readonly hidesParts: boolean; readonly log: Logger }) {
    this.#page = page;
    this.#log = options.log;
    this.#style = styleFor(options.hidesParts);
    page.on('crash', () => {
      this.#hasCrashed = true;
    });
    // A dialog of the page's own would stop everything until somebody answers.
    page.on('dialog', (dialog) => {
      dialog
        .accept()
        .catch((error: unknown) => this.#log.debug({ error: told(error) }, 'a dialog could not be closed'));
    });
  }

  /** Where the tab is: for reading refusals in it, never for a log. */
  get address(): string {
    return this.#page.url();
  }

  get isClient(): boolean {
    const { address } = this;
    return URL.canParse(address) && new URL(address).pathname.includes(CLIENT_PATH);
  }

  /**
   * Opens the link, as it is: the session is the browser's.
   *
   * @returns the status of the last answer, and its text where it is one of the API instead of a page
   * @throws {CaptureError} `unreachable`
   */
  async open(link: SecretUrl): Promise<{ status: number; text: string | undefined }> {
    try {
      const response = await this.#page.goto(link.reveal(), { waitUntil: 'domcontentloaded', timeout: OPEN_MS });
      const isXml = response?.headers()['content-type']?.includes('xml') === true;
      return { status: response?.status() ?? 0, text: isXml ? await response.text() : undefined };
    } catch (error) {
      throw new CaptureError('unreachable', `the browser can't open ${link}: ${told(error)}`);
    }
  }

  /**
   * Looks at the page.
   *
   * @returns undefined where it doesn't answer in time, as while it loads or hangs
   * @throws {CaptureError} `browser-failed` where the tab has crashed or is gone
   */
  async look(): Promise<PageFacts | undefined> {
    if (this.#hasCrashed || this.#page.isClosed()) {
      throw new CaptureError('browser-failed', `the meeting's tab ${this.#hasCrashed ? 'crashed' : 'is gone'}`);
    }
    const answer = this.#pending ?? this.#probe();
    this.#pending = answer;
    const settled = answer.finally(() => {
      this.#pending = undefined;
    });
    const value = await inTime(settled, ANSWER_MS);
    return value === undefined ? undefined : readFacts(value);
  }

  /** Clicks, through whatever lies above it. */
  async click(selector: string): Promise<void> {
    const target = this.#page.locator(selector).first();
    try {
      await target.click({ timeout: CLICK_MS });
    } catch (error) {
      this.#log.debug({ selector, error: told(error) }, 'something is in the way; it is clicked from within the page');
      await target.dispatchEvent('click', undefined, { timeout: CLICK_MS }).catch((again: unknown) => {
        // It may be gone by now, which the next look shows.
        this.#log.debug({ selector, error: told(again) }, 'it could not be clicked');
      });
    }
  }

  /**
   * Writes into the public chat.
   *
   * @returns whether it was said; it is never worth more than a word in the log
   */
  async say(text: string): Promise<boolean> {
    try {
      if ((await this.#present('chatInput')) === undefined) await this.#openChat();
      const input = await this.#present('chatInput');
      if (input === undefined) throw new Error(`none of ${SELECTORS.chatInput.join(', ')} is there`);
      await this.#page.locator(input).first().fill(text, { timeout: PANEL_MS, force: true });
      const send = await this.#present('chatSend');
      if (send === undefined) await this.#page.locator(input).first().press('Enter', { timeout: PANEL_MS });
      else await this.click(send);
      this.#log.info({ selector: input }, 'the notice is in the chat');
      return true;
    } catch (error) {
      this.#log.warn({ error: told(error) }, 'the notice could not be written into the chat');
      return false;
    }
  }

  async #openChat(): Promise<void> {
    const toggle = await this.#present('panelsToggle');
    if (toggle !== undefined && (await this.#present('chatButton')) === undefined) await this.click(toggle);
    const chat = this.#page.locator(SELECTORS.chatButton.join(', ')).first();
    const input = this.#page.locator(SELECTORS.chatInput.join(', ')).first();
    await chat.or(input).first().waitFor({ state: 'attached', timeout: PANEL_MS });
    const button = await this.#present('chatButton');
    if (button !== undefined && (await this.#present('chatInput')) === undefined) await this.click(button);
    await input.waitFor({ state: 'attached', timeout: PANEL_MS });
  }

  async #present(part: Part): Promise<string | undefined> {
    for (const selector of SELECTORS[part]) {
      if ((await this.#page.locator(selector).count()) > 0) return selector;
    }
    return undefined;
  }

  async #probe(): Promise<unknown> {
    const { probe } = (await import(PROBE)) as { probe: (argument: unknown) => unknown };
    try {
      return await this.#page.evaluate(probe, { selectors: SELECTORS, style: this.#style });
    } catch (error) {
      // It was led elsewhere meanwhile; the next look is at what is there then.
      this.#log.debug({ error: told(error) }, 'the page could not be looked at');
      return undefined;
    }
  }
}

/** What the driver says, without the log that follows and without any address. */
function told(error: unknown): string {
  const [line = ''] = messageOf(error).split('\n', 1);
  return line.replace(/\b[a-z]+:\/\/\S+/gi, '(address hidden)');
}

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
