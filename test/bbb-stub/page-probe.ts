import { spawn } from 'node:child_process';
import type { Page } from 'playwright-core';
import { forbiddenShares, type ReadMark, readMarkOfPixels } from './src/index.js';

const SIZE = { width: 1280, height: 720, bytesPerPixel: 3 } as const;

/** What can be told of a page by its picture alone. */
export interface SeenPicture {
  readonly mark: ReadMark | undefined;
  /** The forbidden parts that are to be seen. */
  readonly forbidden: readonly string[];
}

/** Smaller spots are of letters and edges. */
const LEAST_SHARE = 0.001;

/** Looks at a page's pixels. */
export async function look(page: Page): Promise<SeenPicture> {
  const pixels = await decode(await page.screenshot());
  const shares = Object.entries(forbiddenShares(pixels, SIZE.bytesPerPixel));
  return {
    mark: readMarkOfPixels(pixels, SIZE),
    forbidden: shares.filter(([, share]) => share > LEAST_SHARE).map(([part]) => part),
  };
}

/** Of a PNG. */
async function decode(picture: Buffer): Promise<Buffer> {
  const args = ['-v', 'error', '-i', 'pipe:', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:'];
  const ffmpeg = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  ffmpeg.stdin.end(picture);
  const chunks: Buffer[] = [];
  for await (const chunk of ffmpeg.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** How a page's sound plays: the time of the element with a live track, and the loudest frequency between beeps. */
export interface HeardSound {
  readonly elementId: string;
  readonly currentTime: number;
  readonly loudestHz: number;
}

/** Listens for the meeting's sound. @returns undefined where no element plays any */
export function listen(page: Page): Promise<HeardSound | undefined> {
  return page.evaluate(`(async () => {
    const player = [...document.querySelectorAll('audio')].find(({ srcObject, paused }) =>
      !paused && srcObject?.getAudioTracks().some(({ readyState, muted }) => readyState === 'live' && !muted));
    if (player === undefined) return undefined;
    const context = new AudioContext({ sampleRate: 48000 });
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    context.createMediaStreamSource(player.srcObject).connect(analyser);
    const counts = new Map();
    const bins = new Float32Array(analyser.frequencyBinCount);
    for (let look = 0; look < 15; look++) {
      await new Promise((resolve) => setTimeout(resolve, 70));
      analyser.getFloatFrequencyData(bins);
      const loudest = bins.indexOf(Math.max(...bins));
      if (bins[loudest] > -60) counts.set(loudest, (counts.get(loudest) ?? 0) + 1);
    }
    await context.close();
    const [bin = 0] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
    return {
      elementId: player.id,
      currentTime: player.currentTime,
      loudestHz: (bin * 48000) / analyser.fftSize,
    };
  })()`);
}

/** Milliseconds from the beginning of each beep that is heard on a page to that of its flash, over some seconds. */
export function flashOffsets(page: Page, seconds: number): Promise<number[]> {
  return page.evaluate(`(async () => {
    const player = [...document.querySelectorAll('audio')].find(({ srcObject }) => srcObject !== null);
    const stage = document.querySelector('#stage').getContext('2d');
    const context = new AudioContext({ sampleRate: 48000 });
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    context.createMediaStreamSource(player.srcObject).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const beeps = [];
    const flashes = [];
    let wasLit = true;
    const began = performance.now();
    while (performance.now() - began < ${seconds * 1000}) {
      const now = await new Promise(requestAnimationFrame);
      const { width, height } = stage.canvas;
      const isLit = stage.getImageData(width * 0.87, height * 0.65, 1, 1).data[0] > 128;
      if (isLit && !wasLit) flashes.push(now);
      wasLit = isLit;
      analyser.getFloatTimeDomainData(samples);
      const first = samples.findIndex((sample) => Math.abs(sample) > 0.25);
      const onset = performance.now() - ((samples.length - first) / 48000) * 1000;
      if (first > 0 && onset - (beeps.at(-1) ?? 0) > 300) beeps.push(onset);
    }
    await context.close();
    return beeps.map((beep) => flashes.map((flash) => flash - beep).sort((a, b) => Math.abs(a) - Math.abs(b))[0]);
  })()`);
}
