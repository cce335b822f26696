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

/**
 * What a track's timeline lists: its finished segments, and where segments are expected to last so long, the one that is
 * being made, and the one after it. Clients can then ask for that one in time; the server answers when it is there.
 *
 * @param expected undefined where clients are to be told of finished segments only
 */
export function timelineOf(track: DashTrack, period: DashPeriod, expected: Micros | undefined): TimelineEntry[] {
  const { closed, open, timescale } = track;
  const entries = closed.map(({ start, duration }) => ({ start, duration }));
  if (expected !== undefined && !period.ended && (open !== undefined || closed.length > 0)) {
    const wanted = secondsFromMicros(expected);
    const start = open?.start ?? track.end;
    const { clock } = period;
    const lasting = Math.max(clock.secondsOf(clock.open?.start ?? clock.end) + wanted, clock.secondsOf(clock.end));
    // Sound ends with one of its frames.
    const inFrames = (ticks: number) => Math.max(1, Math.round(ticks / track.frame)) * track.frame;
    const duration = Math.max(inFrames((lasting - track.secondsOf(start)) * timescale), open?.duration ?? 0);
    entries.push({ start, duration });
    if (open !== undefined) entries.push({ start: start + duration, duration: inFrames(wanted * timescale) });
  }
  return entries.map((entry, at) => shortened(entry, entries[at + 1]));
}

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
