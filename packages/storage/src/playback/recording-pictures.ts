import {
  type Logger,
  messageOf,
  type PictureMaker,
  type RecordedFile,
  RecordingError,
  Refusal,
  type Storyboard,
} from '@sluice/core';
import { mp4Sample, type Sample, type VideoTrackConfig } from '@sluice/media';
import { LRUCache } from 'lru-cache';
import type { MediaTrack, RecordedMedia } from './recorded-media.js';
import type { RecordingSources } from './recording-sources.js';

export interface RecordingPicturesOptions {
  readonly maker: Pick<PictureMaker, 'make'>;
  readonly sources: RecordingSources;
  readonly log: Logger;
}

const PICTURE = { filter: "scale=w='min(640,iw)':h=-2", quality: 5 };
const COLUMNS = 10;
const MOST_TILES = 100;
const TILE_WIDTH = 160;
/** Between pictures of a storyboard at least, in µs. */
const TILE_MICROS = 2_000_000;
/** Of keyframes that are read for a storyboard. */
const MOST_INPUT = 48 * 1024 * 1024;
const CACHED_BYTES = 32 * 1024 * 1024;

/** Makes pictures of recordings, when they are asked for, and keeps those that were asked for last. */
export class RecordingPictures {
  readonly #options: RecordingPicturesOptions;
  readonly #pictures = new LRUCache<string, Buffer>({
    maxSize: CACHED_BYTES,
    sizeCalculation: ({ length }) => Math.max(length, 1),
  });
  readonly #making = new Map<string, Promise<Buffer>>();

  constructor(options: RecordingPicturesOptions) {
    this.#options = options;
  }

  /** @param at ms of media @throws {RecordingError} @throws {Refusal} `unavailable` */
  async picture(media: RecordedMedia, at: number): Promise<Buffer> {
    const { track, config } = pictureTrack(media);
    const sample = track.keyframeUpTo(at * 1000) ?? track.keyframeFrom(0);
    if (sample === undefined) throw new RecordingError('not-recorded', `${media.file.id} has no keyframe`);
    return this.#made(`${media.file.id} ${sample}`, media.file, async () => {
      return this.#options.maker.make(config, await this.#read(media.file, track, [sample]), PICTURE);
    });
  }

  /** @throws {RecordingError} @throws {Refusal} `unavailable` */
  async storyboard(media: RecordedMedia): Promise<Storyboard> {
    const { file } = media;
    const { track, config } = pictureTrack(media);
    const samples = tilesOf(track);
    if (samples.length === 0) throw new RecordingError('not-recorded', `${file.id} has no keyframe`);
    const rows = Math.ceil(samples.length / COLUMNS);
    const height = Math.max(2, Math.round((TILE_WIDTH * config.height) / Math.max(config.width, 1) / 2) * 2);
    const shape = { filter: `scale=${TILE_WIDTH}:${height},tile=${COLUMNS}x${rows}`, quality: 6 };
    const jpeg = await this.#made(`${file.id} all ${samples.join()}`, file, async () =>
      this.#options.maker.make(config, await this.#read(file, track, samples), shape),
    );
    const times = samples.map((sample) => track.dts(sample) / 1000);
    return { jpeg, columns: COLUMNS, width: TILE_WIDTH, height, times, end: media.end / 1000 };
  }

  /** One is made once, however many ask for it at the same time. */
  #made(key: string, file: RecordedFile, make: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#pictures.get(key);
    if (known !== undefined) return Promise.resolve(known);
    const making = this.#making.get(key) ?? this.#make(key, file, make);
    this.#making.set(key, making);
    return making;
  }

  async #make(key: string, file: RecordedFile, make: () => Promise<Buffer>): Promise<Buffer> {
    try {
      const picture = await make();
      this.#pictures.set(key, picture);
      return picture;
    } catch (error) {
      if (error instanceof Refusal || error instanceof RecordingError) throw error;
      this.#options.log.warn({ file: file.file, detail: messageOf(error) }, 'a picture of a recording can not be made');
      throw new Refusal('unavailable', `no picture can be made of ${file.id}`, { cause: error });
    } finally {
      this.#making.delete(key);
    }
  }

  async #read(file: RecordedFile, { index }: MediaTrack, samples: readonly number[]): Promise<Sample[]> {
    const source = await this.#options.sources.open(file);
    try {
      const read: Sample[] = [];
      for (const number of samples) {
        const bytes = await source.read(index.offsets[number] ?? 0, index.sizes[number] ?? 0);
        const sample = mp4Sample(index, number, bytes);
        if (sample !== undefined) read.push(sample);
      }
      return read;
    } finally {
      await source.close();
    }
  }
}

function pictureTrack({ tracks, file }: RecordedMedia): { track: MediaTrack; config: VideoTrackConfig } {
  for (const track of tracks) {
    const { config } = track.index;
    if (config.kind === 'video') return { track, config };
  }
  throw new RecordingError('not-possible', `${file.id} has no pictures, only sound`);
}

/** Keyframes all over a file, as many as are worth it, and as fit into memory. */
function tilesOf(track: MediaTrack): number[] {
  const all: number[] = [];
  for (let at = track.keyframeFrom(0); at !== undefined; at = track.keyframeFrom(at + 1)) {
    const last = all.at(-1);
    if (last === undefined || track.dts(at) - track.dts(last) >= TILE_MICROS) all.push(at);
  }
  const bytes = all.reduce((sum, sample) => sum + (track.index.sizes[sample] ?? 0), 0);
  const step = Math.max(Math.ceil(all.length / MOST_TILES), Math.ceil(bytes / MOST_INPUT), 1);
  return all.filter((_, at) => at % step === 0);
}
