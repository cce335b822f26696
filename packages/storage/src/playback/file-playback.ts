import { setImmediate as othersTurn } from 'node:timers/promises';
import {
  type ClipQuestion,
  type Clock,
  type LiveRange,
  type Logger,
  type PictureMaker,
  type PlayableFile,
  type RecordedClip,
  type RecordedContent,
  type RecordedFile,
  type RecordedTimeline,
  RecordingError,
  type RecordingIndex,
  type RecordingPlayback,
  type RemoteFiles,
  type Storyboard,
  type StreamPath,
  type WholeFile,
} from '@sluice/core';
import { writeInitSegment } from '@sluice/media';
import { fragmentedClip } from './fragmented-clip.js';
import { fragmentOf, lengthOf } from './fragments.js';
import { MediaCache } from './media-cache.js';
import { readPieces } from './pieces.js';
import { planClip } from './plan.js';
import { ProgressiveClips } from './progressive-clip.js';
import { fileOf, filesIn, isPlayable, playableOf } from './recorded-files.js';
import type { RecordedMedia } from './recorded-media.js';
import { RecordingPictures } from './recording-pictures.js';
import { RecordingSources } from './recording-sources.js';
import { ScanThread } from './scan/scan-thread.js';
import { parseSegmentName } from './segment-name.js';
import { spansOf } from './spans.js';
import { renderVodPlaylist } from './vod-playlist.js';
import { hlsTracks, segmentTracks, VodCutter } from './vod-segments.js';

export interface FilePlaybackOptions {
  readonly index: RecordingIndex;
  /** The recording root. */
  readonly root: string;
  readonly remote?: RemoteFiles | undefined;
  readonly clock: Clock;
  /** Makes pictures. */
  readonly maker: Pick<PictureMaker, 'make'>;
  readonly log: Logger;
}

/** Memory for what is known of files that nobody reads just now: some twenty hours. */
const MEDIA_CACHE_BYTES = 128 * 1024 * 1024;
const MOST_LISTED = 2000;
const MOST_PLAYED = 2000;
const DAY_MS = 86_400_000;
const MIME_TYPES = { mp4: 'video/mp4', flv: 'video/x-flv', ts: 'video/mp2t' } as const;
/** A segment of more samples is none of our playlists'. */
const MOST_SEGMENT_SAMPLES = 100_000;

/** Plays what is recorded, from the files as they are: nothing is transcoded, nothing is written. */
export class FilePlayback implements RecordingPlayback {
  readonly #index: RecordingIndex;
  readonly #sources: RecordingSources;
  readonly #thread = new ScanThread();
  readonly #media: MediaCache;
  readonly #clips: ProgressiveClips;
  readonly #pictures: RecordingPictures;

  constructor({ index, root, remote, clock, maker, log }: FilePlaybackOptions) {
    this.#index = index;
    this.#sources = new RecordingSources({ root, remote });
    this.#media = new MediaCache({ sources: this.#sources, thread: this.#thread, clock, maxBytes: MEDIA_CACHE_BYTES });
    this.#pictures = new RecordingPictures({ maker, sources: this.#sources, log });
    this.#clips = new ProgressiveClips({ sources: this.#sources, media: this.#media });
  }

  /** Answers nothing from then on. */
  close(): Promise<void> {
    return this.#thread.close();
  }

  async timeline(path: StreamPath, range: Partial<LiveRange> = {}): Promise<RecordedTimeline> {
    const found = await filesIn(this.#index, path, range, MOST_LISTED);
    const files: RecordedFile[] = [];
    for (const file of found) files.push(await this.#asFarAsItIs(file));
    return { spans: spansOf(files, range), files: files.map(playableFile), isCut: found.length === MOST_LISTED };
  }

  async clip({ path, range, format }: ClipQuestion): Promise<RecordedClip> {
    const files = await this.#playable(path, range);
    const plan = await planClip(path, range, files, (file) => this.#media.load(file));
    if (format === 'mp4') return this.#clips.clip(plan);
    return fragmentedClip(plan, { sources: this.#sources, media: this.#media });
  }

  async playlist(path: StreamPath, range: Partial<LiveRange>): Promise<string> {
    const from = range.from ?? (await this.#begin(path));
    const to = range.to ?? from + DAY_MS;
    if (to - from > DAY_MS) {
      throw new RecordingError(
        'too-long',
        `${Math.round((to - from) / 3_600_000)} h in one playlist; 24 h are possible`,
      );
    }
    const files = await this.#playable(path, { from, to });
    const cutter = new VodCutter({ from, to });
    let isGrowing = false;
    for (const file of files) {
      const media = await this.#media.load(file);
      await othersTurn();
      cutter.add(media);
      isGrowing ||= file.state === 'writing' && liveEnd(media) < to;
    }
    if (cutter.segments.length === 0) {
      throw new RecordingError('not-recorded', `no whole segment of ${path} is recorded at that time`);
    }
    return renderVodPlaylist(cutter.segments, isGrowing);
  }

  async segment(path: StreamPath, text: string): Promise<RecordedContent> {
    const name = parseSegmentName(text);
    if (name === undefined) throw new RecordingError('not-recorded', 'there is no such segment');
    const file = await fileOf(this.#index, path, name.file);
    if (!isPlayable(file)) throw new RecordingError('not-recorded', `${file.id} has no segments`);
    if (name.kind === 'init') {
      const media = await this.#media.load(file, 1);
      return contentOf(writeInitSegment(hlsTracks(media).map(({ index }) => index.config)));
    }
    const { first, end } = name;
    const media = await this.#media.load(file, end);
    if (end > (media.clock?.count ?? 0) || end - first > MOST_SEGMENT_SAMPLES) {
      throw new RecordingError('not-recorded', `${file.id} has no such segment`);
    }
    const tracks = segmentTracks(media, name);
    if (tracks.some(({ first: from, end: until, shift }, at) => from < until && startOf(media, at, from) + shift < 0)) {
      throw new RecordingError('not-recorded', `${file.id} has no such segment`);
    }
    const pieces = fragmentOf(media, tracks, { sequence: first + 1, begins: 'segment' });
    const sources = this.#sources;
    return {
      type: 'video/mp4',
      size: pieces.reduce((sum, piece) => sum + lengthOf(piece), 0),
      etag: `"${text}"`,
      async *read(start, last) {
        const source = await sources.open(file);
        try {
          yield* readPieces(source, pieces, { start, end: last });
        } finally {
          await source.close();
        }
      },
    };
  }

  async file(path: StreamPath, id: string): Promise<WholeFile> {
    const file = await fileOf(this.#index, path, id);
    if (!file.isLocal) {
      const url = await this.#sources.urlOf(file);
      if (url !== undefined) return { kind: 'elsewhere', url };
    }
    const source = await this.#sources.open(file);
    await source.close();
    const sources = this.#sources;
    const content: RecordedContent = {
      type: MIME_TYPES[file.container],
      size: source.size,
      etag: file.state === 'ready' && file.sha256 !== undefined ? `"${file.sha256}"` : undefined,
      async *read(start, end) {
        const opened = await sources.open(file);
        try {
          yield* opened.stream(start, end - start + 1);
        } finally {
          await opened.close();
        }
      },
    };
    return { kind: 'here', file, content };
  }

  async picture(path: StreamPath, id: string, at: number): Promise<Buffer> {
    return this.#pictures.picture(await this.#mediaOf(path, id), at);
  }

  async storyboard(path: StreamPath, id: string): Promise<Storyboard> {
    return this.#pictures.storyboard(await this.#mediaOf(path, id));
  }

  async #mediaOf(path: StreamPath, id: string): Promise<RecordedMedia> {
    const file = await fileOf(this.#index, path, id);
    if (isPlayable(file)) return this.#media.load(file);
    const { container, state } = file;
    throw new RecordingError(
      'not-possible',
      `pictures are made of whole MP4 files; ${id} is ${container} and ${state}`,
    );
  }

  async #playable(path: StreamPath, range: LiveRange): Promise<RecordedFile[]> {
    return playableOf(path, await filesIn(this.#index, path, range, MOST_PLAYED));
  }

  /** When the oldest that can be played begins. */
  async #begin(path: StreamPath): Promise<number> {
    const [oldest] = playableOf(path, await filesIn(this.#index, path, {}, MOST_PLAYED));
    return oldest?.startedAt ?? 0;
  }

  /** The row of a growing file may not tell how long it is by now. */
  async #asFarAsItIs(file: RecordedFile): Promise<RecordedFile> {
    if (file.state !== 'writing' || !isPlayable(file)) return file;
    try {
      const media = await this.#media.load(file);
      return { ...file, duration: Math.max(file.duration, media.end / 1000) };
    } catch (error) {
      // It has no fragment yet, or has just been removed.
      if (error instanceof RecordingError) return file;
      throw error;
    }
  }
}

function startOf({ tracks }: RecordedMedia, at: number, sample: number): number {
  return tracks[at]?.index.dts[sample] ?? 0;
}

function liveEnd({ file, end }: RecordedMedia): number {
  return file.startedAt + end / 1000 + file.gaps.reduce((sum, { missing }) => sum + missing, 0);
}

function contentOf(bytes: Buffer): RecordedContent {
  return {
    type: 'video/mp4',
    size: bytes.length,
    etag: undefined,
    async *read(start, end) {
      yield bytes.subarray(start, end + 1);
    },
  };
}

function playableFile(file: RecordedFile): PlayableFile {
  const { id, container, state, startedAt, bytes, duration, tracks, gaps } = file;
  return { id, container, state, startedAt, bytes, duration, tracks, gaps, isPlayable: isPlayable(file) };
}
