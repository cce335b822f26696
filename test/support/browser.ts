import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  // WebRTC: two cameras and a microphone that need nobody, and peers on this machine.
  '--use-fake-device-for-media-stream=device-count=2',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
];

/** A browser with a profile of its own. */
export interface TestBrowser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** @param options.trustsAnyCertificate for servers with one that nobody has signed */
export async function startBrowser({ trustsAnyCertificate = false } = {}): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'sluice-chromium-'));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    headless: false,
    args: FLAGS,
    viewport: { width: 1280, height: 720 },
    ignoreHTTPSErrors: trustsAnyCertificate,
  });
  return {
    newPage: () => context.newPage(),
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** What the player page tells of itself. */
export interface PlayerReport {
  readonly state: string;
  readonly protocol?: string;
  readonly videoWidth: number;
  readonly currentTime: number;
  readonly latencySeconds?: number;
  readonly framesDecoded: number;
  readonly errors: number;
  readonly lastError: string;
}

export async function playerReport(page: Page): Promise<PlayerReport> {
  await page.waitForFunction(() => 'sluicePlayer' in globalThis);
  return page.evaluate(() => (globalThis as unknown as { sluicePlayer: PlayerReport }).sluicePlayer);
}

/** The page's video element, also where a player holds it: JavaScript for the page. */
export const VIDEO = `(document.querySelector('video') ?? document.querySelector('sluice-player')?.shadowRoot.querySelector('video') ?? null)`;

/** Mean power of the sound that the page's video element plays: 0 is silence. */
export function soundEnergy(page: Page): Promise<number> {
  return page.evaluate(`(async () => {
    const audio = new AudioContext();
    const source = audio.createMediaElementSource(${VIDEO});
    const analyser = audio.createAnalyser();
    source.connect(analyser);
    analyser.connect(audio.destination);
    await audio.resume();
    const samples = new Float32Array(analyser.fftSize);
    let energy = 0;
    for (let round = 0; round < 50 && energy === 0; round++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      analyser.getFloatTimeDomainData(samples);
      energy = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    }
    return energy;
  })()`);
}

/** How much the pixels of the picture differ: 0 is one colour, as a black screen is, or no picture at all. */
export function pictureVariance(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const video = ${VIDEO};
    if (video === null) return 0;
    const canvas = document.createElement('canvas');
    canvas.width = 64;
    canvas.height = 36;
    const drawing = canvas.getContext('2d');
    drawing.drawImage(video, 0, 0, 64, 36);
    const { data } = drawing.getImageData(0, 0, 64, 36);
    const light = [];
    for (let at = 0; at < data.length; at += 4) light.push(data[at] + data[at + 1] + data[at + 2]);
    const mean = light.reduce((sum, value) => sum + value, 0) / light.length;
    return light.reduce((sum, value) => sum + (value - mean) ** 2, 0) / light.length;
  })()`);
}
