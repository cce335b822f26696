import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserContext } from 'playwright-core';
import type { CorePlan } from '../cores.js';
import { inChromium } from '../latency/in-chromium.js';
import { STREAM } from '../targets/target.js';

export const FIRST_FRAME_PROTOCOLS = ['auto', 'webrtc', 'll-hls', 'flv', 'ws-flv', 'hls'] as const;
type Protocol = (typeof FIRST_FRAME_PROTOCOLS)[number];

/** In ms, of each round. */
interface FirstFrames {
  /** Since the page was asked for: its HTML, scripts and styles are in it. */
  readonly navigation: readonly number[];
  /** Since the player knew what to play. */
  readonly player: readonly number[];
}

const START_MS = 4000;
const MOST_MS = 20_000;

/** Runs before the page's scripts: notes when the player is put into the page. */
const NOTE = `new MutationObserver((_, observer) => {
  const video = document.querySelector('sluice-player')?.shadowRoot?.querySelector('video');
  if (!video) return;
  globalThis.playerBegan = performance.now();
  globalThis.firstFrame = new Promise((resolve) => video.requestVideoFrameCallback(() => resolve(performance.now())));
  observer.disconnect();
}).observe(document, { childList: true, subtree: true })`;

/** How soon the player page shows its first picture, of a stream that is live, in a browser that has not been there. */
export function measureFirstFrames(options: {
  readonly plan: CorePlan;
  readonly gopSeconds: number;
  readonly rounds: number;
}): Promise<Readonly<Record<Protocol, FirstFrames>>> {
  const { plan, gopSeconds, rounds } = options;
  return inChromium(plan, async (browser, server) => {
    const encoder = publish(`${server.rtmp}/${STREAM}`, gopSeconds);
    const ended = once(encoder, 'exit');
    try {
      await sleep(START_MS);
      const found: Record<Protocol, { navigation: number[]; player: number[] }> = {
        auto: { navigation: [], player: [] },
        webrtc: { navigation: [], player: [] },
        'll-hls': { navigation: [], player: [] },
        flv: { navigation: [], player: [] },
        'ws-flv': { navigation: [], player: [] },
        hls: { navigation: [], player: [] },
      };
      for (let round = 0; round < rounds; round++) {
        for (const protocol of FIRST_FRAME_PROTOCOLS) {
          const { begun, shown } = await look(browser, `${server.http}/player/${STREAM}?muted=1&protocol=${protocol}`);
          found[protocol].navigation.push(shown);
          found[protocol].player.push(shown - begun);
        }
      }
      return found;
    } finally {
      encoder.kill('SIGTERM');
      await ended;
    }
  });
}

async function look(browser: BrowserContext, url: string): Promise<{ readonly begun: number; readonly shown: number }> {
  const page = await browser.newPage();
  try {
    await page.addInitScript(NOTE);
    await page.goto(url);
    await page.waitForFunction('globalThis.firstFrame !== undefined', undefined, { timeout: MOST_MS });
    return await page.evaluate<{ begun: number; shown: number }>(
      'globalThis.firstFrame.then((shown) => ({ begun: globalThis.playerBegan, shown }))',
    );
  } finally {
    await page.close();
    // A moment of the GOP that has nothing to do with the last one.
    await sleep(Math.random() * 1000);
  }
}

/** ffmpeg as an encoder: picture and sound, in real time. */
function publish(url: string, gopSeconds: number) {
  const picture = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=30'];
  const sound = ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', String(30 * gopSeconds)];
  const rest = ['-b:v', '1500k', '-c:a', 'aac', '-flush_packets', '1', '-f', 'flv', url];
  const args = ['-v', 'error', '-nostdin', ...picture, ...sound, ...video, ...rest];
  return spawn(process.env.FFMPEG_PATH ?? 'ffmpeg', args, { stdio: ['ignore', 'inherit', 'inherit'] });
}
