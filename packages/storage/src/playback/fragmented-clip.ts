import type { RecordedClip } from '@sluice/core';
import { writeInitSegment } from '@sluice/media';
import { fragmentOf, windowsOf } from './fragments.js';
import type { MediaCache } from './media-cache.js';
import { readPieces } from './pieces.js';
import type { Plan, PlannedFile } from './plan.js';
import type { RecordedMedia } from './recorded-media.js';
import type { RecordingSources } from './recording-sources.js';

/** What clips are read from. */
export interface ClipParts {
  readonly sources: RecordingSources;
  readonly media: MediaCache;
}

/** A clip as fragmented MP4: it is made while it is read, a fragment at a time, however long it is. */
export function fragmentedClip(plan: Plan, { sources, media: cache }: ClipParts): RecordedClip {
  const { start, duration, missing, ends, configs, reordering: skip, files } = plan;
  async function* read(): AsyncGenerator<Buffer> {
    const options = skip === 0 ? {} : { tracks: new Map(configs.map(({ track }) => [track, { skip }])) };
    yield writeInitSegment(configs, options);
    let sequence = 1;
    for (const { file, tracks } of files) {
      const media = await loadPlanned(cache, { file, tracks });
      const source = await sources.open(file);
      try {
        for (const window of windowsOf(media, tracks)) {
          const pieces = fragmentOf(media, window, { sequence });
          yield* readPieces(source, pieces, { start: 0, end: Number.POSITIVE_INFINITY });
          sequence += 1;
        }
      } finally {
        await source.close();
      }
    }
  }
  return { type: 'video/mp4', size: undefined, etag: undefined, start, duration, missing, ends, read };
}

/** What is in a file of a plan: at least what was in it when the plan was made. */
export function loadPlanned(cache: MediaCache, { file, tracks }: PlannedFile): Promise<RecordedMedia> {
  return cache.load(file, Math.min(...tracks.filter(({ first, end }) => first < end).map(({ end }) => end)));
}
