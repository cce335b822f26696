import {
  type MediaEvent,
  type Metadata,
  type Micros,
  type Millis,
  micros,
  microsFromSeconds,
  millis,
  millisFromMicros,
  type Sample,
  sameTrackConfig,
  type TimedMetadata,
  Timeline,
  type TrackConfig,
  type TrackId,
  type VideoTrackConfig,
} from '@sluice/media';
import type { Clock } from '../clock.js';
import type { PathSettings } from '../config/schema.js';
import type { StreamPath } from '../stream-path.js';
import { ConvertedSound, type ConvertSound, type SoundCodec } from './converted-sound.js';
import type { FigureSeries } from './figure-history.js';
import { GopCache } from './gop-cache.js';
import type { Output, OutputKind, OutputSource, StreamDescription } from './output.js';
import { type StreamFigures, StreamMeter } from './stream-meter.js';
import { TimedMetadataCache } from './timed-metadata-cache.js';

/** An output that nobody has used for this long is dropped. */
const OUTPUT_IDLE_TIME = millis(30_000);

/** A track that an encoder has said nothing of for so long since it came back is a track that it has no more. */
const STALE_TRACK_TIME = 1_000_000;

/** Wall time and timeline may drift apart this far (an encoder's clock runs fast or slow) before they are set anew. */
const MAX_CLOCK_DRIFT = 1000;

/** So much of timed metadata is kept for the first sample of a publication, whose place tells that of the others. */
const MAX_EARLY_METADATA = 16;

/** Media that publishers sent, in bytes and in access units and audio frames. */
export interface ReceivedMedia {
  readonly bytes: number;
  readonly frames: number;
  readonly videoFrames: number;
  readonly audioFrames: number;
}

export type StreamState =
  /** An encoder publishes. */
  | 'live'
  /** The encoder is gone; viewers wait for it until the grace window ends. */
  | 'waiting'
  | 'ended';

/** A timeline that is kept elsewhere: by the stream that this one is made of, or in another process. */
export interface Timescape {
  /** When a sample was live, in wall time. */
  wallTimeOf(dts: Micros): Millis;
}

export interface StreamOptions {
  readonly path: StreamPath;
  readonly settings: PathSettings;
  readonly clock: Clock;
  /** Asks the encoder for a keyframe, where it can be asked. */
  readonly requestKeyframe: () => void;
  readonly convertSound: ConvertSound;
  /** Whose times its samples have; undefined where they have times of their own, which are repaired. */
  readonly follows?: Timescape | undefined;
}

/**
 * One timeline of samples under a path, for as long as encoders feed it with no longer pause than the grace window.
 * Samples come in by `write`, are repaired, remembered for the GOP, and go out to each output once.
 */
export class Stream implements OutputSource {
  readonly path: StreamPath;
  /** As they were when the stream began. */
  readonly settings: PathSettings;
  readonly startedAt: Millis;
  /** Asks the encoder for a keyframe, where it can be asked. */
  readonly requestKeyframe: () => void;
  readonly #clock: Clock;
  #follows: Timescape | undefined;
  readonly #timeline = new Timeline();
  readonly #gop: GopCache;
  readonly #timedMetadata = new TimedMetadataCache();
  readonly #tracks = new Map<TrackId, TrackConfig>();
  readonly #outputs = new Map<OutputKind<Output>, Output>();
  readonly #sound: ConvertedSound;
  readonly #meter: StreamMeter;
  /** Video tracks that have not had their first keyframe since the publication began. */
  readonly #awaitingKeyframe = new Set<TrackId>();
  /** Tracks of the publication before, of which this one has not spoken yet. */
  readonly #staleTracks = new Set<TrackId>();
  /** What was said before the publication's first sample. */
  #earlyMetadata: TimedMetadata[] = [];
  #resumedAt: Micros | undefined;
  #description: StreamDescription = { tracks: [], metadata: {} };
  #state: StreamState = 'live';
  #latestPts: Micros | undefined;
  #hasBFrames = false;
  /** Wall time of dts 0. */
  #wallOrigin: Millis | undefined;
  /** When the last of the outputs that are gone was used; before there was one, when the stream began. */
  #lastUsed: Millis;
  #bytesIn = 0;
  #videoFramesIn = 0;
  #audioFramesIn = 0;

  constructor({ path, settings, clock, requestKeyframe, convertSound, follows }: StreamOptions) {
    this.path = path;
    this.#follows = follows;
    this.requestKeyframe = requestKeyframe;
    this.settings = settings;
    this.#clock = clock;
    this.#sound = new ConvertedSound(convertSound, path, (sample) => this.#emit(sample));
    const { maxBytes, maxFrames, maxSeconds } = settings.gopCache;
    this.#gop = new GopCache({ maxBytes, maxFrames, maxDuration: microsFromSeconds(maxSeconds) });
    this.startedAt = this.#clock.wall();
    this.#lastUsed = this.#clock.monotonic();
    this.#meter = new StreamMeter(clock.monotonic());
  }

  get state(): StreamState {
    return this.#state;
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  get description(): StreamDescription {
    return this.#description;
  }

  get viewers(): number {
    let viewers = 0;
    for (const output of this.#outputs.values()) viewers += output.viewers;
    return viewers;
  }

  /** Monotonic time since when nobody watches or uses it; undefined while somebody does. */
  get idleSince(): Millis | undefined {
    let since = this.#lastUsed;
    for (const output of this.#outputs.values()) {
      const idle = output.unwatchedSince === undefined ? output.idleSince : output.unwatchedSince();
      if (idle === undefined) return undefined;
      if (idle > since) since = idle;
    }
    return since;
  }

  /** Whether pictures come in another order than they are shown in, since the encoder began. */
  get hasBFrames(): boolean {
    return this.#hasBFrames;
  }

  /** Media received, in bytes and in samples. */
  get received(): ReceivedMedia {
    const [videoFrames, audioFrames] = [this.#videoFramesIn, this.#audioFramesIn];
    return { bytes: this.#bytesIn, frames: videoFrames + audioFrames, videoFrames, audioFrames };
  }

  /** What is measured of it, anew about once a second. */
  get figures(): StreamFigures {
    return this.#meter.figures;
  }

  /** What was measured of it in the last minutes. */
  get figureHistory(): FigureSeries {
    return this.#meter.history;
  }

  /** Bit/s of each of the last seconds, oldest first. */
  bitrates(seconds: number): readonly number[] {
    return this.#meter.bitrates(seconds);
  }

  /** The newest keyframe, and how to decode it; undefined where there is none, or it is remembered no more. */
  get keyframe(): { readonly config: VideoTrackConfig; readonly sample: Sample } | undefined {
    const [sample] = this.#gop.samples;
    const config = sample && this.#tracks.get(sample.track);
    return sample?.keyframe && config?.kind === 'video' ? { config, sample } : undefined;
  }

  wallTimeOf(dts: Micros): Millis {
    if (this.#follows !== undefined) return this.#follows.wallTimeOf(dts);
    return millis((this.#wallOrigin ?? this.#clock.wall()) + millisFromMicros(dts));
  }

  /** The output of a kind: the one that runs, or a new one that has been given the current GOP, and cues that count. */
  output<T extends Output>(kind: OutputKind<T>): T {
    const running = this.#outputs.get(kind);
    if (running !== undefined) return running as T;
    const output = kind.create(this);
    if (this.#description.tracks.length > 0) output.configure(this.#sound.descriptionFor(kind.sound));
    for (const event of this.#timedMetadata.withSamples(this.#gop.samples)) {
      if ('type' in event) output.timedMetadata?.(event);
      else output.sample(event);
    }
    if (this.#state !== 'ended') this.#outputs.set(kind, output);
    return output;
  }

  /** The output of a kind, where one runs. */
  running<T extends Output>(kind: OutputKind<T>): T | undefined {
    return this.#outputs.get(kind) as T | undefined;
  }

  /** Takes what a publisher says, in its order. */
  write(event: MediaEvent): void {
    if (this.#state !== 'live') return;
    switch (event.type) {
      case 'sample':
        this.#writeSample(event.sample);
        break;
      case 'config':
        this.#setTrack(event.config);
        break;
      case 'metadata':
        this.#describe(event.metadata);
        break;
      case 'timed-metadata':
        this.#writeTimedMetadata(event);
        break;
      case 'end-of-track':
        // Encoders say so when they stop, and may be back inside the grace window with the same track.
        break;
    }
  }

  /** All tracks that there are from the next sample on, and no others: of a stream that follows another. */
  describe({ tracks, metadata }: StreamDescription): void {
    if (this.#state !== 'live') return;
    const fresh = tracks.filter((config) => {
      const known = this.#tracks.get(config.track);
      return known === undefined || !sameTrackConfig(known, config);
    });
    if (fresh.length > 0 || tracks.length < this.#tracks.size) this.#gop.clear();
    for (const config of fresh) this.#awaitKeyframe(config);
    this.#staleTracks.clear();
    this.#tracks.clear();
    for (const config of tracks) this.#tracks.set(config.track, config);
    this.#describe(metadata);
  }

  /** The encoder is gone, and may come back. */
  pause(): void {
    if (this.#state === 'live') this.#state = 'waiting';
  }

  /** Whether its times are kept elsewhere: the same ones that the stream has there, and wherever else it is followed. */
  get isFollowing(): boolean {
    return this.#follows !== undefined;
  }

  /**
   * Another publication goes on where the last one ended: same timeline, same viewers.
   *
   * @param follows the timeline that its samples have their times of; any but the one that the stream has followed is
   *   taken for that of an encoder, since the stream has times already
   */
  handOver(follows: Timescape | undefined): void {
    if (this.#follows !== undefined && follows !== this.#follows) {
      this.#wallOrigin = this.#follows.wallTimeOf(micros(0));
      this.#follows = undefined;
    }
    this.resume();
  }

  /** The publication begins anew: same timeline, same viewers. */
  resume(): void {
    this.#state = 'live';
    this.#timeline.restart();
    this.#meter.restart(this.#clock.monotonic());
    this.#hasBFrames = false;
    this.#latestPts = undefined;
    this.#gop.clear();
    this.#awaitingKeyframe.clear();
    this.#earlyMetadata = [];
    this.#resumedAt = undefined;
    for (const config of this.#tracks.values()) {
      this.#awaitKeyframe(config);
      this.#staleTracks.add(config.track);
    }
    this.#sound.discontinuity();
    for (const output of this.#outputs.values()) output.discontinuity();
  }

  /** Ends all outputs. Nothing goes in or out afterwards. */
  end(reason: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    for (const output of this.#outputs.values()) output.end(reason);
    this.#outputs.clear();
    this.#sound.close();
    this.#gop.clear();
  }

  sweep(now: Millis): void {
    this.#meter.tick(now, this.#clock.wall(), this.viewers);
    for (const [kind, output] of this.#outputs) {
      output.sweep(now);
      if (output.idleSince === undefined || now - output.idleSince < OUTPUT_IDLE_TIME) continue;
      output.end('idle');
      this.#outputs.delete(kind);
      if (output.idleSince > this.#lastUsed) this.#lastUsed = output.idleSince;
      this.#sound.keepOnly(this.#neededSound());
    }
  }

  #writeSample(received: Sample): void {
    this.#bytesIn += received.data.length;
    this.#meter.received(received.data.length);
    if (received.kind === 'video') this.#videoFramesIn += 1;
    else this.#audioFramesIn += 1;
    if (this.#awaitingKeyframe.has(received.track)) {
      if (!received.keyframe) return;
      this.#awaitingKeyframe.delete(received.track);
    }
    const sample = this.#follows === undefined ? this.#timeline.repair(received).sample : received;
    this.#meter.note(sample);
    if (this.#staleTracks.size > 0) this.#dropStaleTracks(sample);
    if (this.#follows === undefined) this.#followClock(sample.dts);
    else this.#timeline.pass(sample);
    if (sample.kind === 'video') this.#followOrder(sample);
    if (this.#earlyMetadata.length > 0) this.#releaseMetadata();
    this.#emit(sample);
    this.#sound.write(sample);
  }

  #writeTimedMetadata(received: TimedMetadata): void {
    const at = this.#follows === undefined ? this.#timeline.placeOf(received.at) : received.at;
    if (at === undefined) {
      if (this.#earlyMetadata.length < MAX_EARLY_METADATA) this.#earlyMetadata.push(received);
      return;
    }
    const metadata = { ...received, at };
    this.#timedMetadata.push(metadata, this.#gop.samples);
    for (const output of this.#outputs.values()) output.timedMetadata?.(metadata);
  }

  #releaseMetadata(): void {
    const early = this.#earlyMetadata;
    this.#earlyMetadata = [];
    for (const metadata of early) this.#writeTimedMetadata(metadata);
  }

  #emit(sample: Sample): void {
    if (this.#state === 'ended') return;
    this.#gop.push(sample);
    this.#timedMetadata.note(sample);
    for (const output of this.#outputs.values()) output.sample(sample);
  }

  #neededSound(): Set<SoundCodec> {
    return new Set([...this.#outputs.keys()].flatMap(({ sound }) => sound?.to ?? []));
  }

  /** An encoder that came back without its sound is not to be waited for until it has some. */
  #dropStaleTracks({ track, dts }: Sample): void {
    this.#staleTracks.delete(track);
    this.#resumedAt ??= dts;
    if (dts - this.#resumedAt < STALE_TRACK_TIME) return;
    for (const stale of this.#staleTracks) this.#tracks.delete(stale);
    this.#staleTracks.clear();
    this.#describe(this.#description.metadata);
  }

  #setTrack(config: TrackConfig): void {
    this.#staleTracks.delete(config.track);
    const known = this.#tracks.get(config.track);
    if (known !== undefined && sameTrackConfig(known, config)) return;
    this.#tracks.set(config.track, config);
    this.#awaitKeyframe(config);
    this.#describe(this.#description.metadata);
    this.#gop.clear();
  }

  #describe(metadata: Metadata): void {
    const tracks = [...this.#tracks.values()].sort((a, b) => a.track - b.track);
    this.#description = { tracks, metadata };
    if (tracks.length === 0) return;
    this.#sound.configure(this.#description);
    for (const [kind, output] of this.#outputs) output.configure(this.#sound.descriptionFor(kind.sound));
  }

  #awaitKeyframe(config: TrackConfig): void {
    if (config.kind === 'video') this.#awaitingKeyframe.add(config.track);
  }

  #followOrder({ pts, keyframe }: Sample): void {
    if (!keyframe && this.#latestPts !== undefined && pts < this.#latestPts) this.#hasBFrames = true;
    else this.#latestPts = pts;
  }

  #followClock(dts: Micros): void {
    const origin = this.#clock.wall() - millisFromMicros(dts);
    if (this.#wallOrigin === undefined || Math.abs(origin - this.#wallOrigin) > MAX_CLOCK_DRIFT) {
      this.#wallOrigin = millis(origin);
    }
  }
}
