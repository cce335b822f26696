import { type Micros, secondsFromMicros } from '@sluice/media';
import type { DashPeriod } from './dash-packager.js';
import type { DashTrack } from './dash-track.js';

/** A segment as the timeline lists it, in ticks. */
export interface TimelineEntry {
  readonly start: number;
  readonly duration: number;
}

/** An `S` element: a segment, and those that follow it with the same duration. ISO 23009-1 §5.3.9.6. */
export interface TimelineRun {
  readonly t: number;
  readonly d: number;
  /** How many follow. */
  readonly r: number;
}

/** As a part of a frame. */
const ROUNDING = 0.05;

/**
 * What a track's timeline lists: its finished segments, and where segments are expected to last so long, the one that is
 * being made, and the one after it. Clients can then ask for that one in time; the server answers when it is there.
 *
 * @param expected undefined where clients are to be told of finished segments only
 */
export function timelineOf(track: DashTrack, period: DashPeriod, expected: Micros | undefined): TimelineEntry[] {
  const { closed, open } = track;
  const finished = closed.map(({ start, duration }) => ({ start, duration }));
  const hasBegun = open !== undefined || closed.length > 0;
  const ahead = expected !== undefined && !period.ended && hasBegun ? toCome(track, period.clock, expected) : [];
  const entries = [...finished, ...ahead];
  return entries.map((entry, at) => shortened(entry, entries[at + 1]));
}

/** From the open segment on, to the end of the one after the clock's. */
function toCome(track: DashTrack, clock: DashTrack, expected: Micros): TimelineEntry[] {
  const wanted = secondsFromMicros(expected);
  const begun = clock.secondsOf(clock.open?.start ?? clock.end);
  const ending = Math.max(begun + wanted, clock.secondsOf(clock.end));
  const cuts = [ending, ending + wanted].map((seconds) => Math.round(seconds * track.timescale) + track.offset);
  const entries: TimelineEntry[] = [];
  let start = track.open?.start ?? track.end;
  for (const cut of track.cut === undefined ? cuts : [track.cut, ...cuts]) {
    const duration = track === clock ? cut - start : inFrames(cut - start, track.frame);
    if (duration <= 0) continue;
    entries.push({ start, duration });
    start += duration;
  }
  return entries;
}

/** The first frame of sound that isn't before a cut begins the next segment; timestamps may be imprecise by a little. */
const inFrames = (ticks: number, frame: number): number => Math.ceil(ticks / frame - ROUNDING) * frame;

/** Segments don't overlap: of B-frames, one may begin a little before the frames before it would have ended. */
function shortened({ start, duration }: TimelineEntry, next: TimelineEntry | undefined): TimelineEntry {
  if (next === undefined || next.start <= start) return { start, duration };
  return { start, duration: Math.min(duration, next.start - start) };
}

/** The same in as few elements as it can be told in. */
export function runsOf(entries: readonly TimelineEntry[]): TimelineRun[] {
  const runs: TimelineRun[] = [];
  for (const { start, duration } of entries) {
    const last = runs.at(-1);
    if (last !== undefined && last.d === duration && last.t + last.d * (last.r + 1) === start) {
      runs[runs.length - 1] = { ...last, r: last.r + 1 };
    } else runs.push({ t: start, d: duration, r: 0 });
  }
  return runs;
}
