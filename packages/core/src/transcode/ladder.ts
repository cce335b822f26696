import {
  type Micros,
  micros,
  microsFromSeconds,
  type Sample,
  type TrackConfig,
  TS_TIME_OFFSET,
  type VideoTrackConfig,
} from '@sluice/media';
import type { Gate } from '../access/gate.js';
import type { TranscodePathSettings } from '../config/transcode-schema.js';
import { growingPause } from '../growing-pause.js';
import type { Logger } from '../logger.js';
import type { StreamPath } from '../stream-path.js';
import type { StreamRouter } from '../streams/router.js';
import type { Stream } from '../streams/stream.js';
import type { CpuBudget } from './cpu-budget.js';
import type { FfmpegLine, FfmpegProgress } from './ffmpeg-output.js';
import { type FfmpegLimits, FfmpegProcess, type FfmpegProgram } from './ffmpeg-process.js';
import { hasOutput, ladderArguments } from './ladder-arguments.js';
import { carriedTracks, LadderFeed, RunMuxer } from './ladder-feed.js';
import { LadderShares } from './ladder-shares.js';
import { Rendition } from './rendition.js';
import { decodingCost, type SourcePicture, sourcePictureOf } from './rendition-cost.js';
import { RunWatch, STALLED_AFTER_MS } from './run-watch.js';

export interface LadderOptions {
  readonly source: Stream;
  readonly settings: TranscodePathSettings;
  readonly program: FfmpegProgram;
  readonly limits: () => FfmpegLimits;
  readonly budget: CpuBudget;
  readonly gate: Pick<Gate, 'admit'>;
  readonly router: StreamRouter;
  readonly log: Logger;
  /** It has given back a part of the budget. */
  readonly onRoom: () => void;
}

/** Figures of a ladder's ffmpeg. */
export interface LadderFigures {
  /** `idle`: nobody watches. `waiting`: for the source's next keyframe, for room, or for the next try. */
  readonly state: 'idle' | 'waiting' | 'running';
  readonly pid: number | undefined;
  /** Cores that are reserved for it. */
  readonly reserved: number;
  /** Cores that it takes; undefined where the system doesn't tell. */
  readonly cpu: number | undefined;
  /** 1 is real time. */
  readonly speed: number | undefined;
  readonly fps: number | undefined;
  /** How far its output is behind its input, in seconds. */
  readonly behind: number | undefined;
  /** Samples that were left out because ffmpeg was behind. */
  readonly dropped: number;
  /** How often ffmpeg ended by itself. */
  readonly restarts: number;
  /** Errors in its log. */
  readonly errors: number;
}

interface Run {
  readonly process: FfmpegProcess;
  readonly muxer: RunMuxer;
  /** What stands at 0 in what goes in. */
  readonly base: Micros;
  readonly watch: RunWatch;
  lastInDts: Micros | undefined;
  /** The end of what it said of errors. */
  said: string;
  lines: number;
}

const PAUSES = { firstMs: 1000, longestMs: 30_000 } as const;
const TICK_MS = 1000;
/** Then another one goes on, before the clock of MPEG-TS turns over. */
const LONGEST_RUN = microsFromSeconds(24 * 3600);
/** What ffmpeg has not read is kept up to here, so that it can catch up with a GOP. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;
const MOST_BEHIND = microsFromSeconds(6);
const LINES_LOGGED_PER_RUN = 20;
const TEXT_KEPT = 500;
const MOST_THREADS = 8;

/** All renditions of one stream, made by one ffmpeg that is watched over and begun again. */
export class Ladder {
  readonly renditions: readonly Rendition[];
  readonly #options: LadderOptions;
  readonly #shares: LadderShares<Rendition>;
  #feed: LadderFeed | undefined;
  #run: Run | undefined;
  #running: readonly Rendition[] = [];
  #cut = new Set<Rendition>();
  #timer: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #restarts = 0;
  #errors = 0;
  #dropped = 0;
  #awaitsKeyframe = false;
  #progress: FfmpegProgress | undefined;

  constructor(options: LadderOptions) {
    this.#options = options;
    this.#shares = new LadderShares(options.budget);
    const { source, settings, gate, router, log } = options;
    this.renditions = Object.entries(settings.renditions).map(([name, own]) => {
      const rendition: Rendition = new Rendition({
        ...{ name, source, gate, router, log },
        path: `${source.path}/${name}` as StreamPath,
        settings: own,
        onCut: () => this.#leaveOut(rendition),
      });
      return rendition;
    });
  }

  /** The stream that the renditions are made of. */
  get source(): Stream {
    return this.#options.source;
  }

  get settings(): TranscodePathSettings {
    return this.#options.settings;
  }

  get isActive(): boolean {
    return this.#feed !== undefined;
  }

  get figures(): LadderFigures {
    const run = this.#run;
    const idle = this.#feed === undefined ? 'idle' : 'waiting';
    return {
      state: run === undefined ? idle : 'running',
      pid: run?.process.pid,
      reserved: this.#shares.cores,
      cpu: run?.watch.cpu,
      speed: this.#progress?.speed,
      fps: this.#progress?.fps,
      behind: run && this.#behind(run),
      dropped: this.#dropped,
      restarts: this.#restarts,
      errors: this.#errors,
    };
  }

  /** The picture that comes in; undefined before it is known, and where there is none. */
  get picture(): SourcePicture | undefined {
    const { tracks, metadata } = this.source.description;
    const config = tracks.find((track): track is VideoTrackConfig => track.kind === 'video');
    return config && sourcePictureOf(config, metadata.framerate);
  }

  /** Begins to make renditions. Does nothing while it does so already. */
  start(): void {
    if (this.#feed !== undefined) return;
    this.#cut.clear();
    const { maxBytes, maxFrames, maxSeconds } = this.source.settings.gopCache;
    const limits = { maxBytes, maxFrames, maxDuration: microsFromSeconds(maxSeconds) };
    const feed = new LadderFeed(limits, {
      onTracks: () => this.#tracksChanged(),
      onSample: (sample) => this.#sample(sample),
    });
    this.source.output({ name: 'transcode', create: () => feed });
    this.#feed = feed;
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    // Where it is not remembered, the encoder may be asked for one.
    if (feed.recent(undefined).length === 0) this.source.requestKeyframe();
    this.#launch();
  }

  /** Tries again what was refused. */
  retryRefused(): void {
    if (!this.isActive || !this.renditions.some(({ state }) => state === 'refused')) return;
    const before = this.#shares.size;
    this.#admit();
    if (this.#shares.size === before) return;
    this.#halt();
    this.#launch();
  }

  /** Ends all renditions. It can be started again. */
  stop(reason: string): void {
    const { log, onRoom } = this.#options;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#halt();
    const wasActive = this.isActive;
    this.#feed?.close();
    this.#feed = undefined;
    this.#running = [];
    for (const rendition of this.renditions) rendition.close(reason);
    this.#failures = 0;
    if (!wasActive) return;
    log.info({ path: this.source.path, reason }, 'renditions are made no more');
    this.#shares.giveBack();
    onRoom();
  }

  /** Other tracks cost something else, and need other arguments. */
  #tracksChanged(): void {
    if (this.#feed === undefined) return;
    this.#halt();
    this.#shares.giveBack();
  }

  #sample(sample: Sample): void {
    if (this.#feed === undefined) return;
    if (this.#run !== undefined && sample.keyframe && sample.dts - this.#run.base > LONGEST_RUN) this.#halt();
    if (this.#run !== undefined) this.#write(this.#run, sample);
    // What has just come in is in the feed's memory.
    else if (this.#retry === undefined && sample.keyframe) this.#launch();
  }

  /** Begins ffmpeg with what the feed remembers. Where it remembers nothing, the next keyframe will do. */
  #launch(): void {
    const feed = this.#feed;
    const recent = feed?.recent(this.#madeByAll()) ?? [];
    if (feed === undefined || recent.length === 0 || this.#run !== undefined) return;
    const { carried, fault } = carriedTracks(feed.tracks);
    this.#admit();
    const hasSound = carried.some(({ kind }) => kind === 'audio');
    const hasPicture = carried.some(({ kind }) => kind === 'video');
    const wanted = this.renditions.filter((rendition) => this.#shares.has(rendition) && !this.#cut.has(rendition));
    // What should have a picture is not made as sound alone because the picture can't be carried.
    const lacksPicture = this.picture !== undefined && !hasPicture;
    const made = wanted.filter(
      ({ settings }) => hasOutput(settings, hasPicture, hasSound) && !(lacksPicture && settings.codec !== 'none'),
    );
    for (const rendition of wanted) {
      if (made.includes(rendition)) continue;
      rendition.withhold('failed', fault ?? 'the source has nothing for it');
      this.#shares.drop(rendition);
    }
    this.#running = made;
    if (made.length > 0) this.#spawn(recent, carried, made);
  }

  #spawn(recent: readonly Sample[], tracks: readonly TrackConfig[], made: readonly Rendition[]): void {
    const { program, limits, log } = this.#options;
    const hasSound = tracks.some(({ kind }) => kind === 'audio');
    const picture = tracks.some(({ kind }) => kind === 'video') ? this.picture : undefined;
    const muxer = new RunMuxer(tracks);
    const base = muxer.begin(recent[0]?.dts ?? micros(0));
    const origin = base - TS_TIME_OFFSET;
    for (const rendition of made) rendition.begin(base, trackKinds(rendition, picture, hasSound));
    const watch = new RunWatch(performance.now());
    const steps = made.map(({ settings, lastPicture }) => ({
      settings,
      after: lastPicture === undefined ? undefined : Math.max(0, lastPicture - origin) / 1e6,
    }));
    const process = new FfmpegProcess({
      program,
      limits: limits(),
      args: ladderArguments({ picture, hasSound, steps, threads: this.#threads(picture) }),
      outputs: made.length,
      onOutput: (output, bytes) => {
        watch.gave(performance.now());
        made[output]?.push(bytes);
      },
      onProgress: (progress) => {
        this.#progress = progress;
      },
      onLine: (line) => this.#said(run, line),
      onEnd: (reason) => this.#ended(run, reason),
    });
    const run: Run = { process, muxer, base, watch, said: '', lines: 0, lastInDts: undefined };
    this.#run = run;
    this.#awaitsKeyframe = false;
    const names = made.map(({ name }) => name);
    log.info({ path: this.source.path, renditions: names, pid: process.pid }, 'renditions are being made');
    process.write(muxer.tables());
    for (const sample of recent) this.#write(run, sample);
  }

  /** What ffmpeg can't keep up with is left out, up to where it can begin again. */
  #write(run: Run, sample: Sample): void {
    run.watch.fed(performance.now());
    const isStart = sample.kind === 'video' ? sample.keyframe : this.picture === undefined;
    const isBehind = run.process.waiting > MOST_WAITING_BYTES || this.#isTooLate(run);
    if (isBehind) this.#awaitsKeyframe = true;
    else if (isStart) this.#awaitsKeyframe = false;
    if (this.#awaitsKeyframe) {
      this.#dropped += 1;
      return;
    }
    const bytes = run.muxer.sample(sample);
    if (bytes === undefined) return;
    run.lastInDts = sample.dts;
    run.process.write(bytes);
  }

  #isTooLate(run: Run): boolean {
    return run.process.waiting > 0 && (this.#behind(run) ?? 0) * 1e6 > MOST_BEHIND;
  }

  /** Seconds. */
  #behind({ lastInDts }: Run): number | undefined {
    const made = this.#madeByAll();
    return lastInDts === undefined || made === undefined ? undefined : Math.max(0, lastInDts - made) / 1e6;
  }

  /** The last picture that no rendition lacks. */
  #madeByAll(): Micros | undefined {
    const made = this.#running.flatMap(({ lastPicture }) => lastPicture ?? []);
    return made.length === 0 ? undefined : micros(Math.min(...made));
  }

  /** Takes from the budget what it can have, in the order of the configuration. */
  #admit(): void {
    const { log } = this.#options;
    for (const rendition of this.renditions) {
      if (this.#cut.has(rendition)) continue;
      const reason = this.#shares.take(rendition, this.picture);
      if (reason === undefined) continue;
      if (rendition.state !== 'refused') {
        log.warn({ path: this.source.path, rendition: rendition.name, reason }, 'a rendition is refused');
      }
      rendition.withhold('refused', reason);
    }
  }

  /** It is not made any more, until all of them are begun anew. The others go on. */
  #leaveOut(rendition: Rendition): void {
    this.#cut.add(rendition);
    this.#shares.drop(rendition);
    if (this.#run === undefined) return;
    this.#halt();
    this.#launch();
  }

  /** More than it takes on average: a keyframe should not wait. */
  #threads(picture: SourcePicture | undefined): { decoder: number; encoder: number } {
    const bounded = (count: number) => Math.min(MOST_THREADS, Math.max(1, Math.ceil(count)));
    return {
      decoder: bounded(picture === undefined ? 1 : decodingCost(picture) * 1.5),
      encoder: bounded(this.#shares.most * 1.5),
    };
  }

  #halt(): void {
    this.#run?.process.kill();
    this.#run = undefined;
    this.#progress = undefined;
  }

  #ended(run: Run, reason: string): void {
    if (this.#run !== run) return;
    this.#halt();
    this.#restarts += 1;
    this.#failures += 1;
    for (const rendition of this.#running) rendition.interrupt();
    // Once at once: viewers wait for it.
    const retryMs = this.#failures === 1 ? 0 : growingPause(this.#failures - 1, PAUSES);
    const { path } = this.source;
    this.#options.log.warn({ path, reason, detail: run.said.trim(), retryMs }, 'making renditions is interrupted');
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#launch();
    }, retryMs);
  }

  #said(run: Run, { level, text }: FfmpegLine): void {
    if (level === 'info') return;
    if (level === 'error') this.#errors += 1;
    if (level !== 'warning') run.said = `${run.said}${text}\n`.slice(-TEXT_KEPT);
    run.lines += 1;
    if (run.lines <= LINES_LOGGED_PER_RUN) {
      this.#options.log.debug({ path: this.source.path, level, text }, 'ffmpeg says');
    }
  }

  async #tick(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    const now = performance.now();
    if (run.watch.isGood(now)) this.#failures = 0;
    if (run.watch.hangs(now)) {
      run.process.kill();
      this.#ended(run, `ffmpeg has given nothing for ${STALLED_AFTER_MS / 1000} s`);
      return;
    }
    const seconds = await run.process.cpuSeconds();
    if (seconds !== undefined) run.watch.measured(seconds, performance.now());
  }
}

function trackKinds({ settings }: Rendition, picture: SourcePicture | undefined, hasSound: boolean): string {
  const kinds = [
    ...(picture !== undefined && settings.codec !== 'none' ? ['video'] : []),
    ...(hasSound && settings.audio !== 'none' ? ['audio'] : []),
  ];
  return kinds.join(' ');
}
