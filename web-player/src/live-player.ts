import { Backoff } from './backoff.js';
import { startPlayback } from './controls/sound.js';
import { Detour } from './detour.js';
import { EdgeFollower } from './edge-follower.js';
import type { Engine, EngineFailure } from './engines/engine.js';
import { loadEngine } from './engines/load-engine.js';
import { FrameCounter } from './frame-counter.js';
import { LastFrame } from './last-frame.js';
import type { LivePlayerOptions } from './live-player-options.js';
import type { MessageContext } from './messages.js';
import { type Look, PictureWatch } from './picture-watch.js';
import { PlayRecord } from './play-record.js';
import { judge, type PlayerState } from './playback-state.js';
import {
  type EngineKind,
  engineFor,
  mediaUrl,
  type PlayerProtocol,
  playableProtocols,
  unplayableTracks,
} from './protocol.js';
import { QualityChoice } from './quality-choice.js';
import { type StreamStatus, sameCodecs, type TrackStatus } from './status-client.js';
import { StatusPoll } from './status-poll.js';
import { TimeTravel } from './time-travel.js';
import { WayChoice } from './way-choice.js';

const TICK_MS = 250;
/** How often the status is asked for: while all is well, and while something is about to change. */
const ASK_PLAYING_MS = 5000;
const ASK_ELSE_MS = 2000;
/** By then the server counts a viewer who has just come. */
const ASK_COUNTED_MS = 1000;
/** An engine that has played for this long has proved itself. */
const PROVED_MS = 10_000;
const REFUSED_RETRY_MS = 10_000;
const UNSUPPORTED_RETRY_MS = 2000;
const NOT_FOUND = 404;
/** Too many viewers, and a server that is going down: no other protocol would help. */
const BUSY: ReadonlySet<number> = new Set([429, 503]);

/** An engine at work. */
interface Running {
  readonly engine: Engine;
  readonly tracks: readonly TrackStatus[];
  readonly watch: PictureWatch;
  hasMoved: boolean;
}

/** Keeps one stream playing: starts it when it is live, follows the live edge, and begins anew when it breaks. */
export class LivePlayer {
  readonly #options: LivePlayerOptions;
  /** Where the viewer is in the stream. */
  readonly time: TimeTravel;
  readonly #video: HTMLVideoElement;
  readonly #lastFrame: LastFrame;
  readonly #backoff = new Backoff();
  readonly #frames = new FrameCounter();
  readonly #way: WayChoice;
  readonly #poll: StatusPoll;
  readonly #follower: EdgeFollower;
  /** The viewer has gone to a past that only HLS has. */
  readonly #detour: Detour;
  /** What has happened so far. */
  readonly record = new PlayRecord();
  readonly quality: QualityChoice;
  readonly #closed = new AbortController();
  #timer: ReturnType<typeof setInterval> | undefined;
  #state: PlayerState = 'connecting';
  #protocol: PlayerProtocol | undefined;
  #running: Running | undefined;
  /** Counts starts and stops, so that a start which another overtook is given up. */
  #generation = 0;
  #starting = false;
  /** The viewer has not paused it. */
  #wanted: boolean;
  #status: StreamStatus | undefined;
  #retryAt = 0;

  constructor(options: LivePlayerOptions) {
    this.#options = options;
    this.#video = options.video;
    this.#wanted = options.autoplay;
    this.#way = new WayChoice(options.browser, options.failed, options.protocol);
    const status = () => this.#status;
    const restart = () => this.#restart();
    this.#detour = new Detour({ ...options, status, restart });
    this.quality = new QualityChoice({ engine: () => this.engine, protocol: () => this.#protocol, status, restart });
    this.time = new TimeTravel({
      video: this.#video,
      engine: () => this.engine,
      seek: (time) => this.#seek(time),
      elsewhere: this.#detour,
    });
    this.#follower = new EdgeFollower(this.#video, (time) => this.#seek(time));
    this.#poll = new StatusPoll({
      ...options,
      heard: (status) => this.#heard(status),
      // Who was let in may stay, also when the credential is too old to be let in again.
      refused: (httpStatus) => this.#running ?? this.#refuse(httpStatus),
      unreachable: () => this.#unreachable(),
    });
    this.#lastFrame = new LastFrame(this.#video, options.lastFrame);
    this.#listen();
  }

  /** Once. */
  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#show('connecting');
    this.#tick();
  }

  get state(): PlayerState {
    return this.#state;
  }

  get protocol(): PlayerProtocol | undefined {
    return this.#protocol;
  }

  /** The one that was asked for; undefined where it is left to the player. */
  get asked(): PlayerProtocol | undefined {
    return this.#way.asked;
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

  /** What there is to say of the state. */
  get context(): MessageContext {
    const { path } = this.#options;
    return this.record.context({ path, attempts: this.#backoff.attempts, asked: this.#way.asked });
  }

  /** Goes on with another protocol; undefined leaves it to the player. */
  switchTo(protocol: PlayerProtocol | undefined): void {
    this.#way.asked = protocol;
    this.#way.networkChanged();
    this.#wanted = true;
    this.record.beginsAnew();
    this.#detour.end();
    this.#backoff.reset();
    this.#restart();
  }

  /** The credential is another one. */
  credentialChanged(): void {
    if (this.#state !== 'refused') return;
    this.#retryAt = 0;
    this.#poll.next();
    this.#tick();
  }

  play(): void {
    this.#wanted = true;
    this.#retryAt = 0;
    if (this.#running !== undefined) void this.#play();
    this.#tick();
  }

  pause(): void {
    if (this.#running === undefined) this.#wanted = false;
    else this.#video.pause();
  }

  togglePlay(): void {
    if (this.#running !== undefined && !this.#video.paused) this.pause();
    else this.play();
  }

  /** Lets go of everything. */
  close(): void {
    clearInterval(this.#timer);
    this.#poll.close();
    this.#closed.abort();
    this.#stop();
  }

  #listen(): void {
    const { signal } = this.#closed;
    this.#video.addEventListener(
      'play',
      () => {
        this.#wanted = true;
      },
      { signal },
    );
    this.#video.addEventListener('pause', () => this.#paused(), { signal });
    const seen = () => {
      if (!document.hidden && this.#wanted && this.#running !== undefined && this.#video.paused) void this.#play();
    };
    document.addEventListener('visibilitychange', seen, { signal });
    window.addEventListener('online', () => this.#networkIsBack(), { signal });
  }

  #paused(): void {
    // Emptying the element pauses it too, and so do some browsers in the background.
    const byViewer = this.#running !== undefined && this.#video.readyState > 0 && !document.hidden;
    if (!byViewer || this.#video.ended) return;
    this.#wanted = false;
    this.time.pause();
  }

  #networkIsBack(): void {
    this.#way.networkChanged();
    this.#retryAt = 0;
    this.#poll.next();
    this.#tick();
  }

  #tick(): void {
    const now = performance.now();
    this.#frames.observe(this.#video.getVideoPlaybackQuality().totalVideoFrames);
    this.#poll.tick(now, this.#state === 'playing' ? ASK_PLAYING_MS : ASK_ELSE_MS);
    if (this.#running !== undefined) this.#look(this.#running, now);
    else this.#considerStart(now);
  }

  #unreachable(): void {
    this.#way.serverIsAway();
    // While the picture moves there is nothing to tell.
    if (this.#running !== undefined) return;
    this.#status = undefined;
    this.#show('unreachable');
  }

  #heard(status: StreamStatus): void {
    const before = this.#status;
    this.#status = status;
    if (status.state === 'live') this.#way.serverIsWell();
    else this.#way.serverIsAway();
    if (before?.renditions?.join() !== status.renditions?.join()) this.#options.listener.choicesChanged();
    if (status.state === 'offline') {
      // Who is behind sees the end before it is over.
      if (this.#running !== undefined && this.time.shifted && !this.#video.ended) return;
      this.#stop();
      this.#detour.end();
      this.#backoff.reset();
      this.#show('offline');
      return;
    }
    const running = this.#running;
    if (running === undefined) {
      if (status.state === 'waiting') this.#show('waiting');
      else if (before?.state !== 'live' && this.#retryAt <= performance.now()) this.#show('connecting');
    } else if (status.state === 'live') {
      if (before?.state !== 'live') running.watch.expectMove(performance.now());
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
    else if (now >= this.#retryAt) this.#choose(status, now);
  }

  #choose(status: StreamStatus, now: number): void {
    const { tracks } = status;
    const { browser } = this.#options;
    const protocol = this.#detour.isThere ? 'll-hls' : this.#way.choose(status);
    const kind = protocol === undefined ? undefined : engineFor(protocol, tracks, browser);
    if (protocol !== undefined && kind !== undefined) {
      void this.#start(kind, protocol, tracks);
      return;
    }
    const { asked } = this.#way;
    const missing = unplayableTracks(asked ?? 'll-hls', tracks, browser);
    this.record.unsupported = {
      protocol: asked,
      tracks: missing.length > 0 || asked !== undefined ? missing : tracks,
      others: playableProtocols(tracks, browser),
    };
    this.#protocol = asked;
    this.#retryAt = now + UNSUPPORTED_RETRY_MS;
    this.#show('unsupported');
  }

  async #start(kind: EngineKind, protocol: PlayerProtocol, tracks: readonly TrackStatus[]): Promise<void> {
    const { server, path, query, clock, listener } = this.#options;
    const generation = ++this.#generation;
    const overtaken = () => generation !== this.#generation;
    this.#starting = true;
    this.#protocol = protocol;
    this.#show('connecting');
    try {
      const make = await loadEngine(kind);
      if (overtaken()) return;
      const events = {
        failed: (failure: EngineFailure) => {
          if (!overtaken()) this.#failed(failure);
        },
        choicesChanged: () => listener.choicesChanged(),
      };
      const url = mediaUrl(server, this.quality.pathOf(path), protocol, query());
      const engine = make({ video: this.#video, url, tracks, lowLatency: protocol === 'll-hls', clock, events });
      const watch = new PictureWatch(performance.now(), engine.progress?.() ?? this.#video.currentTime);
      this.#running = { engine, tracks, watch, hasMoved: false };
      this.#starting = false;
    } catch (error) {
      if (!overtaken()) this.#failed({ reason: error instanceof Error ? error.message : String(error) });
      return;
    }
    listener.choicesChanged();
    await this.#play();
  }

  async #play(): Promise<void> {
    this.time.resume();
    if ((await startPlayback(this.#video)) === 'silenced') this.#options.listener.silenced();
  }

  /** Lets go of the engine; its last picture stays. */
  #stop(): void {
    this.#generation += 1;
    this.#starting = false;
    if (this.#running === undefined) return;
    this.#lastFrame.keep();
    this.#running.engine.destroy();
    // They can't be taken away: the next engine puts its own beside them.
    for (const track of this.#video.textTracks) track.mode = 'disabled';
    this.#running = undefined;
    this.quality.engineEnded();
    this.time.reset();
    this.#video.playbackRate = 1;
  }

  #restart(): void {
    this.#retryAt = 0;
    this.#stop();
    this.#tick();
  }

  #failed(failure: EngineFailure): void {
    const { reason, httpStatus, ended = false } = failure;
    const protocol = this.#protocol;
    const hasMoved = this.#running?.hasMoved ?? false;
    // That an encoder which is gone doesn't come back is no fault of anything here.
    if (!ended || this.#status?.state !== 'waiting') {
      this.record.failed(reason);
      this.#options.listener.failed({ ...failure, protocol });
    }
    this.#stop();
    this.#detour.end();
    if (!hasMoved) {
      this.record.wasBarren();
      this.quality.failed();
    }
    const mayBeTheWay = this.#way.asked === undefined && httpStatus !== undefined && !BUSY.has(httpStatus);
    // A stream that isn't there is no refusal: the status tells what has become of it.
    if (httpStatus !== undefined && httpStatus !== NOT_FOUND && !mayBeTheWay) {
      this.#refuse(httpStatus);
      return;
    }
    if (protocol !== undefined) this.#way.broke({ protocol, hasMoved, attempts: this.#backoff.attempts });
    const now = performance.now();
    this.#retryAt = now + this.#backoff.next();
    this.#status = undefined;
    this.#poll.soon(now);
    this.#show('connecting');
  }

  #refuse(httpStatus: number): void {
    this.#way.serverIsAway();
    this.record.refusal = httpStatus;
    this.#retryAt = performance.now() + REFUSED_RETRY_MS;
    this.#show('refused');
  }

  /** Looks at the picture: says how it stands, keeps near the edge, jumps over gaps, gives up on what stands. */
  #look(running: Running, now: number): void {
    const video = this.#video;
    const { engine, watch } = running;
    const look = watch.look(now, engine.progress?.() ?? video.currentTime, video.paused);
    const { state, act } = judge({
      ...look,
      // What it said before may be long past.
      status: this.#poll.isUnreachable ? undefined : this.#status?.state,
      paused: video.paused,
      patience: engine.patience,
    });
    if (look.moving) this.#moved(running, look, now);
    else if (!video.paused) this.#follower.stands();
    if (act === 'restart') {
      this.#failed({ reason: 'the picture stands still' });
      return;
    }
    if (act === 'unload' && !this.time.shifted) this.#stop();
    else if (act === 'ask') this.#poll.soon(now);
    // Nothing comes, and this is why.
    this.#show(state === 'buffering' && this.#poll.isUnreachable ? 'unreachable' : state);
  }

  #moved(running: Running, look: Look, now: number): void {
    const { engine } = running;
    // Who watches wants to be counted.
    if (this.#state === 'connecting') this.#poll.askAt(now + ASK_COUNTED_MS, ASK_PLAYING_MS);
    this.record.moved();
    running.hasMoved = true;
    this.#lastFrame.drop();
    if (look.age > PROVED_MS) this.#backoff.reset();
    this.#detour.moved(this.time);
    const wasStill = this.#state === 'buffering' || this.#state === 'unreachable';
    this.#follower.moved(engine, { now, age: look.age, wasStill });
  }

  #seek(time: number): void {
    this.#video.currentTime = time;
    this.#running?.watch.sought(this.#video.currentTime);
  }

  #show(state: PlayerState): void {
    this.record.changes(this.#state, state);
    this.#state = state;
    this.#options.listener.changed();
  }
}
