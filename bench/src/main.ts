import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, HELP, parseCommandLine } from './cli.js';
import { pinSelf, surveyCores } from './cores.js';
import { describeMachine } from './machine.js';
import { type CrossCheckRow, crossCheck } from './measure/cross-check.js';
import { measureFanOut } from './measure/fan-out.js';
import { measureIdle } from './measure/idle.js';
import { measureJoin } from './measure/join.js';
import type { FanOutRow, IdleRow, JoinRow, SkippedRow } from './measure/rows.js';
import type { Subject } from './measure/stage.js';
import { alignTable, newReport, type Report, renderResults, sections } from './report.js';
import { ensureClip, readClip } from './source-clip.js';
import { externalTarget } from './targets/external.js';
import { KNOWN_TARGETS } from './targets/index.js';
import { sluiceWithWorkers } from './targets/sluice.js';

const CACHE = fileURLToPath(new URL('../.cache', import.meta.url));
const RESULTS = new URL('../RESULTS.md', import.meta.url);

/** One measurement that was asked for. */
interface Step {
  readonly subject: Subject;
  readonly what: string;
  run(): Promise<void>;
}

async function bench(options: BenchOptions, command: string): Promise<Report> {
  const plan = surveyCores();
  const clipPath = await ensureClip(CACHE);
  const clip = await readClip(clipPath);
  pinSelf(plan);
  const fanOut: FanOutRow[] = [];
  const idle: IdleRow[] = [];
  const join: JoinRow[] = [];
  const checks: CrossCheckRow[] = [];
  const skipped: SkippedRow[] = [];

  const { seconds, warmUpSeconds, ttff: trials, ttffBackground: background } = options;
  const targets = [
    ...KNOWN_TARGETS.filter(({ name }) => options.targets.includes(name)),
    ...options.workers.map(sluiceWithWorkers),
    ...options.external.map(externalTarget),
  ];
  const subjects = options.protocols.flatMap((protocol) =>
    targets.map((target): Subject => ({ target, protocol, plan, clip })),
  );
  const steps = subjects.flatMap((subject): Step[] => [
    ...options.viewers.map(
      (viewers): Step => ({
        subject,
        what: `${viewers} viewers`,
        async run() {
          const fanOutOptions = { viewers, seconds, warmUpSeconds };
          fanOut.push(await measureFanOut(subject, fanOutOptions));
          if (options.crossCheck !== undefined) {
            checks.push(await crossCheck(options.crossCheck, clipPath, subject, fanOutOptions));
          }
        },
      }),
    ),
    ...(options.idle === 0
      ? []
      : [
          {
            subject,
            what: 'memory of idle viewers',
            run: async () => void idle.push(await measureIdle(subject, options.idle)),
          },
        ]),
    ...(trials === 0
      ? []
      : [
          {
            subject,
            what: 'time to first frame',
            run: async () => void join.push(await measureJoin(subject, { trials, seconds, background })),
          },
        ]),
  ]);

  for (const { subject, what, run } of steps) {
    const { target, protocol } = subject;
    console.error(`${target.name}, ${protocol}, ${what} …`);
    const reason = target.unavailable(protocol) ?? (await run().then(() => undefined, messageOf));
    if (reason === undefined) continue;
    console.error(`${target.name}, ${protocol}, ${what}: not measured: ${reason}`);
    skipped.push({ target: target.name, protocol, what, reason });
  }
  return { ...newReport(describeMachine(plan), command), fanOut, idle, join, crossCheck: checks, skipped };
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseCommandLine(
    args,
    KNOWN_TARGETS.map(({ name }) => name),
  );
  if (options.help) {
    console.log(HELP);
    return;
  }
  const report = await bench(options, commandOf(args));
  for (const { title, table } of sections(report)) console.log(`\n${title}\n${alignTable(table)}`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (options.results) await writeFile(RESULTS, renderResults(report));
}

/** How it was called; what a URL's query holds may be a key. */
function commandOf(args: readonly string[]): string {
  return ['npm run bench --', ...args.map((arg) => arg.replaceAll(/\?[^,]*/g, '?…'))].join(' ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exitCode = 1;
}
