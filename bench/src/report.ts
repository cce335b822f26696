import type { Machine } from './machine.js';
import type { CrossCheckRow } from './measure/cross-check.js';
import { type FanOutRow, type IdleRow, isLoadBound, type JoinRow, type SkippedRow } from './measure/rows.js';
import { CLIP_DESCRIPTION } from './source-clip.js';

/** Everything that one run of the bench found. */
export interface Report {
  /** ISO 8601. */
  readonly date: string;
  readonly command: string;
  readonly clip: string;
  readonly machine: Machine;
  readonly fanOut: readonly FanOutRow[];
  readonly idle: readonly IdleRow[];
  readonly join: readonly JoinRow[];
  readonly crossCheck: readonly CrossCheckRow[];
  readonly skipped: readonly SkippedRow[];
}

const PROTOCOL_NAMES = { flv: 'HTTP-FLV', rtmp: 'RTMP' } as const;
const NOISY_CPU = 0.05;
const WHOLE = 0.999;
/** More than a frame's time: frames came in pairs. */
const DELAYED_PUBLISHER_MS = 40;

type Cell = string | number;
type Table = readonly (readonly Cell[])[];

export function fanOutTable(rows: readonly FanOutRow[]): Table {
  const head = [
    ...['server', 'protocol', 'viewers', 'Gbit/s', 'CPU %', 'CPU s/GB', 'p50 ms', 'p99 ms', 'max ms', 'RSS MiB'],
    ...['frames', 'stalled', 'gaps', 'joined p50 / p99 ms', 'load CPU %', 'notes'],
  ];
  const body = rows.map((row) => [
    row.target,
    PROTOCOL_NAMES[row.protocol],
    row.viewers,
    row.gigabitsPerSecond.toFixed(2),
    percent(row.server.cpu),
    row.server.cpuSecondsPerGb.toFixed(2),
    millis(row.latencyMs.p50),
    millis(row.latencyMs.p99),
    millis(row.latencyMs.max),
    row.server.residentMaxMib.toFixed(0),
    `${row.framesPerViewer.toFixed(1)} of ${row.framesSent}`,
    row.stalled,
    row.gaps,
    `${millis(row.firstKeyframeMs.p50)} / ${millis(row.firstKeyframeMs.p99)}`,
    percent(row.load.cpu),
    fanOutNotes(row).join('; '),
  ]);
  return [head, ...body];
}

/** What a reader must know before trusting a row. */
export function fanOutNotes(row: FanOutRow): string[] {
  const notes: string[] = [];
  if (isLoadBound(row))
    notes.push('the load generator was at its limit: true latencies are lower and true CPU is higher');
  if (row.delivered < WHOLE)
    notes.push(`${(row.delivered * 100).toFixed(1)} % of frames were there in time; the rest are in no latency`);
  if (row.lost > 0) notes.push(`${row.lost} viewers were cut off`);
  if (row.load.publisherLateMs > DELAYED_PUBLISHER_MS)
    notes.push(`the publisher was late by up to ${millis(row.load.publisherLateMs)} ms`);
  if (row.foreignCpu > NOISY_CPU) notes.push(`other work took ${percent(row.foreignCpu)} % of a core`);
  return notes;
}

export function idleTable(rows: readonly IdleRow[]): Table {
  const head = ['server', 'protocol', 'viewers', 'RSS before MiB', 'RSS after MiB', 'KiB per viewer'];
  const body = rows.map((row) => [
    row.target,
    PROTOCOL_NAMES[row.protocol],
    row.viewers,
    row.residentBeforeMib.toFixed(0),
    row.residentAfterMib.toFixed(0),
    row.kibPerViewer.toFixed(1),
  ]);
  return [head, ...body];
}

export function joinTable(rows: readonly JoinRow[]): Table {
  const head = ['server', 'protocol', 'joins', 'failed', 'other viewers', 'p50 ms', 'p99 ms', 'max ms'];
  const body = rows.map((row) => [
    row.target,
    PROTOCOL_NAMES[row.protocol],
    row.trials,
    row.reason === undefined ? row.failed : `${row.failed} (${row.reason})`,
    row.background,
    millis(row.firstKeyframeMs.p50),
    millis(row.firstKeyframeMs.p99),
    millis(row.firstKeyframeMs.max),
  ]);
  return [head, ...body];
}

export function crossCheckTable({ crossCheck, fanOut }: Report): Table {
  const head = [
    'server',
    'protocol',
    'viewers',
    'CPU s/GB: ours',
    'other',
    'apart',
    'p50 ms: ours',
    'other',
    'p99 ms: ours',
    'other',
  ];
  const body = crossCheck.flatMap((other) => {
    const own = fanOut.find(
      (row) => row.target === other.target && row.protocol === other.protocol && row.viewers === other.viewers,
    );
    if (own === undefined) return [];
    const { cpuSecondsPerGb } = own.server;
    return [
      [
        other.target,
        PROTOCOL_NAMES[other.protocol],
        other.viewers,
        cpuSecondsPerGb.toFixed(2),
        other.cpuSecondsPerGb.toFixed(2),
        `${((cpuSecondsPerGb / other.cpuSecondsPerGb - 1) * 100).toFixed(1)} %`,
        millis(own.latencyMs.p50),
        millis(other.p50Ms),
        millis(own.latencyMs.p99),
        millis(other.p99Ms),
      ],
    ];
  });
  return [head, ...body];
}

/** For a terminal: columns under each other. */
export function alignTable(table: Table): string {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => String(row[column] ?? '').length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdownTable([head = [], ...body]: Table): string {
  const line = (row: readonly Cell[]) => `| ${row.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

/** The sections of a report, those that have something to say. */
export function sections(report: Report): { readonly title: string; readonly table: Table; readonly remark: string }[] {
  const all = [
    {
      title: 'Fan-out',
      table: fanOutTable(report.fanOut),
      remark:
        "CPU s/GB: user and system time of the server per 10⁹ bytes that reached viewers. Latency: each video frame at each viewer, from the publisher's `write` to the viewer's read of its last byte. Frames: mean per viewer, of those sent in the measured time. Stalled: viewers that lack two seconds or more. Joined: time to the first keyframe while viewers joined, one each millisecond.",
    },
    {
      title: 'Memory of idle viewers',
      table: idleTable(report.idle),
      remark:
        'Resident memory of the server; what the kernel holds for sockets is not in it. The stream is one keyframe and then an audio frame each second.',
    },
    {
      title: 'Time to first frame',
      table: joinTable(report.join),
      remark:
        'From connecting to the last byte of the first keyframe. Viewers joined at random moments of GOPs of 2 s, and left again.',
    },
    {
      title: 'Agreement with another meter',
      table: crossCheckTable(report),
      remark:
        'An independent meter, written in C around one epoll loop, on the same cores right after ours, with a fresh server each.',
    },
  ];
  return all.filter(({ table }) => table.length > 1);
}

/** The text of RESULTS.md. */
export function renderResults(report: Report): string {
  const { machine, date, command, clip, skipped, fanOut, idle, join } = report;
  const versions = new Map([...fanOut, ...idle, ...join].map((row) => [row.target, row.version]));
  const where = [
    `- Date: ${date.slice(0, 10)}`,
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.kernel}, Node ${machine.node}`,
    `- Cores: server on ${machine.serverCores.join(', ')}; publisher and viewers on ${machine.loadCores.join(', ')}${machine.caution === undefined ? '' : ` (${machine.caution})`}`,
    `- Stream: ${clip}, over loopback`,
    `- Servers: ${[...versions].map(([name, version]) => `${name} ${version}`.trim()).join(', ')}`,
    ...skipped.map(
      ({ target, protocol, what, reason }) =>
        `- Not measured: ${target}, ${PROTOCOL_NAMES[protocol]}, ${what}: ${reason}`,
    ),
  ];
  const parts = sections(report).map(
    ({ title, table, remark }) => `## ${title}\n\n${markdownTable(table)}\n\n${remark}`,
  );
  const repeat = `## To repeat\n\n\`\`\`\n${command}\n\`\`\`\n\nHow it measures is in [README.md](README.md).`;
  return `${['# Results', "Written by the bench; don't edit.", where.join('\n'), ...parts, repeat].join('\n\n')}\n`;
}

export function newReport(machine: Machine, command: string): Report {
  return {
    date: new Date().toISOString(),
    command,
    clip: CLIP_DESCRIPTION,
    machine,
    fanOut: [],
    idle: [],
    join: [],
    crossCheck: [],
    skipped: [],
  };
}

function percent(fraction: number): string {
  return (fraction * 100).toFixed(0);
}

function millis(value: number): string {
  if (Number.isNaN(value)) return '-';
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
