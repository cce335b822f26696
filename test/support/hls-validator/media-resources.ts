import type { ByteRange } from './attributes.js';
import { type Answer, ask, isOk, now, outcome, pause, type Range } from './http.js';
import type { MediaPlaylist, MediaSegment, Part } from './media-playlist.js';
import { sum } from './media-playlist.js';
import { MediaWatcher } from './media-watcher.js';
import type { Removed } from './playlist-watcher.js';
import { type Finding, type Report, type RuleName, reporter } from './rules.js';

/** Asked for that much earlier than it may be gone, seconds. */
const BEFORE_GONE = 0.3;
/** An answer that takes longer doesn't come. */
const PATIENCE_MS = 30_000;
/** What the parts of a segment may be off its duration and still be all of them, seconds. */
const ALL_PARTS = 0.05;

/** Fetches what a media playlist lists as soon as it lists it, and has it looked at. */
export class MediaResources {
  readonly #report: Report;
  readonly #httpFindings: readonly Finding[];
  readonly #media: MediaWatcher;
  readonly #signal: AbortSignal;
  readonly #over = new AbortController();
  readonly #isOver = new Promise<void>((resolve) => this.#over.signal.addEventListener('abort', () => resolve()));
  readonly #independent: boolean;
  readonly #looksAtMedia: boolean;
  readonly #answers = new Map<string, Promise<Answer>>();
  readonly #hinted = new Set<string>();
  readonly #judged = new Set<string>();
  /** What wasn't there when it was listed. */
  readonly #failed = new Set<string>();
  readonly #pending: Promise<void>[] = [];
  #lastSegment = -1;
  #queue: Promise<void> = Promise.resolve();
  #taken = 0;

  /**
   * @param options.independent whether the multivariant playlist says EXT-X-INDEPENDENT-SEGMENTS
   * @param options.media whether to look into what is fetched
   */
  constructor(playlistUrl: string, options: { independent: boolean; media: boolean; signal: AbortSignal }) {
    const { findings, report } = reporter(playlistUrl);
    this.#httpFindings = findings;
    this.#report = report;
    this.#media = new MediaWatcher(playlistUrl);
    this.#independent = options.independent;
    this.#signal = options.signal;
    this.#looksAtMedia = options.media;
  }

  /** Segments taken so far. */
  get taken(): number {
    return this.#taken;
  }

  get findings(): readonly Finding[] {
    return [...this.#httpFindings, ...this.#media.findings];
  }

  /** What the media turned out to be. @param targetDuration in seconds */
  measured(targetDuration: number): ReturnType<MediaWatcher['measured']> {
    return this.#media.measured(targetDuration);
  }

  /** Fetches what is new in a playlist. @param base the URL that its URIs are relative to */
  take(playlist: MediaPlaylist, base: string): void {
    const fresh = playlist.segments.filter(({ number }) => number > this.#lastSegment);
    const segmentRanges = rangesOf(playlist.segments);
    for (const segment of playlist.segments) this.#takeParts(segment.parts, base);
    this.#takeParts(playlist.open.parts, base);
    for (const segment of fresh) {
      if (segment.gap) continue;
      this.#takeSegment(segment, base, segmentRanges[playlist.segments.indexOf(segment)], playlist);
    }
    this.#lastSegment = fresh.at(-1)?.number ?? this.#lastSegment;
    this.#taken += fresh.length;
    for (const hint of playlist.hints) {
      const isWhole = hint['BYTERANGE-START'] === undefined && hint['BYTERANGE-LENGTH'] === undefined;
      const url = new URL(hint.URI, base).href;
      if (!isWhole || this.#answers.has(url)) continue;
      this.#hinted.add(url);
      void this.#fetch(url, undefined, AbortSignal.any([this.#signal, this.#over.signal]));
    }
  }

  /** Asks for what is no longer listed, right before it may be gone, or when this is over. */
  expect(removed: readonly Removed[], base: string): void {
    for (const { what, uri, until } of removed) this.#pending.push(this.#askLate(what, new URL(uri, base).href, until));
  }

  /** Waits until all that was fetched has been looked at. Nothing may be taken after. */
  async finish(): Promise<void> {
    this.#over.abort();
    await Promise.all([...this.#pending, this.#queue]);
  }

  async #askLate(what: Removed['what'], url: string, until: number): Promise<void> {
    await pause(Math.max(0, until - BEFORE_GONE - now()), AbortSignal.any([this.#signal, this.#over.signal]));
    const answer = await ask(url, this.#signal);
    if (isOk(answer) || this.#failed.has(url) || this.#signal.aborted || answer.receivedAt > until) return;
    const left = `${(until - answer.receivedAt).toFixed(2)} s before it may be`;
    this.#report(`removed-${what}-gone`, `${url} is gone ${left}: ${outcome(answer)}`);
  }

  #takeParts(parts: readonly Part[], base: string): void {
    const ranges = rangesOf(parts);
    parts.forEach((part, index) => {
      if (part.gap) return;
      const url = new URL(part.uri, base).href;
      const rule = this.#hinted.has(url) ? 'hint-unavailable' : 'part-unavailable';
      this.#pending.push(this.#judge(rule, url, this.#fetch(url, ranges[index])));
    });
  }

  #takeSegment(segment: MediaSegment, base: string, range: Range | undefined, playlist: MediaPlaylist): void {
    const url = new URL(segment.uri, base).href;
    const bytes = this.#fetch(url, range);
    const { map, parts } = segment;
    const mapUrl = map === undefined ? undefined : new URL(map.URI, base).href;
    const init = mapUrl === undefined ? undefined : this.#fetch(mapUrl, rangeOf(map?.BYTERANGE));
    this.#pending.push(this.#judge('segment-unavailable', url, bytes));
    if (mapUrl !== undefined && init !== undefined) this.#pending.push(this.#judge('map-unavailable', mapUrl, init));
    const ranges = rangesOf(parts);
    const isWhole = Math.abs(sum(parts.map(({ duration }) => duration)) - segment.inf.duration) < ALL_PARTS;
    const ofParts = isWhole && parts.every(({ gap }) => !gap) ? parts : [];
    const loaded = ofParts.map((part, index) => this.#fetch(new URL(part.uri, base).href, ranges[index]));
    this.#queue = this.#queue.then(async () => {
      const [answer, initAnswer, ...partAnswers] = await Promise.all([bytes, init, ...loaded]);
      this.#answers.delete(keyOf(url, range));
      const isMissing = [answer, ...partAnswers].some((one) => !isOk(one)) || (initAnswer && !isOk(initAnswer));
      if (!this.#looksAtMedia || isMissing || segment.keys.length > 0 || this.#signal.aborted) return;
      // Decoders must not keep the processor from those who time parts of a fraction of a second.
      if (playlist.partTarget !== undefined) await this.#isOver;
      await this.#media.add({
        segment,
        bytes: answer.body,
        init: initAnswer?.body,
        parts: ofParts.map((part, index) => ({ part, bytes: partAnswers[index]?.body ?? Buffer.alloc(0) })),
        independent: playlist.independentSegments || this.#independent,
      });
    });
    // A failure is for who waits for the end of the queue, and unheard of until then.
    this.#queue.catch(() => undefined);
  }

  #fetch(url: string, range: Range | undefined, signal = this.#signal): Promise<Answer> {
    const key = keyOf(url, range);
    const patient = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const known = this.#answers.get(key) ?? ask(url, patient, range);
    this.#answers.set(key, known);
    return known;
  }

  async #judge(rule: RuleName, url: string, asked: Promise<Answer>): Promise<void> {
    if (this.#judged.has(`${rule} ${url}`)) return;
    this.#judged.add(`${rule} ${url}`);
    const answer = await asked;
    if (isOk(answer) || this.#signal.aborted) return;
    this.#failed.add(url);
    this.#report(rule, `${url}: ${outcome(answer)}`);
  }
}

const keyOf = (url: string, range: Range | undefined): string =>
  range === undefined ? url : `${url} ${range.offset}+${range.length}`;

const rangeOf = (range: ByteRange | undefined): Range | undefined =>
  range === undefined ? undefined : { offset: range.offset ?? 0, length: range.length };

/** The bytes that each of neighbours has; one without an offset follows on the one before it. rfc8216bis §4.4.4.2 */
function rangesOf(all: readonly { readonly byteRange: ByteRange | undefined }[]): readonly (Range | undefined)[] {
  let next = 0;
  return all.map(({ byteRange }) => {
    if (byteRange === undefined) return undefined;
    const offset = byteRange.offset ?? next;
    next = offset + byteRange.length;
    return { offset, length: byteRange.length };
  });
}
