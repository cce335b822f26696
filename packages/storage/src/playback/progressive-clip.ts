import { createHash } from 'node:crypto';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { type RecordedClip, RecordingError } from '@sluice/core';
import { type MovieTrackSamples, micros, ticksFromMicros, timescaleOf, writeMp4Head } from '@sluice/media';
import { LRUCache } from 'lru-cache';
import { type ClipParts, loadPlanned } from './fragmented-clip.js';
import { dataOf, type Piece, windowsOf } from './fragments.js';
import { readPieces } from './pieces.js';
import type { Plan, PlannedTrack } from './plan.js';
import type { RecordedMedia } from './recorded-media.js';

/** Tables of so many samples, of some eight hours, take 60 MB while they are made. */
const MOST_SAMPLES = 2_000_000;
/** Of heads that were asked for last: whoever seeks in a clip asks for it again and again. */
const CACHED_BYTES = 32 * 1024 * 1024;
/** After so many stretches others have a turn. */
const PAUSE_AFTER = 100;

interface Head {
  readonly bytes: Buffer;
  /** Of data, from each file. */
  readonly lengths: readonly number[];
}

/** Makes clips as MP4 with the tables in front: their length is known, and any range of them can be had. */
export class ProgressiveClips {
  readonly #parts: ClipParts;
  readonly #heads = new LRUCache<string, Head>({
    maxSize: CACHED_BYTES,
    sizeCalculation: ({ bytes }) => Math.min(bytes.length, CACHED_BYTES),
  });

  constructor(parts: ClipParts) {
    this.#parts = parts;
  }

  /** @throws {RecordingError} `too-long`, `unreadable` */
  async clip(plan: Plan): Promise<RecordedClip> {
    const samples = plan.files.flatMap(({ tracks }) => tracks).reduce((sum, { first, end }) => sum + end - first, 0);
    if (samples > MOST_SAMPLES) {
      const hours = (plan.duration / 3_600_000).toFixed(1);
      const way = 'ask for format=fmp4, which has no limit, or for less';
      throw new RecordingError(
        'too-long',
        `${hours} h are too long for one clip with tables (${samples} samples); ${way}`,
      );
    }
    const key = keyOf(plan);
    const head = this.#heads.get(key) ?? (await this.#makeHead(plan));
    this.#heads.set(key, head);
    const { start, duration, missing, ends } = plan;
    const size = head.lengths.reduce((sum, length) => sum + length, head.bytes.length);
    const read = (from: number, to: number) => this.#read(plan, head, { start: from, end: to });
    return { type: 'video/mp4', size, etag: `"${key}"`, start, duration, missing, ends, read };
  }

  async #makeHead(plan: Plan): Promise<Head> {
    const columns = plan.configs.map((_, track) => emptyColumns(plan, track));
    const filled = plan.configs.map(() => 0);
    const lengths: number[] = [];
    let at = 0;
    for (const planned of plan.files) {
      const media = await loadPlanned(this.#parts.media, planned);
      const start = at;
      let windows = 0;
      for (const window of windowsOf(media, planned.tracks)) {
        window.forEach((stretch, track) => {
          const [into, from] = [columns[track], media.tracks[track]?.index];
          if (into === undefined || from === undefined) return;
          for (let sample = stretch.first; sample < stretch.end; sample++) {
            const to = filled[track] ?? 0;
            filled[track] = to + 1;
            into.offsets[to] = at;
            into.sizes[to] = from.sizes[sample] ?? 0;
            into.dts[to] = (from.dts[sample] ?? 0) + stretch.shift;
            into.durations[to] = from.durations[sample] ?? 0;
            into.compositionOffsets[to] = from.compositionOffsets[sample] ?? 0;
            into.keyframes[to] = from.keyframes[sample] ?? 0;
            at += from.sizes[sample] ?? 0;
          }
        });
        windows += 1;
        if (windows % PAUSE_AFTER === 0) await othersTurn();
      }
      lengths.push(at - start);
    }
    const tracks = plan.configs.map((config, track): MovieTrackSamples => {
      const timescale = timescaleOf(config);
      const skip = ticksFromMicros(plan.reordering, timescale);
      return { config, timescale, skip, delay: micros(0), ...(columns[track] ?? emptyColumns(plan, track)) };
    });
    return { bytes: writeMp4Head(tracks, at), lengths };
  }

  async *#read(plan: Plan, head: Head, { start, end }: { start: number; end: number }): AsyncGenerator<Buffer> {
    if (start < head.bytes.length) yield head.bytes.subarray(start, end + 1);
    let at = head.bytes.length;
    for (const [number, planned] of plan.files.entries()) {
      const length = head.lengths[number] ?? 0;
      if (at > end) return;
      if (at + length > start) {
        const media = await loadPlanned(this.#parts.media, planned);
        const source = await this.#parts.sources.open(planned.file);
        try {
          yield* readPieces(source, dataPieces(media, planned.tracks), { start: start - at, end: end - at });
        } finally {
          await source.close();
        }
      }
      at += length;
    }
  }
}

function* dataPieces(media: RecordedMedia, tracks: readonly PlannedTrack[]): Generator<Piece> {
  for (const window of windowsOf(media, tracks)) {
    for (const [at, stretch] of window.entries()) {
      const track = media.tracks[at];
      if (track !== undefined) yield* dataOf(track, stretch);
    }
  }
}

/** Room for all samples of a track. */
function emptyColumns({ files }: Plan, track: number) {
  const count = files.reduce((sum, { tracks }) => sum + (tracks[track]?.end ?? 0) - (tracks[track]?.first ?? 0), 0);
  return {
    count,
    offsets: new Float64Array(count),
    sizes: new Uint32Array(count),
    dts: new Float64Array(count),
    durations: new Uint32Array(count),
    compositionOffsets: new Int32Array(count),
    keyframes: new Uint8Array(count),
  };
}

/** The same samples make the same bytes. */
function keyOf({ files }: Plan): string {
  const told = files.map(({ file, tracks }) => [
    file.id,
    file.startedAt,
    tracks.map(({ first, end, shift }) => [first, end, shift]),
  ]);
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 32);
}
