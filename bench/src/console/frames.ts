/** What Chromium's trace says of a while. */
export interface FrameFigures {
  /** Pictures that were put on the screen, a second. */
  readonly fps: number;
  /** Those that were due and were not. */
  readonly dropped: number;
  /** The longest pause between two, in ms. */
  readonly longestMs: number;
  /** Tasks of the page's thread that needed more than 50 ms of a core, and what all of them needed for a picture, in ms. */
  readonly longTasks: number;
  readonly cpuMs: number;
}

/** An event of the trace, as far as it is looked at. */
interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ts: number;
  /** Microseconds of a core. */
  readonly tdur?: number;
  readonly tid: number;
  readonly pid: number;
  readonly args?: { readonly name?: string };
}

const MICROS_PER_SECOND = 1_000_000;
const LONG_TASK_MICROS = 50_000;

export const TRACE_CATEGORIES: readonly string[] = [
  'disabled-by-default-devtools.timeline.frame',
  'devtools.timeline.frame',
  'toplevel',
  'disabled-by-default-devtools.timeline',
  'benchmark',
];

/** Reads a trace that was taken while the page scrolled from one mark to the other. */
export function readTrace(trace: Buffer, from: string, to: string): FrameFigures {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const mark = (name: string) => {
    const found = traceEvents.find((event) => event.name === name);
    if (found === undefined) throw new Error(`the trace lacks the mark ${name}`);
    return found;
  };
  const [begin, end] = [mark(from), mark(to)];
  const inside = traceEvents.filter(({ ts }) => ts >= begin.ts && ts <= end.ts);
  const seconds = (end.ts - begin.ts) / MICROS_PER_SECOND;
  const drawn = inside.filter(({ name, pid }) => name === 'DrawFrame' && pid === begin.pid).map(({ ts }) => ts);
  const pauses = drawn.sort((a, b) => a - b).map((ts, index) => ts - (drawn[index - 1] ?? ts));
  const tasks = inside.filter(({ name, pid, tid }) => name === 'RunTask' && pid === begin.pid && tid === begin.tid);
  return {
    fps: drawn.length / seconds,
    dropped: inside.filter(({ name, pid }) => name === 'DroppedFrame' && pid === begin.pid).length,
    longestMs: Math.max(0, ...pauses) / 1000,
    longTasks: tasks.filter(({ tdur = 0 }) => tdur > LONG_TASK_MICROS).length,
    cpuMs: tasks.reduce((sum, { tdur = 0 }) => sum + tdur, 0) / 1000 / Math.max(1, drawn.length),
  };
}
