import type { ByteRange, DateTime } from './attributes.js';
import type { Item, PlaylistOrigin } from './lines.js';
import type { Report } from './rules.js';
import type { Inf, TagName, TagValue } from './tags.js';

/** A part of a segment. rfc8216bis §4.4.4.9 */
export interface Part {
  readonly uri: string;
  /** In seconds. */
  readonly duration: number;
  readonly independent: boolean;
  readonly gap: boolean;
  readonly byteRange: ByteRange | undefined;
}

/** What applies to a segment, or to one that has only parts so far. */
export interface SegmentHead {
  /** Its media sequence number. */
  readonly number: number;
  /** EXT-X-DISCONTINUITY tags right before it. */
  readonly discontinuities: number;
  /** rfc8216bis §6.2.1 */
  readonly discontinuitySequence: number;
  readonly dateTime: DateTime | undefined;
  readonly map: TagValue<'EXT-X-MAP'> | undefined;
  readonly keys: readonly TagValue<'EXT-X-KEY'>[];
  readonly parts: readonly Part[];
}

/** A media segment. */
export interface MediaSegment extends SegmentHead {
  readonly uri: string;
  readonly inf: Inf;
  readonly byteRange: ByteRange | undefined;
  readonly gap: boolean;
  /** kbit/s, as EXT-X-BITRATE says. */
  readonly bitrate: number | undefined;
}

/** A media playlist. rfc8216bis §4.3 */
export interface MediaPlaylist {
  readonly kind: 'media';
  readonly url: string;
  readonly items: readonly Item[];
  readonly version: number;
  /** In seconds. */
  readonly targetDuration: number | undefined;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly ended: boolean;
  readonly type: 'EVENT' | 'VOD' | undefined;
  readonly iFramesOnly: boolean;
  readonly independentSegments: boolean;
  readonly start: TagValue<'EXT-X-START'> | undefined;
  /** In seconds. */
  readonly partTarget: number | undefined;
  readonly serverControl: TagValue<'EXT-X-SERVER-CONTROL'> | undefined;
  readonly skip: TagValue<'EXT-X-SKIP'> | undefined;
  readonly segments: readonly MediaSegment[];
  /** What comes after the last segment: parts of the next one, or only what will apply to it. */
  readonly open: SegmentHead;
  readonly hints: readonly TagValue<'EXT-X-PRELOAD-HINT'>[];
  readonly reports: readonly TagValue<'EXT-X-RENDITION-REPORT'>[];
  readonly dateRanges: readonly TagValue<'EXT-X-DATERANGE'>[];
}

/** Seconds that its segments and open parts take. */
export function durationOf({ segments, open }: MediaPlaylist): number {
  return sum(segments.map(({ inf }) => inf.duration)) + sum(open.parts.map(({ duration }) => duration));
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** The segments and after them the open one, if it has parts. */
export function withParts({ segments, open }: MediaPlaylist): readonly SegmentHead[] {
  return open.parts.length > 0 ? [...segments, open] : segments;
}

/** What a tag says that a playlist has once. */
export function tagValue<N extends TagName>(items: readonly Item[], name: N): TagValue<N> | undefined {
  return items.find((item) => item.name === name)?.value as TagValue<N> | undefined;
}

/** What all tags of a name say. */
export function tagValues<N extends TagName>(items: readonly Item[], name: N): readonly TagValue<N>[] {
  return items.filter((item) => item.name === name).map(({ value }) => value as TagValue<N>);
}

/** Applies to one segment only; a URI line has to follow. */
const NEEDS_URI = ['EXTINF', 'EXT-X-BYTERANGE', 'EXT-X-GAP'] as const;
const ONCE_A_SEGMENT = [...NEEDS_URI, 'EXT-X-PROGRAM-DATE-TIME'] as const;
/** Must come before the first part of the segment that they apply to. rfc8216bis §4.4.4.9 */
const BEFORE_PARTS: readonly string[] = ['EXT-X-DISCONTINUITY', 'EXT-X-KEY', 'EXT-X-MAP', 'EXT-X-PROGRAM-DATE-TIME'];

/** Puts the tags of a media playlist together. */
export function buildMediaPlaylist(items: readonly Item[], origin: PlaylistOrigin, report: Report): MediaPlaylist {
  const skip = tagValue(items, 'EXT-X-SKIP');
  const mediaSequence = tagValue(items, 'EXT-X-MEDIA-SEQUENCE') ?? 0;
  const discontinuitySequence = tagValue(items, 'EXT-X-DISCONTINUITY-SEQUENCE') ?? 0;
  const first = mediaSequence + (skip?.['SKIPPED-SEGMENTS'] ?? 0);
  checkOrder(items, report);
  const { segments, open } = new SegmentReader(first, discontinuitySequence, report).readAll(items);
  return {
    kind: 'media',
    url: origin.url ?? '',
    items,
    version: tagValue(items, 'EXT-X-VERSION') ?? 1,
    targetDuration: tagValue(items, 'EXT-X-TARGETDURATION'),
    mediaSequence,
    discontinuitySequence,
    ended: tagValue(items, 'EXT-X-ENDLIST') ?? false,
    type: tagValue(items, 'EXT-X-PLAYLIST-TYPE'),
    iFramesOnly: tagValue(items, 'EXT-X-I-FRAMES-ONLY') ?? false,
    independentSegments: tagValue(items, 'EXT-X-INDEPENDENT-SEGMENTS') ?? false,
    start: tagValue(items, 'EXT-X-START'),
    partTarget: tagValue(items, 'EXT-X-PART-INF')?.['PART-TARGET'],
    serverControl: tagValue(items, 'EXT-X-SERVER-CONTROL'),
    skip,
    segments,
    open,
    hints: tagValues(items, 'EXT-X-PRELOAD-HINT'),
    reports: tagValues(items, 'EXT-X-RENDITION-REPORT'),
    dateRanges: tagValues(items, 'EXT-X-DATERANGE'),
  };
}

function checkOrder(items: readonly Item[], report: Report): void {
  const indexOf = (...names: readonly Item['name'][]) => {
    const index = items.findIndex(({ name }) => names.includes(name));
    return index < 0 ? Number.POSITIVE_INFINITY : index;
  };
  const late = (name: TagName, ...before: readonly Item['name'][]) => {
    const index = indexOf(name);
    if (Number.isFinite(index) && index > indexOf(...before)) {
      report('tag-order', `${name} in line ${items[index]?.line} comes after ${before.join(' or ')}`);
    }
  };
  late('EXT-X-MEDIA-SEQUENCE', 'URI', 'EXTINF', 'EXT-X-PART');
  late('EXT-X-DISCONTINUITY-SEQUENCE', 'URI', 'EXTINF', 'EXT-X-PART', 'EXT-X-DISCONTINUITY');
  late('EXT-X-SKIP', 'URI', 'EXTINF', 'EXT-X-PART');
}

/** Reads segments in order, with what carries over from one to the next. */
class SegmentReader {
  readonly #report: Report;
  readonly #segments: MediaSegment[] = [];
  #number: number;
  #discontinuitySequence: number;
  #map: TagValue<'EXT-X-MAP'> | undefined;
  #keys: readonly TagValue<'EXT-X-KEY'>[] = [];
  #bitrate: number | undefined;
  /** Tags since the last URI line. */
  #tags: Item[] = [];

  constructor(first: number, discontinuitySequence: number, report: Report) {
    this.#number = first;
    this.#discontinuitySequence = discontinuitySequence;
    this.#report = report;
  }

  readAll(items: readonly Item[]): { segments: readonly MediaSegment[]; open: SegmentHead } {
    for (const item of items) this.#read(item);
    const dangling = this.#tags.find(({ name }) => NEEDS_URI.some((needing) => needing === name));
    if (dangling !== undefined) {
      this.#report('uri-line', `${dangling.name} in line ${dangling.line} is followed by no URI`);
    }
    return { segments: this.#segments, open: this.#head() };
  }

  #read(item: Item): void {
    if (BEFORE_PARTS.includes(item.name) && this.#tags.some(({ name }) => name === 'EXT-X-PART')) {
      this.#report('tag-order', `${item.name} in line ${item.line} comes after parts of its segment`);
    }
    if (item.name === 'EXT-X-DISCONTINUITY') this.#discontinuitySequence += 1;
    if (item.name === 'EXT-X-MAP') this.#map = item.value;
    if (item.name === 'EXT-X-BITRATE') this.#bitrate = item.value;
    if (item.name === 'EXT-X-KEY') this.#applyKey(item.value);
    if (item.name === 'URI') this.#close(item.value, item.line);
    else this.#tags.push(item);
  }

  /** A key replaces that of the same format; NONE replaces all. rfc8216bis §4.4.4.4 */
  #applyKey(key: TagValue<'EXT-X-KEY'>): void {
    const others = this.#keys.filter(({ KEYFORMAT }) => KEYFORMAT !== key.KEYFORMAT);
    this.#keys = key.METHOD === 'NONE' ? [] : [...others, key];
  }

  #close(uri: string, line: number): void {
    for (const name of ONCE_A_SEGMENT) {
      const [, again] = this.#tags.filter((tag) => tag.name === name);
      if (again !== undefined) this.#report('tag-once', `${name} in line ${again.line} is there twice for one segment`);
    }
    const inf = tagValue(this.#tags, 'EXTINF');
    if (inf === undefined) this.#report('uri-line', `the URI in line ${line} has no EXTINF`);
    const byteRange = tagValue(this.#tags, 'EXT-X-BYTERANGE');
    this.#segments.push({
      ...this.#head(),
      uri,
      inf: inf ?? { duration: 0, written: '0', title: '' },
      byteRange,
      gap: tagValue(this.#tags, 'EXT-X-GAP') ?? false,
      bitrate: byteRange === undefined ? this.#bitrate : undefined,
    });
    this.#number += 1;
    this.#tags = [];
  }

  #head(): SegmentHead {
    return {
      number: this.#number,
      discontinuities: tagValues(this.#tags, 'EXT-X-DISCONTINUITY').length,
      discontinuitySequence: this.#discontinuitySequence,
      dateTime: tagValue(this.#tags, 'EXT-X-PROGRAM-DATE-TIME'),
      map: this.#map,
      keys: this.#keys,
      parts: tagValues(this.#tags, 'EXT-X-PART').map((part) => ({
        uri: part.URI,
        duration: part.DURATION,
        independent: part.INDEPENDENT === 'YES',
        gap: part.GAP === 'YES',
        byteRange: part.BYTERANGE,
      })),
    };
  }
}
