import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CaptureProfile, type Logger, messageOf } from '@sluice/core';
import type { BrowserContext, Page } from 'playwright-core';
import { CaptureError } from '../capture/capture-error.js';
import { VirtualDisplay } from '../capture/display-capture/virtual-display.js';

export interface BrowserOptions {
  /** Chromium's file. */
  readonly executable: string;
  readonly profile: Pick<CaptureProfile, 'width' | 'height' | 'locale' | 'method'>;
  readonly log: Logger;
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

/** A Chromium of its own, with a profile that is removed afterwards. */
export class CaptureBrowser {
  /** By this title the tab is chosen that is captured. */
  readonly tabTitle: string;
  /** The screen and the sound device that it has to itself; undefined where it runs without. */
  readonly display: VirtualDisplay | undefined;
  readonly #context: BrowserContext;
  readonly #folder: string;
  #isClosed = false;

  private constructor(
    context: BrowserContext,
    folder: string,
    {
      tabTitle,
      display,
      onGone,
      log,
    }: Pick<BrowserOptions, 'onGone' | 'log'> & {
      readonly tabTitle: string;
      readonly display: VirtualDisplay | undefined;
    },
  ) {
    this.tabTitle = tabTitle;
    this.display = display;
    this.#context = context;
    this.#folder = folder;
    context.on('page', (page) => {
      // What the meeting opens by itself, as a breakout room, would lie over it or be heard beside it.
      page
        .opener()
        .then((opener) => (opener === null ? undefined : page.close()))
        .catch((error: unknown) => log.debug({ error: firstLine(messageOf(error)) }, 'a window was gone already'));
    });
    context.once('close', () => {
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
    const { executable, profile, log } = options;
    const isRoot = process.getuid?.() === 0;
    if (isRoot) {
      log.warn({ executable }, "Chromium runs without its sandbox, because this process is root: run it as a user's");
    }
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bbb-'));
    await forbidDumps(folder);
    const tabTitle = `sluice-${randomUUID()}`;
    const { width, height, locale, method } = profile;
    let display: VirtualDisplay | undefined;
    try {
      if (method === 'display') display = await VirtualDisplay.start({ width, height });
      // It takes half a second to load, which servers without meetings have no use for.
      const { chromium } = await import('playwright-core');
      const context = await chromium.launchPersistentContext(folder, {
        executablePath: executable,
        headless: display === undefined,
        chromiumSandbox: !isRoot,
        timeout: START_MS,
        locale,
        acceptDownloads: false,
        // Signals are for whoever holds the capture: the driver would end browsers at a reload, and this process at Ctrl-C.
        ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
        // On a screen the window is the size; a page that is sized apart from it would lie beside.
        ...(display === undefined ? { viewport: { width, height }, deviceScaleFactor: 1 } : { viewport: null }),
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
      return new CaptureBrowser(context, folder, { ...options, tabTitle, display });
    } catch (error) {
      await display?.close();
      await remove(folder);
      if (error instanceof CaptureError) throw error;
      throw new CaptureError('no-browser', `${executable} does not start: ${firstLine(messageOf(error))}`);
    }
  }

  /** @throws {CaptureError} `browser-failed` where the browser is gone */
  async newPage(): Promise<Page> {
    try {
      return await this.#context.newPage();
    } catch (error) {
      throw new CaptureError('browser-failed', `the browser opens no tab: ${firstLine(messageOf(error))}`);
    }
  }

  /**
   * The tab that it began with: on a screen, the one that is seen.
   *
   * @throws {CaptureError} `browser-failed` where the browser is gone
   */
  async firstPage(): Promise<Page> {
    return this.#context.pages()[0] ?? this.newPage();
  }

  /** Ends the browser and removes its profile. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // It may be gone already; what counts is that nothing of it is left.
    await this.#context.close().catch(() => undefined);
    await this.display?.close();
    await remove(this.#folder);
  }
}

/** A window that fills the screen, with nothing around the page: not even the bar that tells of unusual flags. */
function onScreen(width: number, height: number): string[] {
  // Of a window that is as large as the screen the page is a pixel short; one that is larger covers all of it.
  return [
    '--kiosk',
    '--test-type',
    '--window-position=0,0',
    `--window-size=${width + 1},${height + 1}`,
    '--force-device-scale-factor=1',
  ];
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

/** The driver's errors go on with a log of what it did, with arguments and addresses. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}
