import { type Micros, secondsFromMicros } from '@sluice/media';
import type { OpenSegment, Segment, SegmentKey } from './segment.js';

/** How the resources of a playlist are called, relative to it. */
export interface ResourceUrls {
  segment(number: number): string;
  part(segment: number, part: number): string;
  init(number: number): string;
  key(number: number): string;
}

export interface PlaylistContent {
  /** Oldest first; one or more. */
  readonly segments: readonly Segment[];
  readonly open: OpenSegment | undefined;
  readonly targetSeconds: number;
  /** Undefined where segments have no parts. */
  readonly partTarget: Micros | undefined;
  /** Discontinuities before the first segment, RFC 8216 §4.3.3.3. */
  readonly discontinuitySequence: number;
  /** All segments begin where decoding can. */
  readonly independent: boolean;
  readonly ended: boolean;
  readonly urls: ResourceUrls;
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

/** A live media playlist. RFC 8216 §4.3, RFC 8216bis §4.4. */
export function renderPlaylist(content: PlaylistContent): string {
  return render(content, 0);
}

/** An update of one that the client has: without what is older than six target durations. RFC 8216bis §6.2.5.1. */
export function renderDelta(content: PlaylistContent): string {
  const { segments, targetSeconds } = content;
  let left = SKIP_TARGETS * targetSeconds * SECOND;
  let kept = 0;
  for (const { duration } of [...segments].reverse()) {
    if (left <= 0) break;
    left -= duration;
    kept += 1;
  }
  return render(content, segments.length - kept);
}

function render(content: PlaylistContent, skipped: number): string {
  const { segments, open, partTarget, discontinuitySequence, independent, ended, urls } = content;
  const hasInit = segments.some(({ init }) => init !== undefined);
  const isLowLatency = partTarget !== undefined && !ended;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${isLowLatency ? 9 : 6}`,
    `#EXT-X-TARGETDURATION:${content.targetSeconds}`,
    ...(isLowLatency ? serverControl(partTarget, content.targetSeconds) : []),
    `#EXT-X-MEDIA-SEQUENCE:${segments[0]?.number ?? 0}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
    ...(independent ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
    ...(skipped > 0 ? [`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`] : []),
  ];
  const withParts = isLowLatency ? firstWithParts(segments, content.targetSeconds) : Number.POSITIVE_INFINITY;
  const lastSkipped = segments[skipped - 1];
  let init = lastSkipped?.init;
  const keys = new KeyLines(lastSkipped?.key, urls);
  const begin = (segment: OpenSegment): void => {
    if (segment.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
    if (segment.init !== init && segment.init !== undefined) {
      // A key is for the init segments behind it, too, of which AES-128 would need another IV.
      lines.push(...keys.before(segment.key?.method === 'SAMPLE-AES' ? segment.key : undefined));
      lines.push(`#EXT-X-MAP:URI="${urls.init(segment.init)}"`);
    }
    init = segment.init;
    lines.push(...keys.before(segment.key));
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startedAt).toISOString()}`);
  };
  for (const segment of segments.slice(skipped)) {
    begin(segment);
    if (segment.number >= withParts) lines.push(...partLines(segment, urls));
    lines.push(`#EXTINF:${secondsOf(segment.duration)},`, urls.segment(segment.number));
  }
  if (isLowLatency) {
    if (open !== undefined && open.parts.length > 0) {
      begin(open);
      lines.push(...partLines(open, urls));
    }
    const next = open === undefined ? (segments.at(-1)?.number ?? -1) + 1 : open.number;
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${urls.part(next, open?.parts.length ?? 0)}"`);
  }
  if (isLowLatency) lines.push(...content.reports.map(reportLine));
  if (ended) lines.push('#EXT-X-ENDLIST');
  if (!hasInit && isLowLatency) throw new Error('parts without an init segment');
  return `${lines.join('\n')}\n`;
}

/** Says where a key begins to hold. RFC 8216 §4.3.2.4. */
class KeyLines {
  readonly #urls: ResourceUrls;
  #key: SegmentKey | undefined;
  /** A key that an update has skipped holds on by the RFC, and is said again for players that lose it. */
  #isSkipped: boolean;

  /** @param skipped of the last segment that isn't shown */
  constructor(skipped: SegmentKey | undefined, urls: ResourceUrls) {
    this.#urls = urls;
    this.#key = skipped;
    this.#isSkipped = skipped !== undefined;
  }

  /** What stands before something that is encrypted with a key, or is clear. */
  before(key: SegmentKey | undefined): string[] {
    if (!this.#isSkipped && key?.number === this.#key?.number) return [];
    this.#isSkipped = false;
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

function serverControl(partTarget: Micros, targetSeconds: number): string[] {
  const holdBack = secondsOf((partTarget * HOLD_BACK_PARTS) as Micros);
  const control = [
    `CAN-BLOCK-RELOAD=YES`,
    `PART-HOLD-BACK=${holdBack}`,
    `CAN-SKIP-UNTIL=${SKIP_TARGETS * targetSeconds}`,
  ];
  return [`#EXT-X-SERVER-CONTROL:${control.join(',')}`, `#EXT-X-PART-INF:PART-TARGET=${secondsOf(partTarget)}`];
}

function partLines({ number, parts }: OpenSegment, urls: ResourceUrls): string[] {
  return parts.map(({ duration, independent }, part) => {
    const independence = independent ? ',INDEPENDENT=YES' : '';
    return `#EXT-X-PART:DURATION=${secondsOf(duration)},URI="${urls.part(number, part)}"${independence}`;
  });
}

function reportLine({ uri, lastSegment, lastPart }: RenditionReport): string {
  const part = lastPart === undefined ? '' : `,LAST-PART=${lastPart}`;
  return `#EXT-X-RENDITION-REPORT:URI="${uri}",LAST-MSN=${lastSegment}${part}`;
}

/** @returns the number of the oldest segment whose parts are listed */
function firstWithParts(segments: readonly Segment[], targetSeconds: number): number {
  let left = PARTS_TARGETS * targetSeconds * SECOND;
  for (const { number, duration } of [...segments].reverse()) {
    left -= duration;
    if (left < 0) return number + 1;
  }
  return 0;
}

/** Exact enough that parts add up to their segment. */
const secondsOf = (duration: Micros): string => secondsFromMicros(duration).toFixed(5);
