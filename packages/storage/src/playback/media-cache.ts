import { type Clock, messageOf, type RecordedFile, RecordingError } from '@sluice/core';
import { MediaError, type Mp4Index, scanMp4, timescaleOf } from '@sluice/media';
import { LRUCache } from 'lru-cache';
import { RecordedMedia } from './recorded-media.js';
import type { RecordingSource, RecordingSources } from './recording-sources.js';
import type { ScanThread } from './scan/scan-thread.js';

export interface MediaCacheOptions {
  readonly sources: RecordingSources;
  readonly thread: Pick<ScanThread, 'scan'>;
  readonly clock: Clock;
  /** Of memory, for what isn't in use. A single file may take more. */
  readonly maxBytes: number;
}

/** How long what is known of a growing file is good enough. */
const GROWING_MS = 1000;

interface Known {
  readonly media: RecordedMedia;
  readonly at: number;
}

/** What is in files, read when it is first asked for, and kept as long as there is room. */
export class MediaCache {
  readonly #options: MediaCacheOptions;
  readonly #known: LRUCache<string, Known>;
  readonly #loading = new Map<string, Promise<RecordedMedia>>();

  constructor(options: MediaCacheOptions) {
    this.#options = options;
    const { maxBytes: maxSize } = options;
    // A file that takes more is kept alone: it would be read for each of its segments otherwise.
    this.#known = new LRUCache({ maxSize, sizeCalculation: ({ media }) => Math.min(media.bytes, maxSize) });
  }

  /**
   * What is in a file.
   *
   * @param samples of a growing file's clock that have to be known: what is known of it may be old otherwise
   * @throws {RecordingError} `unreadable`
   */
  load(file: RecordedFile, samples?: number): Promise<RecordedMedia> {
    const key = `${file.id} ${file.state}`;
    const known = this.#known.get(key);
    if (known !== undefined && this.#isGood(known, file, samples)) return Promise.resolve(known.media);
    const loading = this.#loading.get(key) ?? this.#read(file, key);
    this.#loading.set(key, loading);
    return loading;
  }

  #scan(source: RecordingSource): Promise<Mp4Index> {
    const { fd, size } = source;
    return fd === undefined ? scanRemote(source) : this.#options.thread.scan(fd, size);
  }

  #isGood({ media, at }: Known, file: RecordedFile, samples: number | undefined): boolean {
    if (file.state !== 'writing') return true;
    if (samples !== undefined) return (media.clock?.count ?? 0) >= samples;
    return this.#options.clock.monotonic() - at < GROWING_MS;
  }

  async #read(file: RecordedFile, key: string): Promise<RecordedMedia> {
    const at = this.#options.clock.monotonic();
    try {
      const source = await this.#options.sources.open(file);
      try {
        const media = new RecordedMedia(file, ours(file, await this.#scan(source)));
        this.#known.set(key, { media, at });
        return media;
      } finally {
        await source.close();
      }
    } catch (error) {
      if (error instanceof RecordingError) throw error;
      const what = error instanceof MediaError ? 'is no MP4 file any more' : "can't be read";
      throw new RecordingError('unreadable', `${file.file} ${what}: ${messageOf(error)}`, { cause: error });
    } finally {
      this.#loading.delete(key);
    }
  }
}

/** Clips take samples as they are, into tracks as we write them. */
function ours({ file }: RecordedFile, index: Mp4Index): Mp4Index {
  const foreign = index.tracks.find(
    ({ config, timescale, lengthSize }) =>
      timescale !== timescaleOf(config) || ((config.codec === 'h264' || config.codec === 'hevc') && lengthSize !== 4),
  );
  if (foreign === undefined) return index;
  throw new RecordingError(
    'not-possible',
    `${file} was written by another program, so no clip is made of it: fetch it whole`,
  );
}

/** Of an object store, it is read as it comes; the tables of such files are in front. */
async function scanRemote(source: RecordingSource): Promise<Mp4Index> {
  const scanning = scanMp4(source.size);
  let step = scanning.next();
  while (!step.done) step = scanning.next(await source.read(step.value.offset, step.value.length));
  return step.value;
}
