import { MediaError } from '../errors.js';
import type { Metadata, Sample } from '../sample.js';
import { type Micros, millisFromMicros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';
import { flvMetadataBody } from './metadata.js';
import { flvConfigBody, flvSampleBodyHeader, flvTagTypeOf } from './sample-writer.js';
import { encodeFlvTag, FLV_SCRIPT, flvFileHeader } from './tag.js';

const NOTHING: Buffer = Buffer.alloc(0);

/** Writes samples as an FLV file. */
export class FlvMuxer {
  readonly #tracks: Map<TrackId, TrackConfig>;

  constructor(tracks: readonly TrackConfig[]) {
    this.#tracks = new Map(tracks.map((config) => [config.track, config]));
  }

  /**
   * File header, metadata and sequence headers.
   *
   * @param options.keyframes leaves room in the metadata for an index of so many, for `completeFlvMetadata`
   */
  header(metadata?: Metadata, options: { readonly keyframes?: number | undefined } = {}): Buffer {
    const tracks = [...this.#tracks.values()];
    const has = (kind: 'audio' | 'video') => tracks.some((config) => config.kind === kind);
    return Buffer.concat([
      flvFileHeader({ audio: has('audio'), video: has('video') }),
      encodeFlvTag(FLV_SCRIPT, 0, flvMetadataBody(tracks, metadata, options)),
      ...tracks.map((config) => configTag(config, 0)),
    ]);
  }

  /** The sequence header of a track that is new or has changed, for samples from `at` on; empty for MP3. */
  config(config: TrackConfig, at: Micros): Buffer {
    this.#tracks.set(config.track, config);
    return configTag(config, millisFromMicros(at));
  }

  /** @throws {MediaError} `no-config` for a sample of a track that wasn't announced, `unsupported` */
  sample(sample: Sample): Buffer {
    const config = this.#tracks.get(sample.track);
    if (config === undefined) throw new MediaError('no-config', `a sample of track ${sample.track}, which is unknown`);
    const header = flvSampleBodyHeader(sample, config);
    return encodeFlvTag(flvTagTypeOf(config), millisFromMicros(sample.dts), header, sample.data);
  }
}

function configTag(config: TrackConfig, milliseconds: number): Buffer {
  const body = flvConfigBody(config);
  return body === undefined ? NOTHING : encodeFlvTag(flvTagTypeOf(config), milliseconds, body);
}
