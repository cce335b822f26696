import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestBrowser } from './browser.js';

/** Init segments and segments in the order of play, and the keys of `cbcs` that they need. */
export interface EncryptedMedia {
  readonly pieces: readonly Buffer[];
  readonly keys: readonly { readonly keyId: Buffer; readonly key: Buffer }[];
  /** Of picture and sound. */
  readonly codecs: readonly [string, string];
}

/** What a page tells that has played it. */
export interface PlayedEncrypted {
  readonly error: string;
  /** Stretches of time in the buffer. */
  readonly ranges: number;
  readonly frames: number;
  /** How often it had to wait after it had begun. */
  readonly stalls: number;
  readonly energy: number;
}

/** Runs in the page. */
const PLAY = `async ({ pieces, keys, codecs: [picture, sound] }) => {
  const video = document.createElement('video');
  document.body.append(video);
  const capability = (kind, codec) => [{ contentType: kind + '/mp4; codecs="' + codec + '"', encryptionScheme: 'cbcs' }];
  const access = await navigator.requestMediaKeySystemAccess('org.w3.clearkey', [{
    initDataTypes: ['keyids'],
    videoCapabilities: capability('video', picture),
    audioCapabilities: capability('audio', sound),
  }]);
  const mediaKeys = await access.createMediaKeys();
  await video.setMediaKeys(mediaKeys);
  const session = mediaKeys.createSession();
  const encoded = (value) => new TextEncoder().encode(JSON.stringify(value));
  const updated = new Promise((resolve) => session.addEventListener('message', () => {
    resolve(session.update(encoded({ keys: keys.map(({ kid, k }) => ({ kty: 'oct', kid, k })), type: 'temporary' })));
  }));
  await session.generateRequest('keyids', encoded({ kids: keys.map(({ kid }) => kid) }));
  await updated;
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
  const buffer = source.addSourceBuffer('video/mp4; codecs="' + picture + ',' + sound + '"');
  let error = '';
  for (const piece of pieces) {
    const done = new Promise((resolve, reject) => {
      buffer.addEventListener('updateend', resolve, { once: true });
      buffer.addEventListener('error', () => reject(new Error('append failed')), { once: true });
    });
    buffer.appendBuffer(Uint8Array.from(atob(piece), (c) => c.charCodeAt(0)));
    await done.catch((failure) => { error = failure.message; });
  }
  const ranges = buffer.buffered.length;
  const start = buffer.buffered.start(0);
  source.endOfStream();
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  audio.createMediaElementSource(video).connect(analyser).connect(audio.destination);
  await audio.resume();
  let energy = 0;
  const samples = new Float32Array(analyser.fftSize);
  video.addEventListener('timeupdate', () => {
    analyser.getFloatTimeDomainData(samples);
    energy = Math.max(energy, samples.reduce((sum, value) => sum + value * value, 0));
  });
  video.currentTime = start;
  const over = new Promise((resolve) => {
    for (const event of ['ended', 'error']) video.addEventListener(event, resolve, { once: true });
  });
  await video.play();
  let stalls = 0;
  video.addEventListener('waiting', () => { stalls += 1; });
  await over;
  error ||= video.error?.message ?? '';
  return { error, ranges, energy, stalls, frames: video.getVideoPlaybackQuality().totalVideoFrames };
}`;

/** Plays encrypted MP4 to its end, by Media Source Extensions and Clear Key. */
export async function playEncrypted(browser: TestBrowser, media: EncryptedMedia): Promise<PlayedEncrypted> {
  // Keys are for pages of a secure origin only, which localhost is.
  const server = createServer((_, response) => response.end('<!doctype html><title>Clear Key</title>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const page = await browser.newPage();
  try {
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    const pieces = media.pieces.map((piece) => piece.toString('base64'));
    const keys = media.keys.map(({ keyId, key }) => ({
      kid: keyId.toString('base64url'),
      k: key.toString('base64url'),
    }));
    return await page.evaluate(`(${PLAY})(${JSON.stringify({ pieces, keys, codecs: media.codecs })})`);
  } finally {
    await page.close();
    const closed = new Promise((resolve) => server.close(resolve));
    // A browser opens connections ahead of need, for which a server would wait.
    server.closeAllConnections();
    await closed;
  }
}
