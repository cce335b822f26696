import {
  FlvMuxer,
  flvConfigBody,
  MAX_FLV_TAG_BYTES,
  MediaError,
  type Micros,
  micros,
  type Sample,
} from '@sluice/media';
import { checkNotBefore, mediaFault } from './media-fault.js';
import { type ContainerFormat, gather, type MuxerOptions, type RecordingMuxer } from './muxer.js';

/** What a tag has beside the sample's bytes, and some more. */
const MAX_TAG_HEADER = 64;

/** FLV, with further tracks as Enhanced RTMP numbers them. It has no place for timed metadata. */
export const flvFormat: ContainerFormat = {
  refusalFor: (config) => mediaFault(() => flvConfigBody(config)),
  open: (options) => new FlvFileMuxer(options),
};

class FlvFileMuxer implements RecordingMuxer {
  readonly reserve = undefined;
  readonly #muxer: FlvMuxer;
  readonly #options: MuxerOptions;
  readonly #tracks: ReadonlySet<number>;
  #samples: Sample[] = [];
  #waiting = 0;
  /** The stream's time at which the file begins. */
  #start: Micros | undefined;

  constructor(options: MuxerOptions) {
    this.#options = options;
    this.#muxer = new FlvMuxer(options.tracks);
    this.#tracks = new Set(options.tracks.map(({ track }) => track));
  }

  get waiting(): number {
    return this.#waiting;
  }

  sample(sample: Sample): void {
    const { track, data } = sample;
    if (!this.#tracks.has(track)) throw new MediaError('no-config', `a sample of track ${track}, which is unknown`);
    if (data.length > MAX_FLV_TAG_BYTES - MAX_TAG_HEADER) {
      throw new MediaError('too-large', `a sample of ${data.length} bytes; FLV takes ${MAX_FLV_TAG_BYTES}`);
    }
    if (this.#start !== undefined) checkNotBefore(this.#start, sample);
    this.#samples.push(sample);
    this.#waiting += data.length;
  }

  timedMetadata(): void {}

  take(): Buffer | undefined {
    const samples = this.#samples;
    if (samples.length === 0) return undefined;
    this.#samples = [];
    this.#waiting = 0;
    const pieces = this.#start === undefined ? [this.#header()] : [];
    const start = this.#start ?? micros(Math.min(...samples.map(({ dts }) => dts)));
    this.#start = start;
    for (const sample of samples) {
      const dts = micros(sample.dts - start);
      pieces.push(this.#muxer.sample({ ...sample, dts, pts: micros(dts + sample.pts - sample.dts) }));
    }
    return gather(pieces);
  }

  /** With room for an index of about a keyframe a second. */
  #header(): Buffer {
    const { metadata, seconds } = this.#options;
    return this.#muxer.header(metadata, { keyframes: seconds });
  }
}
