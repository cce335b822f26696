import { checkDelta, differenceOf } from './delta.js';
import { durationOf, type MediaPlaylist, type MediaSegment, type Part, sum, withParts } from './media-playlist.js';
import type { MultivariantPlaylist } from './multivariant-playlist.js';
import { type Finding, type Report, reporter } from './rules.js';

/** A playlist as it was loaded. Times are seconds on one clock. */
export interface Load {
  readonly playlist: MediaPlaylist;
  readonly requestedAt: number;
  readonly receivedAt: number;
  /** What a blocking reload waited for. rfc8216bis §6.2.5.2 */
  readonly asked?: { readonly msn: number; readonly part?: number };
}

/** A segment or part that a playlist no longer lists. */
export interface Removed {
  readonly what: 'segment' | 'part';
  readonly uri: string;
  /** Until when it must be there all the same, in seconds. */
  readonly until: number;
}

/** What a server and its network may be late by before it counts, seconds, unless told otherwise. */
const JITTER_SECONDS = 0.25;

/** What seconds written in decimals may be off. */
const ROUNDING = 1e-6;
/**
 * Target durations from the end within which parts must stay. They should go at three; segments are shorter than
 * their target, so that the parts of three of them may be gone a little earlier.
 */
const LIVE_EDGE = 2;

interface Watched {
  readonly segment: MediaSegment;
  /** The longest playlist that had it, seconds. */
  longest: number;
}

/** Checks a media playlist over the times that it is loaded. Delta updates come apart, to `delta`. rfc8216bis §6.2 */
export class PlaylistWatcher {
  readonly findings: readonly Finding[];
  readonly #report: Report;
  readonly #jitter: number;
  readonly #segments = new Map<number, Watched>();
  readonly #parts = new Map<number, readonly Part[]>();
  readonly #dateRanges = new Map<string, Map<string, string>>();
  readonly #reported = new Set<string>();
  #previous: Load | undefined;
  /** When the newest segment, and the newest part, was seen first. */
  #newSegmentAt = Number.POSITIVE_INFINITY;
  #newPartAt = Number.POSITIVE_INFINITY;

  constructor(playlistUrl: string, jitterSeconds = JITTER_SECONDS) {
    this.#jitter = jitterSeconds;
    const { findings, report } = reporter(playlistUrl);
    this.findings = findings;
    this.#report = report;
  }

  /** Takes what was loaded now. @returns what it has no longer */
  add(load: Omit<Load, 'playlist'> & { readonly playlist: MediaPlaylist | MultivariantPlaylist }): readonly Removed[] {
    const { playlist } = load;
    if (playlist.kind !== 'media') {
      this.#report('kind-changed', 'what was a media playlist is a multivariant one now');
      return [];
    }
    const now: Load = { ...load, playlist };
    this.#checkAnswer(now);
    const previous = this.#previous;
    this.#previous = now;
    if (previous === undefined) this.#newSegmentAt = this.#newPartAt = now.receivedAt;
    else this.#compare(previous, now);
    this.#checkSegments(playlist);
    this.#checkDateRanges(playlist);
    const removed = previous === undefined ? [] : this.#removed(previous, now);
    this.#remember(playlist);
    return removed;
  }

  /** Takes a delta update, and the whole playlists loaded right before and after it. */
  delta(before: MediaPlaylist, delta: MediaPlaylist, after: MediaPlaylist): void {
    checkDelta(before, delta, after, this.#report);
  }

  #checkAnswer({ playlist, asked, requestedAt, receivedAt }: Load): void {
    if (asked === undefined) return;
    const { msn, part } = asked;
    const last = lastNumber(playlist);
    const parts = playlist.open.number === msn ? playlist.open.parts.length : 0;
    const holds = last >= msn || (part !== undefined && parts > part) || playlist.open.number > msn;
    if (!holds && !playlist.ended) {
      const wanted = `segment ${msn}${part === undefined ? '' : `, part ${part}`}`;
      this.#report('blocking-answer', `asked for ${wanted}, the answer ends with segment ${last} and ${parts} parts`);
    }
    const took = receivedAt - requestedAt;
    if (took > 3 * (playlist.targetDuration ?? 0) + this.#jitter) {
      this.#report('blocking-slow', `the answer took ${took.toFixed(2)} s, more than three target durations`);
    }
  }

  #compare(previous: Load, now: Load): void {
    const [was, is] = [previous.playlist, now.playlist];
    const changed = (what: string, from: unknown, to: unknown) => `${what} was ${from}, and is ${to}`;
    if (was.targetDuration !== is.targetDuration) {
      const detail = changed('the target duration', was.targetDuration, is.targetDuration);
      this.#report('target-duration-changed', detail);
    }
    if (was.partTarget !== is.partTarget) {
      this.#report('part-target-changed', changed('the part target', was.partTarget, is.partTarget));
    }
    if (was.type !== is.type) {
      this.#report('playlist-type-changed', changed('EXT-X-PLAYLIST-TYPE', was.type, is.type));
    }
    if (was.mediaSequence > is.mediaSequence) {
      this.#report('sequence-went-back', changed('EXT-X-MEDIA-SEQUENCE', was.mediaSequence, is.mediaSequence));
    }
    if (was.discontinuitySequence > is.discontinuitySequence) {
      const detail = changed('EXT-X-DISCONTINUITY-SEQUENCE', was.discontinuitySequence, is.discontinuitySequence);
      this.#report('discontinuity-sequence', detail);
    }
    const [wasLast, isLast] = [lastNumber(was), lastNumber(is)];
    if (isLast < wasLast) this.#report('segment-removed', changed('the last segment', wasLast, isLast));
    if (was.ended && (!is.ended || isLast > wasLast)) {
      this.#report('changed-after-end', `after EXT-X-ENDLIST ${is.ended ? `segment ${isLast} came` : 'it is gone'}`);
    }
    if (is.mediaSequence > was.mediaSequence) this.#checkRemoval(is);
    this.#checkHint(was, is);
    this.#checkPace(was, now);
  }

  #checkRemoval({ type, ended, segments, targetDuration = 0, mediaSequence }: MediaPlaylist): void {
    if (type !== undefined) {
      const detail = `segments before ${mediaSequence} are gone from a playlist of type ${type}`;
      this.#report('removed-with-playlist-type', detail);
    }
    const left = sum(segments.map(({ inf }) => inf.duration));
    if (!ended && left < 3 * targetDuration - ROUNDING) {
      const detail = `segments before ${mediaSequence} are gone, and ${left.toFixed(3)} s are left`;
      this.#report('playlist-too-short', `${detail}, less than three target durations of ${targetDuration} s`);
    }
  }

  #checkHint(was: MediaPlaylist, is: MediaPlaylist): void {
    const hint = was.hints.find(({ TYPE }) => TYPE === 'PART');
    if (hint === undefined || is.ended) return;
    const seen = was.open.parts.length;
    const fresh = withParts(is).flatMap(({ number, parts }) => {
      if (number < was.open.number) return [];
      return number === was.open.number ? parts.slice(seen) : parts;
    });
    const [next] = fresh;
    const now = next?.uri ?? is.hints.find(({ TYPE }) => TYPE === 'PART')?.URI;
    if (now === hint.URI || (next === undefined && lastNumber(is) > lastNumber(was) + 1)) return;
    const said = next === undefined ? `the hint is at ${now}` : `${now} came`;
    this.#report('preload-hint-broken', `${hint.URI} was hinted at, and then ${said}`);
  }

  /** A segment comes 1.5 target durations after the one before at most, and a part one part target. §6.2.1 */
  #checkPace(was: MediaPlaylist, { playlist: is, requestedAt, receivedAt, asked }: Load): void {
    if (was.ended || is.ended) return;
    const newSegment = lastNumber(is) > lastNumber(was);
    const newPart = newSegment || is.open.parts.length > was.open.parts.length;
    // Without blocking nobody knows more than that it wasn't there when the request began.
    const until = (isNew: boolean) =>
      isNew ? (asked === undefined ? Number.NEGATIVE_INFINITY : receivedAt) : requestedAt;
    const late = (rule: 'late-segment' | 'late-part', since: number, isNew: boolean, most: number) => {
      const waited = until(isNew) - since;
      const key = `${rule} ${lastNumber(was)} ${rule === 'late-part' ? was.open.parts.length : ''}`;
      if (waited <= most + this.#jitter || this.#reported.has(key)) return;
      this.#reported.add(key);
      const after = `segment ${lastNumber(was)}${rule === 'late-part' ? ` and ${was.open.parts.length} parts` : ''}`;
      this.#report(rule, `after ${after} nothing came for ${waited.toFixed(2)} s, over ${most.toFixed(2)} s`);
    };
    if (is.targetDuration !== undefined) late('late-segment', this.#newSegmentAt, newSegment, 1.5 * is.targetDuration);
    if (is.partTarget !== undefined) late('late-part', this.#newPartAt, newPart, is.partTarget);
    if (newSegment) this.#newSegmentAt = receivedAt;
    if (newPart) this.#newPartAt = receivedAt;
  }

  #checkSegments(playlist: MediaPlaylist): void {
    for (const segment of playlist.segments) {
      const known = this.#segments.get(segment.number)?.segment;
      if (known === undefined) continue;
      const difference = differenceOf(known, segment, segment === playlist.segments[0]);
      if (difference !== undefined) this.#report('segment-changed', difference);
      else if (known.discontinuitySequence !== segment.discontinuitySequence) {
        const numbers = `${known.discontinuitySequence}, and is ${segment.discontinuitySequence}`;
        this.#report('discontinuity-sequence', `the discontinuity sequence number of ${segment.uri} was ${numbers}`);
      }
    }
    for (const { number, parts } of withParts(playlist)) this.#checkParts(playlist, number, parts);
  }

  #checkParts(playlist: MediaPlaylist, number: number, parts: readonly Part[]): void {
    const known = this.#parts.get(number) ?? [];
    const behind = playlist.segments.filter((segment) => segment.number <= number).map(({ inf }) => inf.duration);
    const fromEnd = durationOf(playlist) - sum(behind);
    const mayGo = fromEnd >= LIVE_EDGE * (playlist.targetDuration ?? 0) - ROUNDING;
    if (parts.length < known.length) {
      if (!mayGo) {
        this.#report('part-removed', `segment ${number} had ${known.length} parts, and has ${parts.length}`);
      }
      return;
    }
    known.forEach((part, index) => {
      if (JSON.stringify(part) === JSON.stringify(parts[index])) return;
      const detail = `part ${index} of segment ${number} was ${JSON.stringify(part)}, and is`;
      this.#report('part-changed', `${detail} ${JSON.stringify(parts[index])}`);
    });
  }

  #checkDateRanges({ dateRanges }: MediaPlaylist): void {
    for (const { ID, raw } of dateRanges) {
      const known = this.#dateRanges.get(ID) ?? new Map<string, string>();
      for (const [name, value] of raw) {
        const said = known.get(name);
        if (said !== undefined && said !== value) {
          this.#report('daterange-changed', `${name} of date range "${ID}" was ${said}, and is ${value}`);
        }
        known.set(name, value);
      }
      this.#dateRanges.set(ID, known);
    }
  }

  /** RFC 8216 §6.2.2 for segments, rfc8216bis §6.2.2 for parts. When they went, nobody knows; not before the last load. */
  #removed({ playlist: was, requestedAt }: Load, { playlist: is }: Load): readonly Removed[] {
    const segments = was.segments.filter(({ number, gap }) => number < is.mediaSequence && !gap);
    const still = new Set(withParts(is).flatMap(({ parts }) => parts.map(({ uri }) => uri)));
    const parts = withParts(was).flatMap((head) => head.parts.filter(({ uri, gap }) => !gap && !still.has(uri)));
    return [
      ...segments.map(({ uri, number, inf }): Removed => {
        const longest = this.#segments.get(number)?.longest ?? 0;
        return { what: 'segment', uri, until: requestedAt + inf.duration + longest };
      }),
      ...parts.map(({ uri }): Removed => {
        return { what: 'part', uri, until: requestedAt + 3 * (is.targetDuration ?? 0) };
      }),
    ];
  }

  #remember(playlist: MediaPlaylist): void {
    const duration = durationOf({ ...playlist, open: { ...playlist.open, parts: [] } });
    for (const segment of playlist.segments) {
      const known = this.#segments.get(segment.number);
      if (known === undefined) this.#segments.set(segment.number, { segment, longest: duration });
      else known.longest = Math.max(known.longest, duration);
    }
    for (const { number, parts } of withParts(playlist)) this.#parts.set(number, parts);
  }
}

/** The media sequence number of the last whole segment. */
export const lastNumber = ({ open }: MediaPlaylist): number => open.number - 1;
