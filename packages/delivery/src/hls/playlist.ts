import { type Micros, secondsFromMicros } from '@sluice/media';
import type { ListedSegment, OpenSegment, SegmentKey } from './segment.js';
import { SharedText, TextPiece } from './shared-text.js';

/** How the resources of a playlist are called, relative to it. */
export interface ResourceUrls {
  segment(number: number): string;
  part(segment: number, part: number): string;
  init(number: number): string;
  key(number: number): string;
}

export interface PlaylistContent {
  /** Oldest first; one or more. */
  readonly segments: readonly ListedSegment[];
  readonly open: OpenSegment | undefined;
  readonly targetSeconds: number;
  /** Undefined where segments have no parts. */
  readonly partTarget: Micros | undefined;
  /** Discontinuities before the first segment, RFC 8216 §4.3.3.3. */
  readonly discontinuitySequence: number;
  /** All segments begin where decoding can. */
  readonly independent: boolean;
  readonly ended: boolean;
  /** Nothing has left it, nor is to leave it soon. RFC 8216 §4.3.3.5 */
  readonly isEvent?: boolean;
  readonly urls: ResourceUrls;
  /** Lines of older segments as they were rendered before. */
  readonly blocks?: SegmentBlocks;
  /** `EXT-X-DATERANGE` tags. */
  readonly dateRanges: readonly string[];
  /** How far the playlists of the stream's other versions are. */
  readonly reports: readonly RenditionReport[];
}

/** RFC 8216bis §4.4.5.4. */
export interface RenditionReport {
  /** Relative to this playlist. */
  readonly uri: string;
  readonly lastSegment: number;
  /** Undefined where it has no parts. */
  readonly lastPart: number | undefined;
}

/** RFC 8216bis §4.4.3.8: parts are listed for so many target durations; what is older may be skipped in updates. */
const PARTS_TARGETS = 3;
const SKIP_TARGETS = 6;
/** RFC 8216bis §4.4.3.8: how far behind the end players stay, in parts. */
const HOLD_BACK_PARTS = 3;
const SECOND = 1_000_000;

/** So many segments are rendered once, and kept. */
export const BLOCK = 50;

/** The lines of older segments, which don't change any more: in blocks, so that a playlist costs what is new in it. */
export class SegmentBlocks {
  readonly #blocks = new Map<number, TextPiece>();

  /** @param make renders the segments of a block @param first number of its first segment */
  get(first: number, make: () => string): TextPiece {
    const known = this.#blocks.get(first);
    if (known !== undefined) return known;
    const piece = new TextPiece(make());
    this.#blocks.set(first, piece);
    return piece;
  }

  /** Forgets blocks that begin before a segment. */
  forgetBefore(number: number): void {
    for (const first of this.#blocks.keys()) {
      if (first >= number) return;
      this.#blocks.delete(first);
    }
  }
}

/** A live media playlist. RFC 8216 §4.3, RFC 8216bis §4.4. */
export function renderPlaylist(content: PlaylistContent): SharedText {
  return render(content, 0);
}

/** An update of one that the client has: without what is older than six target durations. RFC 8216bis §6.2.5.1. */
export function renderDelta(content: PlaylistContent): SharedText {
  const { segments, targetSeconds } = content;
  let left = SKIP_TARGETS * targetSeconds * SECOND;
  let skipped = segments.length;
  for (; skipped > 0 && left > 0; skipped--) left -= segments[skipped - 1]?.duration ?? 0;
  return render(content, skipped);
}

function render(content: PlaylistContent, skipped: number): SharedText {
  const { segments, open, partTarget, discontinuitySequence, independent, ended, urls, blocks } = content;
  const hasInit = segments.at(-1)?.init !== undefined;
  const isLowLatency = partTarget !== undefined && !ended;
  const head = [
    '#EXTM3U',
    `#EXT-X-VERSION:${isLowLatency || skipped > 0 ? 9 : 6}`,
    `#EXT-X-TARGETDURATION:${content.targetSeconds}`,
    ...(ended ? [] : serverControl(partTarget, content)),
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.number ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
    ...(content.isEvent === true ? ['#EXT-X-PLAYLIST-TYPE:EVENT'] : []),
    ...(independent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    ...content.dateRanges,
    ...(skipped > 0 ? [`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`] : []),
  ];
  const withParts = isLowLatency ? firstWithParts(content) : segments.length;
  const pieces: TextPiece[] = [];
  let lines = new SegmentLines(urls, segments[skipped - 1], head);
  for (let at = skipped; at < segments.length; ) {
    const segment = segments[at];
    if (segment === undefined) break;
    const isBlock = blocks !== undefined && segment.number % BLOCK === 0 && at + BLOCK <= withParts && skipped === 0;
    if (isBlock) {
      if (lines.text !== '') pieces.push(new TextPiece(lines.text));
      const own = segments.slice(at, at + BLOCK);
      pieces.push(blocks.get(segment.number, () => linesOf(own, urls)));
      lines = new SegmentLines(urls, own.at(-1));
      at += BLOCK;
    } else {
      lines.add(segment, at >= withParts && segment.parts.length > 0);
      at += 1;
    }
  }
  if (isLowLatency) {
    if (open !== undefined && open.parts.length > 0) lines.addOpen(open);
    const next = open === undefined ? (segments.at(-1)?.number ?? -1) + 1 : open.number;
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${urls.part(next, open?.parts.length ?? 0)}"`);
    for (const report of content.reports) lines.push(reportLine(report));
  }
  if (ended) lines.push('#EXT-X-ENDLIST');
  if (!hasInit && isLowLatency) throw new Error('parts without an init segment');
  if (lines.text !== '') pieces.push(new TextPiece(lines.text));
  return new SharedText(pieces);
}

function linesOf(segments: readonly ListedSegment[], urls: ResourceUrls): string {
  const lines = new SegmentLines(
    urls,
    undefined,
    [],
    segments.some(({ key }) => key !== undefined),
  );
  for (const segment of segments) lines.add(segment, false);
  return lines.text;
}

/** Lines of segments in their order. What holds until it is told otherwise is told where it changes. */
class SegmentLines {
  readonly #urls: ResourceUrls;
  readonly #lines: string[];
  readonly #keys: KeyLines;
  #init: number | undefined;

  /**
   * @param before the segment that the reader has read before; undefined to repeat what holds
   * @param isFollowing nothing is known of what comes before: that no key holds is said, too
   */
  constructor(urls: ResourceUrls, before: OpenSegment | undefined, lines: string[] = [], isFollowing = false) {
    this.#urls = urls;
    this.#lines = lines;
    this.#init = before?.init;
    this.#keys = new KeyLines(before?.key, urls, isFollowing);
  }

  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  push(line: string): void {
    this.#lines.push(line);
  }

  add(segment: ListedSegment, withParts: boolean): void {
    this.#begin(segment);
    if (withParts) this.#lines.push(...partLines(segment, this.#urls));
    this.#lines.push(`#EXTINF:${secondsOf(segment.duration)},`, this.#urls.segment(segment.number));
  }

  addOpen(segment: OpenSegment): void {
    this.#begin(segment);
    this.#lines.push(...partLines(segment, this.#urls));
  }

  #begin({ init, discontinuity, startedAt, key }: OpenSegment): void {
    if (discontinuity) this.#lines.push('#EXT-X-DISCONTINUITY');
    if (init !== this.#init && init !== undefined) {
      // A key is for the init segments behind it, too, of which AES-128 would need another IV.
      this.#lines.push(...this.#keys.before(key?.method === 'SAMPLE-AES' ? key : undefined));
      this.#lines.push(`#EXT-X-MAP:URI="${this.#urls.init(init)}"`);
    }
    this.#init = init;
    this.#lines.push(...this.#keys.before(key));
    this.#lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(startedAt).toISOString()}`);
  }
}

/** Says where a key begins to hold. RFC 8216 §4.3.2.4. */
class KeyLines {
  readonly #urls: ResourceUrls;
  #key: SegmentKey | undefined;
  /** A key that an update has skipped holds on by the RFC, and is said again for players that lose it. */
  #isToRepeat: boolean;

  /** @param before of the last segment that isn't shown */
  constructor(before: SegmentKey | undefined, urls: ResourceUrls, isFollowing: boolean) {
    this.#urls = urls;
    this.#key = before;
    this.#isToRepeat = before !== undefined || isFollowing;
  }

  /** What stands before something that is encrypted with a key, or is clear. */
  before(key: SegmentKey | undefined): string[] {
    if (!this.#isToRepeat && key?.number === this.#key?.number) return [];
    this.#isToRepeat = false;
    this.#key = key;
    return [key === undefined ? '#EXT-X-KEY:METHOD=NONE' : keyLine(key, this.#urls)];
  }
}

function keyLine(key: SegmentKey, urls: ResourceUrls): string {
  const attributes = [`METHOD=${key.method}`, `URI="${urls.key(key.number)}"`];
  if (key.method === 'SAMPLE-AES')
    attributes.push(`IV=0x${key.iv.toString('hex').toUpperCase()}`, 'KEYFORMAT="identity"');
  return `#EXT-X-KEY:${attributes.join(',')}`;
}

function reportLine({ uri, lastSegment, lastPart }: RenditionReport): string {
  const part = lastPart === undefined ? '' : `,LAST-PART=${lastPart}`;
  return `#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${lastSegment}${part}`;
}

/** Without parts there is something to say where updates save much. */
function serverControl(partTarget: Micros | undefined, content: PlaylistContent): string[] {
  const skip = `CAN-SKIP-UNTIL=${SKIP_TARGETS * content.targetSeconds}`;
  if (partTarget === undefined) {
    return content.segments.length > BLOCK ? [`#EXT-X-SERVER-CONTROL:${skip}`] : [];
  }
  const holdBack = secondsOf((partTarget * HOLD_BACK_PARTS) as Micros);
  const control = ['CAN-BLOCK-RELOAD=YES', `PART-HOLD-BACK=${holdBack}`, skip];
  return [`#EXT-X-SERVER-CONTROL:${control.join(',')}`, `#EXT-X-PART-INF:PART-TARGET=${secondsOf(partTarget)}`];
}

function partLines({ number, parts }: OpenSegment, urls: ResourceUrls): string[] {
  return parts.map(({ duration, independent }, part) => {
    const independence = independent ? ',INDEPENDENT=YES' : '';
    return `#EXT-X-PART:DURATION=${secondsOf(duration)},URI="${urls.part(number, part)}"${independence}`;
  });
}

/** @returns index of the oldest segment whose parts are listed */
function firstWithParts({ segments, targetSeconds }: PlaylistContent): number {
  let left = PARTS_TARGETS * targetSeconds * SECOND;
  for (let at = segments.length - 1; at >= 0; at--) {
    left -= segments[at]?.duration ?? 0;
    if (left < 0) return at + 1;
  }
  return 0;
}

/** Exact enough that parts add up to their segment. */
const secondsOf = (duration: Micros): string => secondsFromMicros(duration).toFixed(5);
