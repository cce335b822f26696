import {
  type EventMessage,
  eventMessageOf,
  FragmentWriter,
  type GrowingMp4Head,
  MediaError,
  type Micros,
  micros,
  mp4MovieRoom,
  parseVp9FrameHeader,
  type Sample,
  type TimedMetadata,
  type TrackConfig,
  type TrackId,
  type TrackRun,
  ticksFromMicros,
  writeFragment,
  writeGrowingMp4Head,
} from '@sluice/media';
import type { ReservedRoom } from '../disk/protocol.js';
import { checkNotBefore, mediaFault } from './media-fault.js';
import { type ContainerFormat, gather, type MuxerOptions, type RecordingMuxer } from './muxer.js';

/** Of one fragment. Where there are more without a sample among them, the oldest are given up. */
const MAX_EVENTS = 1000;
/** A picture's size where its configuration doesn't tell it, to find out whether the rest can be written. */
const ANY_SIZE = { width: 16, height: 16 };

/** MP4 that grows by fragments with all tracks in them, behind room for the index of the finished file. */
export const mp4Format: ContainerFormat = {
  refusalFor: (config) => mediaFault(() => new Mp4Muxer({ tracks: [config], metadata: {}, seconds: 1 })),
  open: (options) => new Mp4Muxer(options),
};

interface Size {
  readonly width: number;
  readonly height: number;
}

class Mp4Muxer implements RecordingMuxer {
  readonly reserve: ReservedRoom;
  readonly #tracks: readonly TrackConfig[];
  readonly #room: number;
  readonly #writers: ReadonlyMap<TrackId, FragmentWriter>;
  readonly #sizes = new Map<TrackId, Size>();
  #events: TimedMetadata[] = [];
  #eventCount = 0;
  #waiting = 0;
  #sequence = 0;
  /** The stream's time at which the file begins. */
  #start = micros(Number.POSITIVE_INFINITY);

  constructor({ tracks, seconds }: MuxerOptions) {
    this.#tracks = tracks;
    this.#writers = new Map(tracks.map((config) => [config.track, new FragmentWriter(config)]));
    this.#room = mp4MovieRoom(tracks, seconds);
    const { front, hole } = this.#head();
    this.reserve = { at: front.length, bytes: hole };
  }

  get waiting(): number {
    return this.#waiting;
  }

  sample(sample: Sample): void {
    const writer = this.#writers.get(sample.track);
    if (writer === undefined) throw new MediaError('no-config', `a sample of track ${sample.track}, which is unknown`);
    if (this.#sequence > 0) checkNotBefore(this.#start, sample);
    writer.push(sample);
    this.#waiting += sample.data.length;
    if (this.#sequence > 0) return;
    if (sample.dts < this.#start) this.#start = sample.dts;
    if (sample.keyframe && !this.#sizes.has(sample.track)) this.#readSize(sample);
  }

  timedMetadata(metadata: TimedMetadata): void {
    this.#events.push(metadata);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
  }

  take(all: boolean): Buffer | undefined {
    // A picture that has waited since the last time goes with the length of the one before; finishing sets it right.
    const runs = [...this.#writers.values()].flatMap(
      (writer) => (all ? undefined : writer.take()) ?? writer.finish() ?? [],
    );
    if (runs.length === 0) return undefined;
    this.#waiting = 0;
    const head = this.#sequence === 0 ? this.#head() : undefined;
    const sequence = this.#sequence + 1;
    const events = this.#takeEvents();
    const { pieces } = writeFragment(
      runs.map((run) => this.#placed(run)),
      { sequence, events },
    );
    this.#sequence = sequence;
    return gather(head === undefined ? pieces : [head.front, head.movie, ...pieces]);
  }

  #head(): GrowingMp4Head {
    const sizes = this.#tracks.map(({ track }): [TrackId, { size: Size }] => [
      track,
      { size: this.#sizes.get(track) ?? ANY_SIZE },
    ]);
    return writeGrowingMp4Head(this.#tracks, { reserve: this.#room, tracks: new Map(sizes) });
  }

  #takeEvents(): EventMessage[] {
    const events = this.#events;
    this.#events = [];
    return events.map((metadata) => {
      this.#eventCount += 1;
      const at = micros(Math.max(metadata.at - this.#start, 0));
      return eventMessageOf({ ...metadata, at }, this.#eventCount);
    });
  }

  /** In the file's time. */
  #placed(run: TrackRun): TrackRun {
    const from = ticksFromMicros(this.#start as Micros, run.timescale);
    return { ...run, baseDecodeTime: Math.max(run.baseDecodeTime - from, 0) };
  }

  /** Only its keyframes tell the size of VP9 that comes without a record of it. */
  #readSize({ track, data }: Sample): void {
    const config = this.#tracks.find((known) => known.track === track);
    if (config?.codec !== 'vp9' || config.width > 0) return;
    let size: Size | undefined;
    if (mediaFault(() => (size = parseVp9FrameHeader(data).size)) === undefined && size !== undefined) {
      this.#sizes.set(track, size);
    }
  }
}
