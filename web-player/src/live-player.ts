import { Backoff } from './backoff.js';
import { startPlayback } from './controls/sound.js';
import type { Engine, EngineFailure } from './engines/engine.js';
import { loadEngine } from './engines/load-engine.js';
import { FrameCounter } from './frame-counter.js';
import { LastFrame } from './last-frame.js';
import { bufferedAhead, bufferedEnd, Comfort, chase, endOfGap, firstStep } from './live-edge.js';
import { messageFor, type Unsupported } from './messages.js';
import { type Look, PictureWatch } from './picture-watch.js';
import { judge, type PlayerState } from './playback-state.js';
import { showQualities, showState } from './player-display.js';
import type { PlayerView } from './player-view.js';
import {
  type BrowserAbilities,
  chooseProtocol,
  type EngineKind,
  engineFor,
  mediaUrl,
  type PlayerProtocol,
  playableProtocols,
  unplayableTracks,
} from './protocol.js';
import type { ServerClock } from './server-clock.js';
import { type StatusClient, type StreamStatus, sameCodecs, type TrackStatus } from './status-client.js';
import { TimeTravel } from './time-travel.js';

const TICK_MS = 250;
/** How often the status is asked for: while all is well, and while something is about to change. */
const ASK_PLAYING_MS = 5000;
const ASK_ELSE_MS = 2000;
const ASK_AT_ONCE_MS = 500;
/** By then the server counts a viewer who has just come. */
const ASK_COUNTED_MS = 1000;
/** Many who wait for the same show shouldn't all ask at the same moment. */
const ASK_SPREAD = 0.2;
/** An engine that has played for this long has proved itself. */
const PROVED_MS = 10_000;
/** In its first moments an engine gets what the server had in store, and jumps over that. */
const BEGINNING_MS = 2000;
const REFUSED_RETRY_MS = 10_000;
const UNSUPPORTED_RETRY_MS = 2000;
const NOT_FOUND = 404;

export interface LivePlayerOptions {
  readonly path: string;
  readonly view: PlayerView;
  readonly browser: BrowserAbilities;
  readonly client: StatusClient;
  readonly clock: ServerClock;
  /** The page's own query. */
  readonly search: string;
  readonly protocol: string | null;
  readonly muted: boolean;
}

/** An engine at work. */
interface Running {
  readonly engine: Engine;
  readonly tracks: readonly TrackStatus[];
  readonly watch: PictureWatch;
}

/** Keeps one stream playing: starts it when it is live, follows the live edge, and begins anew when it breaks. */
export class LivePlayer {
  readonly #options: LivePlayerOptions;
  /** Where the viewer is in the stream. */
  readonly time: TimeTravel;
  readonly #video: HTMLVideoElement;
  readonly #lastFrame: LastFrame;
  readonly #backoff = new Backoff();
  readonly #comfort = new Comfort();
  readonly #frames = new FrameCounter();
  #asked: string | null;
  #state: PlayerState = 'connecting';
  #protocol: PlayerProtocol | undefined;
  #running: Running | undefined;
  /** Counts starts and stops, so that a start which another overtook is given up. */
  #generation = 0;
  #starting = false;
  /** The viewer has not paused it. */
  #wanted = true;
  #seen = false;
  #status: StreamStatus | undefined;
  #asking = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #retryAt = 0;
  #errors = 0;
  #lastError = '';
  #refusal: number | undefined;
  #unsupported: Unsupported | undefined;

  constructor(options: LivePlayerOptions) {
    this.#options = options;
    this.#video = options.view.video;
    this.time = new TimeTravel({ video: this.#video, engine: () => this.engine, seek: (time) => this.#seek(time) });
    this.#asked = options.protocol;
    options.view.protocol.value = chooseProtocol(this.#asked, [], options.browser);
    this.#lastFrame = new LastFrame(this.#video, options.view.lastFrame);
    this.#video.addEventListener('play', () => {
      this.#wanted = true;
    });
    this.#video.addEventListener('pause', () => {
      // Emptying the element pauses it too, and so do some browsers in the background.
      const byViewer = this.#running !== undefined && this.#video.readyState > 0 && !document.hidden;
      if (!byViewer || this.#video.ended) return;
      this.#wanted = false;
      this.time.pause();
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.#wanted && this.#video.paused) void this.#play();
    });
    setInterval(() => this.#tick(), TICK_MS);
    this.#show('connecting');
    this.#tick();
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
    return this.#running?.engine;
  }

  get framesDecoded(): number {
    return this.#frames.observe(this.#video.getVideoPlaybackQuality().totalVideoFrames);
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
    this.#wanted = true;
    this.#retryAt = 0;
    this.#stop();
    this.#tick();
  }

  togglePlay(): void {
    if (this.#running !== undefined && !this.#video.paused) {
      this.#video.pause();
      return;
    }
    this.#wanted = true;
    this.#retryAt = 0;
    if (this.#running !== undefined) void this.#play();
    this.#tick();
  }

  #tick(): void {
    const now = performance.now();
    this.#frames.observe(this.#video.getVideoPlaybackQuality().totalVideoFrames);
    const interval = this.#state === 'playing' ? ASK_PLAYING_MS : ASK_ELSE_MS;
    if (now - this.#askedAt >= interval) void this.#ask(now);
    if (this.#running !== undefined) this.#look(this.#running, now);
    else this.#considerStart(now);
  }

  async #ask(now: number): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#askedAt = now + (Math.random() - 0.5) * ASK_SPREAD * ASK_ELSE_MS;
    try {
      const status = await this.#options.client.stream(this.#options.path);
      if (typeof status !== 'number') this.#heard(status);
      // Who was let in may stay, also when the credential is too old to be let in again.
      else if (this.#running === undefined) this.#refuse(status);
    } catch {
      // While the picture moves there is nothing to tell.
      if (this.#running === undefined) {
        this.#status = undefined;
        this.#show('unreachable');
      }
    }
    this.#asking = false;
  }

  #heard(status: StreamStatus): void {
    const before = this.#status?.state;
    this.#status = status;
    if (status.state === 'offline') {
      // Who is behind sees the end before it is over.
      if (this.#running !== undefined && this.time.shifted && !this.#video.ended) return;
      this.#stop();
      this.#backoff.reset();
      this.#show('offline');
      return;
    }
    const running = this.#running;
    if (running === undefined) {
      if (status.state === 'waiting') this.#show('waiting');
      else if (before !== 'live' && this.#retryAt <= performance.now()) this.#show('connecting');
    } else if (status.state === 'live') {
      if (before !== 'live') running.watch.expectMove(performance.now());
      // The encoder came back with other codecs, which the engine's buffers don't take.
      if (status.tracks.length > 0 && !sameCodecs(status.tracks, running.tracks)) this.#stop();
    }
    this.#considerStart(performance.now());
  }

  #considerStart(now: number): void {
    const status = this.#status;
    if (this.#running !== undefined || this.#starting || status?.state !== 'live') return;
    // A stream begins before its first picture; the tracks come with that.
    if (status.tracks.length === 0) return;
    if (!this.#wanted) this.#show('paused');
    else if (now >= this.#retryAt) this.#choose(status.tracks, now);
  }

  #choose(tracks: readonly TrackStatus[], now: number): void {
    const { browser, view } = this.#options;
    const protocol = chooseProtocol(this.#asked, tracks, browser);
    this.#protocol = protocol;
    view.protocol.value = protocol;
    const kind = engineFor(protocol, tracks, browser);
    if (kind !== undefined) {
      void this.#start(kind, protocol, tracks);
      return;
    }
    const missing = unplayableTracks(protocol, tracks, browser);
    this.#unsupported = { protocol, tracks: missing, others: playableProtocols(tracks, browser) };
    this.#retryAt = now + UNSUPPORTED_RETRY_MS;
    this.#show('unsupported');
  }

  async #start(kind: EngineKind, protocol: PlayerProtocol, tracks: readonly TrackStatus[]): Promise<void> {
    const { path, clock, search } = this.#options;
    const generation = ++this.#generation;
    const overtaken = () => generation !== this.#generation;
    this.#starting = true;
    this.#show('connecting');
    try {
      const make = await loadEngine(kind);
      if (overtaken()) return;
      const events = {
        failed: (failure: EngineFailure) => {
          if (!overtaken()) this.#failed(failure);
        },
        qualitiesChanged: () => this.#showQualities(),
      };
      const url = mediaUrl(location.origin, path, protocol, search);
      const engine = make({ video: this.#video, url, tracks, clock, events });
      this.#running = { engine, tracks, watch: new PictureWatch(performance.now(), this.#video.currentTime) };
      this.#starting = false;
    } catch (error) {
      if (!overtaken()) this.#failed({ reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#showQualities();
    await this.#play();
  }

  #play(): Promise<void> {
    this.time.resume();
    return startPlayback(this.#options.view, this.#options.muted);
  }

  /** Lets go of the engine; its last picture stays. */
  #stop(): void {
    this.#generation += 1;
    this.#starting = false;
    if (this.#running === undefined) return;
    this.#lastFrame.keep();
    this.#running.engine.destroy();
    this.#running = undefined;
    this.time.reset();
    this.#video.playbackRate = 1;
  }

  #failed({ reason, httpStatus, ended = false }: EngineFailure): void {
    // That an encoder which is gone doesn't come back is no fault of anything here.
    if (!ended || this.#status?.state !== 'waiting') {
      this.#errors += 1;
      this.#lastError = reason;
    }
    this.#stop();
    // A stream that isn't there is no refusal: the status tells what has become of it.
    if (httpStatus !== undefined && httpStatus !== NOT_FOUND) {
      this.#refuse(httpStatus);
      return;
    }
    const now = performance.now();
    this.#retryAt = now + this.#backoff.next();
    this.#status = undefined;
    this.#askSoon(now);
    this.#show('connecting');
  }

  #refuse(httpStatus: number): void {
    this.#refusal = httpStatus;
    this.#retryAt = performance.now() + REFUSED_RETRY_MS;
    this.#show('refused');
  }

  #askSoon(now: number): void {
    if (now - this.#askedAt > ASK_AT_ONCE_MS) void this.#ask(now);
  }

  /** Looks at the picture: says how it stands, keeps near the edge, jumps over gaps, gives up on what stands. */
  #look(running: Running, now: number): void {
    const video = this.#video;
    const { engine, watch } = running;
    const look = watch.look(now, video.currentTime, video.paused);
    const { state, act } = judge({
      ...look,
      status: this.#status?.state,
      paused: video.paused,
      patience: engine.patience,
    });
    if (look.moving) this.#moved(engine, look, now);
    else if (!video.paused) this.#leaveGap();
    if (act === 'restart') {
      this.#failed({ reason: 'the picture stands still' });
      return;
    }
    if (act === 'unload' && !this.time.shifted) this.#stop();
    else if (act === 'ask') this.#askSoon(now);
    this.#show(state);
  }

  #moved(engine: Engine, look: Look, now: number): void {
    // Who watches wants to be counted.
    if (this.#state === 'connecting') this.#askedAt = now - ASK_PLAYING_MS + ASK_COUNTED_MS;
    this.#seen = true;
    this.#lastFrame.drop();
    if (look.age > PROVED_MS) this.#backoff.reset();
    if (this.#state === 'buffering') this.#comfort.stalled(now);
    else this.#comfort.moved(now);
    if (engine.followsEdge) return;
    const video = this.#video;
    const lag = bufferedAhead(video.buffered, video.currentTime) ?? 0;
    const { seconds } = this.#comfort;
    const step = look.age < BEGINNING_MS ? firstStep(lag, seconds) : chase(lag, video.playbackRate, seconds);
    if (step.seekBehindEdge !== undefined) this.#seek((bufferedEnd(video.buffered) ?? 0) - step.seekBehindEdge);
    if (video.playbackRate !== step.rate) video.playbackRate = step.rate;
  }

  #leaveGap(): void {
    const end = endOfGap(this.#video.buffered, this.#video.currentTime);
    if (end !== undefined && !this.#video.seeking) this.#seek(end);
  }

  #seek(time: number): void {
    this.#video.currentTime = time;
    this.#running?.watch.sought(this.#video.currentTime);
  }

  #show(state: PlayerState): void {
    this.#state = state;
    const message = messageFor(state, {
      path: this.#options.path,
      seen: this.#seen,
      attempts: this.#backoff.attempts,
      refusal: this.#refusal,
      unsupported: this.#unsupported,
    });
    showState(this.#options.view, state, message, this.time.shifted);
  }

  #showQualities(): void {
    showQualities(this.#options.view, this.#running?.engine.qualities ?? []);
  }
}
