import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type CaptureProfile, type Logger, messageOf } from '@sluice/core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { CaptureError } from '../capture/capture-error.js';
import { VirtualDisplay } from '../capture/display-capture/virtual-display.js';

export interface BrowserOptions {
  /** Chromium's file. */
  readonly executable: string;
  readonly profile: Pick<CaptureProfile, 'width' | 'height' | 'locale' | 'method'>;
  readonly log: Logger;
  /** What no other process has in its arguments; one of its own by default. */
  readonly marker?: string;
  /** Called once when it has ended by itself. */
  readonly onGone?: (reason: string) => void;
}

const START_MS = 30_000;
const FLAGS = [
  '--autoplay-policy=no-user-gesture-required',
  // A microphone must not be asked for: a client that may not have one joins to listen.
  '--deny-permission-prompts',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-crash-reporter',
  '--disable-sync',
];
/** The driver's own that make a capture silent, or show that a machine is at work. */
const UNWANTED = ['--mute-audio', '--enable-automation'];

/**
 * A Chromium of its own. Where it has been is kept in memory alone, as in a private window: links and sessions would else
 * be in its profile, which a process that is killed leaves behind.
 */
export class CaptureBrowser {
  /** By this title the tab is chosen that is captured. It is in the arguments of the browser, and of no other process. */
  readonly tabTitle: string;
  /** The screen and the sound device that it has to itself; undefined where it runs without. */
  readonly display: VirtualDisplay | undefined;
  readonly #browser: Browser;
  readonly #context: BrowserContext;
  readonly #folder: string;
  /** Tabs of ours that are being opened. */
  #opening = 0;
  #isClosed = false;
  #closed: Promise<void> | undefined;

  private constructor(
    context: BrowserContext,
    {
      browser,
      folder,
      tabTitle,
      display,
      onGone,
      log,
    }: Pick<BrowserOptions, 'onGone' | 'log'> & {
      readonly browser: Browser;
      readonly folder: string;
      readonly tabTitle: string;
      readonly display: VirtualDisplay | undefined;
    },
  ) {
    this.tabTitle = tabTitle;
    this.display = display;
    this.#browser = browser;
    this.#context = context;
    this.#folder = folder;
    context.on('page', (page) => {
      // What the meeting opens by itself, as a breakout room, would lie over it or be heard beside it. Of a page that was
      // opened without an opener it can't be told whose it is, but ours are all there before a meeting is.
      if (this.#opening > 0) return;
      log.info({}, 'a window that the meeting opened is closed');
      page
        .close()
        .catch((error: unknown) => log.debug({ error: firstLine(messageOf(error)) }, 'a window was gone already'));
    });
    browser.once('disconnected', () => {
      if (!this.#isClosed) onGone?.('the browser ended by itself');
    });
  }

  /**
   * Starts it: headless, in Chromium's sandbox unless this process is root, and with an environment that holds nothing
   * of ours.
   *
   * @throws {CaptureError} `no-browser` where it does not start
   */
  static async launch(options: BrowserOptions): Promise<CaptureBrowser> {
    const { executable, profile, log, marker: tabTitle = newMarker() } = options;
    const isRoot = process.getuid?.() === 0;
    if (isRoot) {
      log.warn({ executable }, "Chromium runs without its sandbox, because this process is root: run it as a user's");
    }
    requireHome();
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bbb-'));
    await forbidDumps(folder);
    const { width, height, locale, method } = profile;
    let display: VirtualDisplay | undefined;
    let browser: Browser | undefined;
    try {
      if (method === 'display') display = await VirtualDisplay.start({ width, height });
      // It takes half a second to load, which servers without meetings have no use for.
      const { chromium } = await import('playwright-core');
      browser = await chromium.launch({
        executablePath: executable,
        headless: display === undefined,
        chromiumSandbox: !isRoot,
        timeout: START_MS,
        // Signals are for whoever holds the capture: the driver would end browsers at a reload, and this process at Ctrl-C.
        ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
        ignoreDefaultArgs: UNWANTED,
        env: {
          ...{ PATH: process.env.PATH ?? '', HOME: folder, TMPDIR: folder, LANG: 'C.UTF-8' },
          ...display?.environment,
        },
        args: [
          ...FLAGS,
          ...(display === undefined ? [`--window-size=${width},${height}`] : onScreen(width, height)),
          `--lang=${locale}`,
          `--auto-select-tab-capture-source-by-title=${tabTitle}`,
        ],
      });
      const context = await browser.newContext({
        locale,
        acceptDownloads: false,
        // On a screen the window is the size; a page that is sized apart from it would lie beside.
        ...(display === undefined ? { viewport: { width, height }, deviceScaleFactor: 1 } : { viewport: null }),
      });
      return new CaptureBrowser(context, { ...options, browser, folder, tabTitle, display });
    } catch (error) {
      await browser?.close().catch(() => undefined);
      await display?.close();
      await remove(folder);
      if (error instanceof CaptureError) throw error;
      throw new CaptureError('no-browser', `${executable} does not start: ${launchFault(messageOf(error))}`);
    }
  }

  /** @throws {CaptureError} `browser-failed` where the browser is gone */
  async newPage(): Promise<Page> {
    this.#opening += 1;
    try {
      return await this.#context.newPage();
    } catch (error) {
      throw new CaptureError('browser-failed', `the browser opens no tab: ${firstLine(messageOf(error))}`);
    } finally {
      this.#opening -= 1;
    }
  }

  /**
   * The tab that fills the screen, with nothing around it; the same one each time.
   *
   * @throws {CaptureError} `browser-failed` where the browser is gone
   */
  async screenPage(): Promise<Page> {
    const [open] = this.#context.pages();
    if (open !== undefined) return open;
    const page = await this.newPage();
    try {
      // Private windows don't heed --kiosk.
      const devtools = await this.#context.newCDPSession(page);
      const { windowId } = await devtools.send('Browser.getWindowForTarget');
      await devtools.send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'fullscreen' } });
      await devtools.detach();
      return page;
    } catch (error) {
      throw new CaptureError('browser-failed', `the window can't fill the screen: ${firstLine(messageOf(error))}`);
    }
  }

  /** Ends the browser and removes its profile. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closed ??= this.#end();
    await this.#closed;
  }

  async #end(): Promise<void> {
    // It may be gone already; what counts is that nothing of it is left.
    await this.#browser.close().catch(() => undefined);
    await this.display?.close();
    await remove(this.#folder);
  }
}

/** A word by which a browser's processes and its tab can be known. */
export function newMarker(): string {
  return `sluice-${randomUUID()}`;
}

/** A window on a screen: without the bar that tells of unusual flags, and with a pixel of the page for one of the screen. */
function onScreen(width: number, height: number): string[] {
  return ['--test-type', '--window-position=0,0', `--window-size=${width},${height}`, '--force-device-scale-factor=1'];
}

/**
 * A dump of a crashed tab would hold the link. Chromium's flags against it leave the handler running, or break the tabs;
 * where there is a file in its folder's place, it writes none.
 */
async function forbidDumps(home: string): Promise<void> {
  for (const name of ['chromium', 'google-chrome']) {
    const folder = join(home, '.config', name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'Crash Reports'), '');
  }
}

/**
 * The driver looks for this user's home while it is loaded, and ends the process where there is none: a user of a
 * container without an entry in its passwd.
 *
 * @throws {CaptureError} `no-browser`
 */
function requireHome(): void {
  try {
    homedir();
  } catch (error) {
    throw new CaptureError('no-browser', 'this user has no home: set the environment variable HOME', { cause: error });
  }
}

/** What a line of the browser's own says that is worth more than that it has ended. */
const TELLING =
  /sandbox|fatal|error while loading|cannot open|no such file|not permitted|permission denied|out of memory/i;
const MOST_FAULT = 300;

/** Why a browser does not start: in the driver's words and, where it said something itself, in those of the browser. */
function launchFault(text: string): string {
  const said = [...stripVTControlCharacters(text).matchAll(/\[err\] (.*)/g)]
    .map(([, line = '']) => line.trim())
    .filter((line) => line !== '');
  const own = said.find((line) => TELLING.test(line)) ?? said.at(-1);
  if (own === undefined) return firstLine(text);
  return `${firstLine(text)} (${own.replace(/\b[a-z]+:\/\/\S+/gi, '(address hidden)').slice(0, MOST_FAULT)})`;
}

/** The driver's errors go on with a log of what it did, with arguments and addresses. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
