/** Live time, in ms since 1970. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** A file as the server lists it. */
export interface RecordedFile extends Stretch {
  readonly id: string;
  readonly container: string;
  readonly state: string;
  readonly bytes: number;
  /** Seconds of media. */
  readonly duration: number;
  readonly playable: boolean;
  readonly hasPicture: boolean;
  readonly url: string;
}

/** What is recorded of a stream. */
export interface Timeline {
  /** Without a hole in them, the oldest first. */
  readonly spans: readonly Stretch[];
  /** The oldest first. */
  readonly files: readonly RecordedFile[];
  /** Whether a stream is being recorded. */
  readonly isGrowing: boolean;
}

interface TimelineJson {
  readonly spans: readonly { readonly start: string; readonly duration: number; readonly recording: boolean }[];
  readonly files: readonly {
    readonly id: string;
    readonly container: string;
    readonly state: string;
    readonly start: string;
    readonly duration: number;
    readonly bytes: number;
    readonly tracks: readonly { readonly kind: string }[];
    readonly playable: boolean;
    readonly url: string;
  }[];
}

/** Reads the answer of `/{path}/recordings.json`. */
export function timelineOf({ spans, files }: TimelineJson): Timeline {
  return {
    spans: spans.map(stretchOf),
    files: files.map(({ tracks, start, ...file }) => ({
      ...file,
      ...stretchOf({ start, duration: file.duration }),
      hasPicture: tracks.length === 0 || tracks.some(({ kind }) => kind === 'video'),
    })),
    isGrowing: spans.some(({ recording }) => recording),
  };
}

function stretchOf({ start, duration }: { start: string; duration: number }): Stretch {
  const at = Date.parse(start);
  return { start: at, end: at + duration * 1000 };
}

/** The nearest time at or after another at which something is recorded; undefined behind the last. */
export function nextRecorded(spans: readonly Stretch[], time: number): number | undefined {
  const next = spans.find(({ end }) => end > time);
  return next === undefined ? undefined : Math.max(next.start, time);
}

/** The stretches that can be seen in a window, as shares of it. */
export function sharesIn(
  spans: readonly Stretch[],
  window: Stretch,
): { readonly left: number; readonly width: number }[] {
  const length = window.end - window.start;
  return spans.flatMap(({ start, end }) => {
    const [from, to] = [Math.max(start, window.start), Math.min(end, window.end)];
    return from < to ? [{ left: (from - window.start) / length, width: (to - from) / length }] : [];
  });
}

/** The file that has a picture of a time, and where in it, in seconds. */
export function pictureAt(files: readonly RecordedFile[], time: number): { id: string; at: number } | undefined {
  const file = files.findLast((each) => each.playable && each.hasPicture && each.start <= time && time < each.end);
  return file && { id: file.id, at: Math.max(0, (time - file.start) / 1000) };
}
