import {
  CbcsEncryptor,
  type EventMessage,
  eventMessageOf,
  FragmentWriter,
  MediaError,
  type Micros,
  type Millis,
  micros,
  parseVp9FrameHeader,
  type Sample,
  sameTrackConfig,
  type TimedMetadata,
  type TrackConfig,
  type TrackId,
  type TrackRun,
  writeFragment,
  writeInitSegment,
} from '@sluice/media';
import type { CutPolicy } from '../segments/cut-policy.js';
import type { PartTarget } from './part-target.js';
import type { OpenSegment, Packager, PackagerEvents, Part, SegmentKey } from './segment.js';
import type { SegmentKeys } from './segment-keys.js';

export interface CmafPackagerOptions {
  readonly cuts: CutPolicy;
  /** Undefined where segments have no parts. */
  readonly partTarget: PartTarget | undefined;
  /** Samples are encrypted with them; undefined where they stay clear. */
  readonly sampleKeys?: SegmentKeys | undefined;
  /** The media sequence number of a first segment that begins there. */
  readonly firstNumber: (dts: Micros) => number;
  readonly wallTimeOf: (dts: Micros) => Millis;
  readonly events: PackagerEvents;
}

interface Open extends OpenSegment {
  readonly parts: Part[];
  readonly start: Micros;
}

const NO_SECRET = { key: Buffer.alloc(16), iv: Buffer.alloc(16) };
/** A picture's size where its configuration doesn't tell it, to find out whether the rest can be written. */
const ANY_SIZE = { width: 16, height: 16 };

/** Cuts a stream into CMAF segments, and those into parts: each one a fragment with all tracks in it. */
export class CmafPackager implements Packager {
  readonly #options: CmafPackagerOptions;
  #tracks: readonly TrackConfig[] = [];
  /** The track that cuts go by: the picture, or else the sound. */
  #clock: TrackConfig | undefined;
  readonly #writers = new Map<TrackId, FragmentWriter>();
  readonly #encryptors = new Map<TrackId, CbcsEncryptor>();
  #key: SegmentKey | undefined;
  #init: number | undefined;
  #inits = 0;
  #open: Open | undefined;
  #partStart: Micros = micros(0);
  #isPartIndependent = false;
  /** Undefined before the first segment. */
  #next: number | undefined;
  #fragments = 0;
  #events = 0;
  /** To go with the next part. */
  readonly #due: EventMessage[] = [];
  #discontinuity = false;

  constructor(options: CmafPackagerOptions) {
    this.#options = options;
  }

  configure(tracks: readonly TrackConfig[]): void {
    const carried = tracks.filter((config) => this.#canCarry(config));
    if (carried.length === this.#tracks.length && carried.every((config, at) => isSame(config, this.#tracks[at])))
      return;
    this.flush();
    this.#discontinuity ||= this.#next !== undefined;
    this.#tracks = carried;
    this.#clock = carried.find(({ kind }) => kind === 'video') ?? carried[0];
    this.#init = undefined;
    this.#makeWriters();
  }

  sample(sample: Sample): void {
    const writer = this.#writers.get(sample.track);
    if (writer === undefined) return;
    if (sample.track === this.#clock?.track) this.#tick(sample);
    if (this.#open === undefined) return;
    try {
      writer.push(sample);
    } catch (error) {
      // A sample out of order: the stream goes on without it.
      if (!(error instanceof MediaError)) throw error;
    }
  }

  timedMetadata(metadata: TimedMetadata): void {
    this.#events += 1;
    this.#due.push(eventMessageOf(metadata, this.#events));
  }

  discontinuity(): void {
    this.flush();
    this.#discontinuity = true;
    this.#makeWriters();
  }

  flush(): void {
    const open = this.#open;
    if (open === undefined) return;
    const runs = [...this.#writers.values()].flatMap((writer) => writer.finish() ?? []);
    const clock = runs.find(({ track }) => track === this.#clock?.track);
    if (clock !== undefined) this.#addPart(open, runs, durationOf(clock));
    this.#close(open);
    this.#makeWriters();
  }

  /** What a frame of the track that cuts go by means for segment and part. */
  #tick(sample: Sample): void {
    const { cuts, partTarget } = this.#options;
    const { dts } = sample;
    const open = this.#open;
    if (open === undefined) this.#begin(sample);
    else if (cuts.cutsBefore(sample, dts - open.start, this.#clock?.kind === 'video')) {
      this.#endPart(open, dts);
      this.#close(open);
      this.#begin(sample);
    } else if (partTarget?.cutsBefore(dts - this.#partStart) === true) {
      this.#endPart(open, dts);
      this.#partStart = dts;
      this.#isPartIndependent = sample.kind === 'video' ? sample.keyframe : true;
    }
    partTarget?.frame(dts);
  }

  #begin(sample: Sample): void {
    const isIndependent = sample.kind === 'audio' || sample.keyframe;
    const isFirst = this.#next === undefined || this.#discontinuity;
    if ((isFirst || this.#init === undefined) && !isIndependent) return;
    const { dts } = sample;
    const number = this.#next ?? this.#options.firstNumber(dts);
    this.#takeKey(number, isIndependent);
    this.#init ??= this.#writeInit(sample);
    this.#partStart = dts;
    this.#isPartIndependent = isIndependent;
    this.#open = {
      number,
      start: dts,
      startedAt: this.#options.wallTimeOf(dts),
      discontinuity: this.#discontinuity,
      init: this.#init,
      key: this.#key,
      independent: isIndependent,
      parts: [],
    };
    this.#discontinuity = false;
  }

  /** Ends a part before a frame of the clock's track; of others the last sample is held back for the next part. */
  #endPart(open: Open, end: Micros): void {
    const runs: TrackRun[] = [];
    for (const [track, writer] of this.#writers) {
      const run = writer.take(track === this.#clock?.track ? end : undefined);
      if (run !== undefined) runs.push(run);
    }
    this.#addPart(open, runs, micros(end - this.#partStart));
  }

  #addPart(open: Open, runs: readonly TrackRun[], duration: Micros): void {
    const sent = runs.flatMap((run) => this.#encrypted(run) ?? []);
    if (sent.length === 0 || duration <= 0) return;
    this.#fragments += 1;
    const begins = open.parts.length === 0 ? ({ begins: 'segment' } as const) : {};
    const events = this.#due.splice(0);
    const { pieces, length } = writeFragment(sent, { sequence: this.#fragments, events, ...begins });
    const bytes = Buffer.concat(pieces, length);
    open.parts.push({ bytes, duration, independent: this.#isPartIndependent });
    if (this.#options.partTarget?.target !== undefined) this.#options.events.part(open);
  }

  #close(open: Open): void {
    this.#open = undefined;
    const duration = micros(open.parts.reduce((sum, part) => sum + part.duration, 0));
    if (duration <= 0) {
      this.#discontinuity ||= open.discontinuity;
      return;
    }
    this.#next = open.number + 1;
    const bytes = Buffer.concat(open.parts.map((part) => part.bytes));
    const parts = this.#options.partTarget?.target === undefined ? [] : stretchesOf(bytes, open.parts);
    const { number, startedAt, discontinuity, init, key, independent } = open;
    this.#options.partTarget?.decide();
    this.#options.events.segment({ number, startedAt, discontinuity, init, key, independent, parts, bytes, duration });
  }

  #writeInit(first: Sample): number {
    const tracks = new Map(this.#tracks.map((config) => [config.track, { size: sizeOf(config, first) ?? ANY_SIZE }]));
    const protection = this.#key && this.#options.sampleKeys?.secretOf(this.#key);
    const bytes = writeInitSegment(this.#tracks, { tracks, ...(protection === undefined ? {} : { protection }) });
    this.#inits += 1;
    this.#options.events.init(this.#inits, bytes);
    return this.#inits;
  }

  /** An init segment tells the key, and players begin anew with it. */
  #takeKey(number: number, isIndependent: boolean): void {
    const { sampleKeys } = this.#options;
    if (sampleKeys === undefined) return;
    const key = sampleKeys.keyOf(number, isIndependent);
    if (key === this.#key && this.#init !== undefined) return;
    this.#key = key;
    this.#init = undefined;
    this.#encryptors.clear();
    const secret = sampleKeys.secretOf(key);
    for (const config of this.#tracks) this.#encryptors.set(config.track, new CbcsEncryptor(config, secret));
  }

  /** @returns undefined for what can't be encrypted, and mustn't be sent clear: the stream goes on without it */
  #encrypted(run: TrackRun): TrackRun | undefined {
    if (this.#options.sampleKeys === undefined) return run;
    try {
      return this.#encryptors.get(run.track)?.encrypt(run);
    } catch (error) {
      if (error instanceof MediaError) return undefined;
      throw error;
    }
  }

  #makeWriters(): void {
    this.#options.partTarget?.discontinuity();
    this.#writers.clear();
    for (const config of this.#tracks) this.#writers.set(config.track, new FragmentWriter(config));
  }

  #canCarry(config: TrackConfig): boolean {
    try {
      writeInitSegment([config], { tracks: new Map([[config.track, { size: ANY_SIZE }]]) });
      if (this.#options.sampleKeys !== undefined) new CbcsEncryptor(config, NO_SECRET);
      return true;
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      this.#options.events.unsupported(config);
      return false;
    }
  }
}

const isSame = (a: TrackConfig, b: TrackConfig | undefined): boolean => b !== undefined && sameTrackConfig(a, b);

const durationOf = ({ samples, timescale }: TrackRun): Micros =>
  micros(Math.round((samples.reduce((sum, { duration }) => sum + duration, 0) * 1_000_000) / timescale));

/** Only its keyframes tell the size of VP9 that comes without a record of it. */
function sizeOf({ codec, track }: TrackConfig, sample: Sample) {
  if (codec !== 'vp9' || sample.track !== track) return undefined;
  try {
    return parseVp9FrameHeader(sample.data).size;
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

/** The same parts in one memory, so that nothing is held twice. */
function stretchesOf(bytes: Buffer, parts: readonly Part[]): Part[] {
  let at = 0;
  return parts.map((part) => {
    const stretch = { ...part, bytes: bytes.subarray(at, at + part.bytes.length) };
    at += part.bytes.length;
    return stretch;
  });
}
