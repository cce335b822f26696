import { MediaError } from '../errors.js';
import type { Metadata, Sample } from '../sample.js';
import { millisFromMicros } from '../time.js';
import type { TrackConfig } from '../track-config.js';
import { flvMetadataBody } from './metadata.js';
import { flvConfigBody, flvSampleBodyHeader, flvTagTypeOf } from './sample-writer.js';
import { encodeFlvTag, FLV_SCRIPT, flvFileHeader } from './tag.js';

/** Writes samples as an FLV file. */
export class FlvMuxer {
  readonly #tracks: readonly TrackConfig[];

  constructor(tracks: readonly TrackConfig[]) {
    this.#tracks = tracks;
  }

  /** File header, metadata and sequence headers. */
  header(metadata?: Metadata): Buffer {
    const has = (kind: 'audio' | 'video') => this.#tracks.some((config) => config.kind === kind);
    const parts = [
      flvFileHeader({ audio: has('audio'), video: has('video') }),
      encodeFlvTag(FLV_SCRIPT, 0, flvMetadataBody(this.#tracks, metadata)),
    ];
    for (const config of this.#tracks) {
      const body = flvConfigBody(config);
      if (body !== undefined) parts.push(encodeFlvTag(flvTagTypeOf(config), 0, body));
    }
    return Buffer.concat(parts);
  }

  /** @throws {MediaError} `no-config` for a sample of a track that wasn't announced */
  sample(sample: Sample): Buffer {
    const config = this.#tracks.find((candidate) => candidate.track === sample.track);
    if (config === undefined) throw new MediaError('no-config', `a sample of track ${sample.track}, which is unknown`);
    const header = flvSampleBodyHeader(sample, config);
    return encodeFlvTag(flvTagTypeOf(config), millisFromMicros(sample.dts), header, sample.data);
  }
}
