import type { PlayableFile, RecordedSpan, RecordedTimeline } from '@sluice/core';

/** A stretch as MediaMTX's playback server lists it. */
interface ListedSpan {
  readonly start: string;
  /** Seconds. */
  readonly duration: number;
  readonly url: string;
}

/** @param origin of the URLs: `http://host:8080` */
export function listedSpans(path: string, spans: readonly RecordedSpan[], origin: string): ListedSpan[] {
  return spans.map((span) => {
    const start = timeText(span.start);
    const duration = seconds(span.duration);
    return {
      start,
      duration,
      url: `${origin}/get?${new URLSearchParams({ duration: String(duration), path, start })}`,
    };
  });
}

/** What is recorded of a path, for the page of recordings. */
export function timelineJson(path: string, { spans, files, isCut }: RecordedTimeline) {
  return {
    path,
    spans: spans.map(({ start, duration, codecs, isGrowing }) => ({
      ...{ start: timeText(start), duration: seconds(duration), codecs },
      recording: isGrowing,
    })),
    gaps: gapsBetween(spans),
    files: files.map((file) => fileJson(path, file)),
    truncated: isCut,
  };
}

function fileJson(
  path: string,
  { id, container, state, startedAt, duration, bytes, tracks, isPlayable }: PlayableFile,
) {
  const url = `/${path}/recordings/${id}.${container}`;
  const kinds = tracks.map(({ kind, codec, codecString, width, height }) => ({
    kind,
    codec,
    codecString,
    width,
    height,
  }));
  return {
    ...{ id, container, state, start: timeText(startedAt), duration: seconds(duration), bytes },
    ...{ tracks: kinds, playable: isPlayable, url },
  };
}

/** Codecs may change without time missing. */
function gapsBetween(spans: readonly RecordedSpan[]) {
  return spans.slice(1).flatMap((span, before) => {
    const last = spans[before];
    const end = last === undefined ? span.start : last.start + last.duration;
    return span.start <= end ? [] : [{ start: timeText(end), duration: seconds(span.start - end) }];
  });
}

/** RFC 3339, with milliseconds. */
export const timeText = (ms: number): string => new Date(Math.round(ms)).toISOString();

/** To the millisecond. */
export const seconds = (ms: number): number => Math.round(ms) / 1000;
