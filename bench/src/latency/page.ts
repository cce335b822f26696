/// <reference lib="dom" />
// Runs in Chromium: publishes pictures with the time in them by WHIP, and reads them from what plays.
import { ageOf, BLOCK, HEIGHT, isWhite, readStamp, STAMP_BITS, STAMP_ROWS, WIDTH } from './stamp.js';

/** What the page has seen. */
export interface PictureReport {
  /** Of each picture, in ms: from when it was drawn until it is to be on the screen. */
  readonly ages: readonly number[];
  /** Pictures whose time could not be read. */
  readonly unread: number;
}

/** What it has seen by WebRTC. */
export interface WhepReport extends PictureReport {
  /** For how long Chromium held a picture back, on the average. */
  readonly jitterBufferMs: number;
}

/** What it has seen on the player page. */
export interface PlayerReport extends PictureReport {
  /** How often the picture stood still because nothing had come, and for how long in all. */
  readonly stalls: number;
  readonly stalledMs: number;
  /** What was buffered ahead at the stalls, in seconds: with more than a little, it wasn't the network. */
  readonly bufferedAtStalls: readonly number[];
  /** What the player itself says of its latency, each half second, in seconds. */
  readonly told: readonly number[];
  /** The highest rate of playing. */
  readonly mostRate: number;
}

/** What the player page tells of itself, as far as it is looked at here. */
interface PlayerFigures {
  readonly latencySeconds?: number;
  readonly bufferedSeconds?: number;
}

const RATE = 30;
const TOLD_MS = 500;

/** Publishes a canvas. The returned promise is kept when the server has answered. */
export async function publish(url: string): Promise<void> {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = contextOf(canvas);
  let count = 0;
  setInterval(() => {
    const now = Date.now();
    // Something moves, so that there is something to encode.
    context.fillStyle = '#345';
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.fillStyle = '#da4';
    context.fillRect((count * 7) % WIDTH, HEIGHT / 2, BLOCK * 2, BLOCK * 2);
    for (let row = 0; row < STAMP_ROWS; row++) {
      for (let column = 0; column < STAMP_BITS; column++) {
        context.fillStyle = isWhite(now, column, row) ? '#fff' : '#000';
        context.fillRect(column * BLOCK, row * BLOCK, BLOCK, BLOCK);
      }
    }
    count += 1;
  }, 1000 / RATE);
  const peer = new RTCPeerConnection();
  const stream = canvas.captureStream(RATE);
  for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
  await connect(peer, url);
}

/** Plays by WHEP for so many seconds, after a few in which the playing settles. */
export async function watch(url: string, settleMs: number, seconds: number): Promise<WhepReport> {
  const peer = new RTCPeerConnection();
  const video = document.createElement('video');
  video.autoplay = true;
  video.muted = true;
  document.body.append(video);
  const { receiver } = peer.addTransceiver('video', { direction: 'recvonly' });
  video.srcObject = new MediaStream([receiver.track]);
  await connect(peer, url);
  await pause(settleMs);
  const before = await inboundOf(receiver);
  const seen = await readPictures(video, seconds);
  const after = await inboundOf(receiver);
  const held = (after.jitterBufferDelay ?? 0) - (before.jitterBufferDelay ?? 0);
  const pictures = (after.jitterBufferEmittedCount ?? 0) - (before.jitterBufferEmittedCount ?? 0);
  return { ...seen, jitterBufferMs: (held / pictures) * 1000 };
}

/** Looks at what the player page plays that this was loaded into, as {@link watch} does. */
export async function watchPlayer(settleMs: number, seconds: number): Promise<PlayerReport> {
  const video = document.querySelector('sluice-player')?.shadowRoot?.querySelector('video') ?? null;
  if (video === null) throw new Error('the page has no player');
  await pause(settleMs);
  let [stalls, stalledMs, stalledAt, mostRate] = [0, 0, 0, 0];
  const told: number[] = [];
  const bufferedAtStalls: number[] = [];
  const player = () => (globalThis as unknown as { sluicePlayer: PlayerFigures }).sluicePlayer;
  const stalled = () => {
    stalls += 1;
    bufferedAtStalls.push(player().bufferedSeconds ?? 0);
    stalledAt ||= performance.now();
  };
  const goesOn = () => {
    if (stalledAt > 0) stalledMs += performance.now() - stalledAt;
    stalledAt = 0;
  };
  video.addEventListener('waiting', stalled);
  video.addEventListener('playing', goesOn);
  const timer = setInterval(() => {
    const { latencySeconds } = player();
    if (latencySeconds !== undefined) told.push(latencySeconds);
    mostRate = Math.max(mostRate, video.playbackRate);
  }, TOLD_MS);
  const seen = await readPictures(video, seconds);
  clearInterval(timer);
  video.removeEventListener('waiting', stalled);
  video.removeEventListener('playing', goesOn);
  goesOn();
  return { ...seen, stalls, stalledMs, bufferedAtStalls, told, mostRate };
}

/** Reads the time in each picture that a video shows. */
async function readPictures(video: HTMLVideoElement, seconds: number): Promise<PictureReport> {
  const strip = document.createElement('canvas');
  strip.width = WIDTH;
  strip.height = STAMP_ROWS * BLOCK;
  const context = contextOf(strip);
  const ages: number[] = [];
  let unread = 0;
  let callback = video.requestVideoFrameCallback(look);
  function look(_now: number, { expectedDisplayTime }: VideoFrameCallbackMetadata): void {
    const shownAt = Date.now() + Math.max(0, expectedDisplayTime - performance.now());
    context.drawImage(video, 0, 0, WIDTH, HEIGHT, 0, 0, WIDTH, HEIGHT);
    const { data } = context.getImageData(0, 0, strip.width, strip.height);
    const lightOf = (column: number, row: number) =>
      data[((row + 0.5) * BLOCK * WIDTH + (column + 0.5) * BLOCK) * 4 + 1] ?? 0;
    const stamp = readStamp(lightOf);
    if (stamp === undefined) unread += 1;
    else ages.push(ageOf(stamp, shownAt));
    callback = video.requestVideoFrameCallback(look);
  }
  await pause(seconds * 1000);
  video.cancelVideoFrameCallback(callback);
  return { ages, unread };
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function connect(peer: RTCPeerConnection, url: string): Promise<void> {
  await peer.setLocalDescription(await peer.createOffer());
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp' },
    body: peer.localDescription?.sdp ?? '',
  });
  const sdp = await response.text();
  if (response.status !== 201) throw new Error(`${url}: ${response.status} ${sdp}`);
  await peer.setRemoteDescription({ type: 'answer', sdp });
}

async function inboundOf(receiver: RTCRtpReceiver): Promise<Partial<RTCInboundRtpStreamStats>> {
  for (const entry of (await receiver.getStats()).values()) if (entry.type === 'inbound-rtp') return entry;
  return {};
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('no 2D canvas');
  return context;
}
