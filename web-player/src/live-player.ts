import { Backoff } from './backoff.js';
import { startPlayback } from './controls.js';
import type { Engine, EngineEvents } from './engines/engine.js';
import { codecName } from './format.js';
import { bufferedEnd, chase, endOfGap } from './live-edge.js';
import type { PlayerView } from './player-view.js';
import {
  type BrowserAbilities,
  chooseProtocol,
  mediaUrl,
  type PlayerProtocol,
  PROTOCOL_NAMES,
  unplayable,
} from './protocol.js';
import { fetchStream, type StreamStatus } from './status-client.js';

/** What the player is doing. */
export type PlayerState =
  | 'connecting'
  | 'offline'
  | 'waiting'
  | 'playing'
  | 'buffering'
  | 'unsupported'
  | 'unreachable';

const POLL_LIVE_MS = 2000;
const POLL_OFFLINE_MS = 1000;
/** A picture that stands for this long, while the encoder sends, is not going to move again by itself. */
const STALL_MS = 6000;
const TICK_MS = 250;

/** Keeps one stream playing: starts it when it is live, follows the live edge, and begins anew when it breaks. */
export class LivePlayer {
  readonly #path: string;
  readonly #view: PlayerView;
  readonly #browser: BrowserAbilities;
  readonly #forceMuted: boolean;
  readonly #backoff = new Backoff();
  #asked: string | null;
  #state: PlayerState = 'connecting';
  #protocol: PlayerProtocol | undefined;
  #engine: Engine | undefined;
  /** Counts starts and stops, so that what an earlier one still has under way is passed over. */
  #generation = 0;
  /** A start is under way, or put off. */
  #busy = false;
  #status: StreamStatus | undefined;
  #progressAt = performance.now();
  #lastTime = -1;
  #errors = 0;
  #lastError = '';

  constructor(options: {
    path: string;
    view: PlayerView;
    browser: BrowserAbilities;
    protocol: string | null;
    muted: boolean;
  }) {
    this.#path = options.path;
    this.#view = options.view;
    this.#browser = options.browser;
    this.#asked = options.protocol;
    this.#forceMuted = options.muted;
    this.#view.video.addEventListener('playing', () => this.#backoff.reset());
    setInterval(() => this.#tick(), TICK_MS);
    void this.#poll();
  }

  get state(): PlayerState {
    return this.#state;
  }

  get protocol(): PlayerProtocol | undefined {
    return this.#protocol;
  }

  get status(): StreamStatus | undefined {
    return this.#status;
  }

  get engine(): Engine | undefined {
    return this.#engine;
  }

  /** Failures since the page was opened. */
  get errors(): number {
    return this.#errors;
  }

  /** What the newest of them said. */
  get lastError(): string {
    return this.#lastError;
  }

  /** Goes on with another protocol. */
  switchTo(protocol: PlayerProtocol): void {
    this.#asked = protocol;
    this.#stop();
    if (this.#status?.state === 'live') void this.#start(this.#status);
  }

  async #poll(): Promise<void> {
    try {
      const status = await fetchStream(this.#path);
      this.#status = status;
      if (status.state === 'offline') this.#goOffline();
      else if (status.state === 'live' && this.#engine === undefined && !this.#busy) void this.#start(status);
    } catch {
      if (this.#engine === undefined) this.#show('unreachable', 'The server does not answer. Trying again …');
    }
    setTimeout(() => void this.#poll(), this.#state === 'playing' ? POLL_LIVE_MS : POLL_OFFLINE_MS);
  }

  #goOffline(): void {
    this.#stop();
    this.#show('offline', `${this.#path} is not live yet. It will start by itself.`);
  }

  async #start(status: StreamStatus): Promise<void> {
    // A stream begins before its first picture; the tracks come with that.
    if (status.tracks.length === 0) return;
    this.#busy = true;
    const generation = ++this.#generation;
    const protocol = chooseProtocol(this.#asked, status.tracks, this.#browser);
    this.#protocol = protocol;
    this.#view.protocol.value = protocol;
    const [missing] = unplayable(status.tracks, protocol, this.#browser);
    if (missing !== undefined) {
      const how = `${codecName(missing.codec)} over ${PROTOCOL_NAMES[protocol]}`;
      this.#show('unsupported', `This browser can't play ${how}. Try another protocol, or another browser.`);
      return;
    }
    this.#show('connecting', 'Connecting …');
    const events: EngineEvents = {
      failed: (detail) => {
        if (generation === this.#generation) this.#failed(detail);
      },
      qualitiesChanged: () => this.#showQualities(),
    };
    const source = { video: this.#view.video, url: mediaUrl(location.origin, this.#path, protocol), events };
    const engine = await createEngine(protocol, source, status, this.#browser);
    if (generation !== this.#generation) {
      engine.destroy();
      return;
    }
    this.#engine = engine;
    this.#busy = false;
    this.#progressAt = performance.now();
    this.#showQualities();
    await startPlayback(this.#view, this.#forceMuted);
  }

  #stop(): void {
    this.#generation += 1;
    this.#busy = false;
    this.#engine?.destroy();
    this.#engine = undefined;
  }

  #failed(detail: string): void {
    this.#errors += 1;
    this.#lastError = detail;
    this.#stop();
    this.#show('connecting', 'The connection broke. Trying again …');
    const generation = this.#generation;
    this.#busy = true;
    setTimeout(() => {
      if (generation !== this.#generation) return;
      this.#busy = false;
      if (this.#status?.state === 'live') void this.#start(this.#status);
    }, this.#backoff.next());
  }

  /** Follows the picture: says how it stands, keeps near the edge, jumps over gaps, gives up on what stands. */
  #tick(): void {
    const { video } = this.#view;
    const now = performance.now();
    const moving = video.currentTime !== this.#lastTime;
    this.#lastTime = video.currentTime;
    if (moving || video.paused) this.#progressAt = now;
    if (this.#engine === undefined) return;
    const gapEnd = endOfGap(video.buffered, video.currentTime);
    if (!moving && gapEnd !== undefined) video.currentTime = gapEnd;
    if (!this.#engine.followsEdge && moving) this.#chase();
    const still = now - this.#progressAt;
    if (moving && video.videoWidth + video.currentTime > 0) this.#show('playing', '');
    else if (video.paused && this.#state === 'playing') return;
    else if (this.#status?.state === 'waiting') this.#show('waiting', 'Waiting for the encoder to come back …');
    else if (still > STALL_MS && this.#status?.state === 'live') this.#failed('the picture stands still');
    else if (still > 2 * TICK_MS && this.#state === 'playing') this.#show('buffering', 'Buffering …');
  }

  #chase(): void {
    const { video } = this.#view;
    const end = bufferedEnd(video.buffered);
    if (end === undefined || video.paused) return;
    const step = chase(end - video.currentTime, video.playbackRate);
    if (step.seekBehindEdge !== undefined) video.currentTime = end - step.seekBehindEdge;
    if (video.playbackRate !== step.rate) video.playbackRate = step.rate;
  }

  #show(state: PlayerState, text: string): void {
    this.#state = state;
    const { message, stage } = this.#view;
    stage.dataset.state = state;
    if (message.textContent !== text) message.textContent = text;
  }

  #showQualities(): void {
    const { quality } = this.#view;
    const names = this.#engine?.qualities.map(({ name }) => name) ?? [];
    const options = names.length === 0 ? ['Source'] : ['Auto', ...names];
    quality.replaceChildren(...options.map((name, index) => new Option(name, String(index - 1))));
    quality.disabled = names.length === 0;
  }
}

/** Loads the code of an engine when it is needed. */
async function createEngine(
  protocol: PlayerProtocol,
  source: { video: HTMLVideoElement; url: string; events: EngineEvents },
  status: StreamStatus,
  browser: BrowserAbilities,
): Promise<Engine> {
  if (protocol !== 'hls') {
    const { FlvEngine } = await import('./engines/flv-engine.js');
    return new FlvEngine(source, status.tracks);
  }
  if (!browser.mediaSource) {
    const { NativeHlsEngine } = await import('./engines/native-hls-engine.js');
    return new NativeHlsEngine(source);
  }
  const { HlsEngine } = await import('./engines/hls-engine.js');
  return new HlsEngine(source);
}
