import { readFile } from 'node:fs/promises';

/** What is read of a file that V8's profiler writes. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  /** The node in which each sample was taken, and the µs since the one before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface FunctionTime {
  readonly name: string;
  /** File and line; nothing for what is not JavaScript. */
  readonly place: string;
  /** Of the time in which there was something to do. */
  readonly share: number;
}

const MOST_ROWS = 25;

/** The functions in which most time was spent, themselves and not in what they call, as a table. */
export async function summariseProfile(file: string): Promise<string> {
  const rows = selfTimes(JSON.parse(await readFile(file, 'utf8')) as CpuProfile).slice(0, MOST_ROWS);
  const lines = rows.map(({ name, place, share }) => `| ${(share * 100).toFixed(1)} | ${name} | ${place} |`);
  return ['| % of busy time | function | where |', '| --- | --- | --- |', ...lines].join('\n');
}

/** Self time by function, most first; what was idle is left out. */
export function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): FunctionTime[] {
  const nameOf = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, { name: string; place: string; time: number }>();
  let busy = 0;
  for (const [at, sample] of samples.entries()) {
    const frame = nameOf.get(sample);
    // A sample stands for the time until the next.
    const time = timeDeltas[at + 1] ?? 0;
    if (frame === undefined || frame.functionName === '(idle)') continue;
    const name = frame.functionName || '(anonymous)';
    const place = frame.url === '' ? '' : `${shortened(frame.url)}:${frame.lineNumber + 1}`;
    const key = `${name} ${place}`;
    const entry = micros.get(key) ?? { name, place, time: 0 };
    entry.time += time;
    busy += time;
    micros.set(key, entry);
  }
  return [...micros.values()]
    .map(({ name, place, time }) => ({ name, place, share: time / busy }))
    .sort((a, b) => b.share - a.share);
}

const shortened = (url: string): string => url.replace(/^file:\/\/.*?\/(?=packages|bench|node_modules)/, '');
