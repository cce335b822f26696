import {
  GopCache,
  type Output,
  type OutputKind,
  type OutputSource,
  type StreamDescription,
  TimedMetadataCache,
} from '@sluice/core';
import {
  type Millis,
  micros,
  microsFromSeconds,
  type Sample,
  sameTrackConfig,
  type TimedMetadata,
  type TrackId,
} from '@sluice/media';
import type { RelayFrame } from './frame.js';
import { packFrame } from './wire/pack-frame.js';

/** Frames in the order in which they go over the line; the same memory for all sinks. */
export interface RelayBatch {
  readonly pieces: readonly Buffer[];
  readonly bytes: number;
}

/** A line to another process, as a stream sees it. */
export interface RelaySink {
  /** @returns whether there is room for more; after a no, nothing comes until `RelayLink.resume` */
  write(batch: RelayBatch): boolean;
  /** It has been let go: it could not keep up, or the stream is over, which it has been told by an `end` frame. */
  ended(reason: string): void;
  /** How many watch behind it. */
  readonly viewers: number;
}

/** A stream's hold on a sink, as the sink's owner has it. */
export interface RelayLink {
  /** The stream's number on the line. */
  readonly stream: number;
  /** How often it was moved on to a keyframe. */
  readonly skips: number;
  /** The sink has room again. */
  resume(): void;
  /** Nothing is written any more. */
  detach(): void;
}

export interface RelayLimits {
  /** A sink that has had no room for so long is let go. */
  readonly maxStall: Millis;
  /** More moves to a keyframe than this, each within `skipWindow` of the one before, and the sink is let go. */
  readonly maxSkips: number;
  readonly skipWindow: Millis;
}

export interface RelayOutputOptions {
  /** A number for a stream, by which the other ends know it: unique in this process, 1 or more. */
  readonly nextStream: () => number;
  readonly now: () => Millis;
  readonly limits: RelayLimits;
  /** Calls back when what has come in at once has been taken in; by default in this turn of the event loop. */
  readonly defer?: (flush: () => void) => void;
}

/** The kind for all lines of a process, so that each stream is packed once however many there are. */
export function relayOutputKind(options: RelayOutputOptions): OutputKind<RelayOutput> {
  return { name: 'relay', create: (source) => new RelayOutput(source, options) };
}

type LinkState =
  /** Gets each batch. */
  | 'live'
  /** Goes on at the next batch that decoding can begin with. */
  | 'joining'
  /** Has no room. */
  | 'full'
  | 'gone';

interface Link extends RelayLink {
  readonly sink: RelaySink;
  state: LinkState;
  skips: number;
  recentSkips: number;
  lastSkip: number;
  /** The keyframe that was the newest when it had no more room. */
  stoppedAt: number;
  stoppedSince: number;
  /** Something has been left out since. */
  missed: boolean;
  missedSeam: boolean;
}

/** A stream's way to other processes: packed as frames once, for any number of lines. */
export class RelayOutput implements Output {
  /** Its number on all lines. */
  readonly stream: number;
  readonly #source: OutputSource;
  readonly #options: RelayOutputOptions;
  readonly #gop: GopCache;
  readonly #cues = new TimedMetadataCache();
  readonly #links = new Set<Link>();
  #description: StreamDescription = { tracks: [], metadata: {} };
  #tracks: ReadonlySet<TrackId> = new Set();
  #hasVideo = false;
  #wallOrigin: Millis | undefined;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #pendingJoins = false;
  #isDeferred = false;
  /** Counts places where decoding can begin. */
  #joins = 0;
  #idleSince: Millis | undefined;

  constructor(source: OutputSource, options: RelayOutputOptions) {
    this.stream = options.nextStream();
    this.#source = source;
    this.#options = options;
    const { maxBytes, maxFrames, maxSeconds } = source.settings.gopCache;
    this.#gop = new GopCache({ maxBytes, maxFrames, maxDuration: microsFromSeconds(maxSeconds) });
    this.#idleSince = options.now();
  }

  get viewers(): number {
    let viewers = 0;
    for (const { sink } of this.#links) viewers += sink.viewers;
    return viewers;
  }

  get idleSince(): Millis | undefined {
    return this.#idleSince;
  }

  configure(description: StreamDescription): void {
    const known = this.#description.tracks;
    const { tracks } = description;
    const isSame = tracks.length === known.length && tracks.every((config, at) => isSameTrack(config, known[at]));
    if (!isSame) this.#gop.clear();
    this.#description = description;
    this.#tracks = new Set(tracks.map(({ track }) => track));
    this.#hasVideo = tracks.some(({ kind }) => kind === 'video');
    this.#add({ type: 'description', description });
  }

  sample(sample: Sample): void {
    // Sound that was converted for other outputs is converted anew where it is wanted.
    if (!this.#tracks.has(sample.track)) return;
    this.#followClock();
    const isJoin = this.#hasVideo ? sample.kind === 'video' && sample.keyframe : true;
    if (isJoin) {
      this.#joins += 1;
      if (this.#hasVideo) this.#flush();
      if (this.#pending.length === 0) this.#pendingJoins = true;
    }
    this.#gop.push(sample);
    this.#cues.note(sample);
    this.#add({ type: 'sample', sample });
  }

  timedMetadata(metadata: TimedMetadata): void {
    this.#cues.push(metadata, this.#gop.samples);
    this.#add(metadata);
  }

  discontinuity(): void {
    this.#gop.clear();
    this.#add({ type: 'discontinuity' });
    for (const link of this.#links) if (link.state !== 'live') link.missedSeam = true;
  }

  end(reason: string): void {
    this.#flush();
    const batch = batchOf(packFrame(this.stream, { type: 'end', reason }));
    for (const link of [...this.#links]) {
      link.sink.write(batch);
      this.#letGo(link, reason);
    }
  }

  sweep(now: Millis): void {
    for (const link of [...this.#links]) {
      const stalled = now - link.stoppedSince;
      if (link.state === 'full' && stalled > this.#options.limits.maxStall) {
        this.#letGo(link, `stalled: the line has had no room for ${Math.round(stalled / 1000)} s`);
      }
    }
  }

  /** Gives a line the stream: what a decoder needs, the GOP so far, and all that comes behind it. */
  attach(sink: RelaySink): RelayLink {
    const { stream } = this;
    const link: Link = {
      ...{ sink, stream, state: 'joining', skips: 0, recentSkips: 0 },
      ...{ lastSkip: Number.NEGATIVE_INFINITY, stoppedAt: -1, stoppedSince: 0, missed: false, missedSeam: false },
      resume: () => this.#resume(link),
      detach: () => this.#remove(link),
    };
    this.#links.add(link);
    this.#idleSince = undefined;
    this.#begin(link);
    return link;
  }

  /**
   * What somebody begins with who then gets all batches that lines get after this call: where the clock stands, tracks,
   * cues, and the GOP so far. Lines have got all that is in it.
   */
  join(): RelayBatch {
    this.#flush();
    return this.#beginning();
  }

  #begin(link: Link): void {
    this.#flush();
    link.state = this.#canBegin ? 'live' : 'joining';
    if (link.state === 'joining') this.#source.requestKeyframe();
    this.#write(link, this.#beginning(link.missedSeam));
    link.missedSeam = false;
  }

  /** Whether a decoder has what it begins with. */
  get #canBegin(): boolean {
    return !this.#hasVideo || this.#gop.samples.length > 0;
  }

  #beginning(hasSeam = false): RelayBatch {
    this.#followClock();
    const frames: RelayFrame[] = [];
    if (this.#wallOrigin !== undefined) frames.push({ type: 'wall-origin', at: this.#wallOrigin });
    if (hasSeam) frames.push({ type: 'discontinuity' });
    frames.push({ type: 'description', description: this.#description });
    for (const event of this.#cues.withSamples(this.#gop.samples)) {
      frames.push('type' in event ? event : { type: 'sample', sample: event });
    }
    return batchOf(frames.flatMap((frame) => packFrame(this.stream, frame)));
  }

  #followClock(): void {
    const origin = this.#source.wallTimeOf(micros(0));
    if (origin === this.#wallOrigin) return;
    this.#wallOrigin = origin;
    this.#add({ type: 'wall-origin', at: origin });
  }

  #add(frame: RelayFrame): void {
    if (this.#links.size === 0) return;
    for (const piece of packFrame(this.stream, frame)) {
      this.#pending.push(piece);
      this.#pendingBytes += piece.length;
    }
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    const { defer = setImmediate } = this.#options;
    defer(() => {
      this.#isDeferred = false;
      this.#flush();
    });
  }

  #flush(): void {
    const [pieces, bytes, joins] = [this.#pending, this.#pendingBytes, this.#pendingJoins];
    this.#pendingJoins = false;
    if (pieces.length === 0) return;
    this.#pending = [];
    this.#pendingBytes = 0;
    const batch = { pieces, bytes };
    for (const link of [...this.#links]) {
      if (link.state === 'joining' && joins) this.#rejoin(link);
      if (link.state === 'live') this.#write(link, batch);
      else link.missed = true;
    }
  }

  /** Before a batch that begins where decoding can. */
  #rejoin(link: Link): void {
    const { stream } = this;
    const seam: RelayFrame[] = link.missedSeam ? [{ type: 'discontinuity' }] : [];
    const frames: RelayFrame[] = [...seam, { type: 'description', description: this.#description }];
    link.missedSeam = false;
    link.state = 'live';
    this.#write(link, batchOf(frames.flatMap((frame) => packFrame(stream, frame))));
  }

  #write(link: Link, batch: RelayBatch): void {
    if (link.sink.write(batch)) return;
    if (link.state === 'gone') return;
    link.state = 'full';
    link.missed = false;
    link.stoppedAt = this.#joins;
    link.stoppedSince = this.#options.now();
  }

  #resume(link: Link): void {
    if (link.state !== 'full') return;
    if (!link.missed) {
      link.state = 'live';
      return;
    }
    link.state = 'joining';
    link.skips += 1;
    const { maxSkips, skipWindow } = this.#options.limits;
    const now = this.#options.now();
    link.recentSkips = now - link.lastSkip > skipWindow ? 1 : link.recentSkips + 1;
    link.lastSkip = now;
    if (link.recentSkips > maxSkips) {
      this.#letGo(link, `too slow: the line fell behind the stream ${link.recentSkips} times in a row`);
    } else if (link.stoppedAt < this.#joins && this.#gop.samples.length > 0 && this.#hasVideo) {
      this.#begin(link);
    }
  }

  #letGo(link: Link, reason: string): void {
    if (link.state === 'gone') return;
    this.#remove(link);
    link.sink.ended(reason);
  }

  #remove(link: Link): void {
    link.state = 'gone';
    if (this.#links.delete(link) && this.#links.size === 0) this.#idleSince = this.#options.now();
  }
}

const isSameTrack = (
  a: StreamDescription['tracks'][number],
  b: StreamDescription['tracks'][number] | undefined,
): boolean => b !== undefined && sameTrackConfig(a, b);

function batchOf(pieces: readonly Buffer[]): RelayBatch {
  return { pieces, bytes: pieces.reduce((sum, piece) => sum + piece.length, 0) };
}
