import { resolveConfig } from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { diagnose } from '../doctor/diagnose.js';
import { EchoServer, type ProbeArrival } from '../doctor/echo-server.js';
import { probe } from '../doctor/probe.js';
import { isWell, jsonReport, textReport } from '../doctor/report.js';
import { type Door, doorsOf, isOnLoopback } from '../network/doors.js';
import { StartError } from '../start-error.js';
import { parseDuration } from './duration.js';
import { parsePort } from './port-option.js';

/** Lines that are said, at most: probes cost who sends them nothing. */
const MOST_KNOWN = 10_000;

export interface DoctorOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly listen?: boolean;
  readonly probe?: string;
  readonly port?: string;
  readonly for?: string;
}

/** `sluice doctor`: says what is in the way of viewers and publishers, and what to do about it. */
export async function doctor(options: DoctorOptions): Promise<void> {
  if (options.port !== undefined && options.listen !== true && options.probe === undefined) {
    throw new StartError('--port goes with --listen or --probe');
  }
  if (options.for !== undefined && options.listen !== true) throw new StartError('--for goes with --listen');
  const { config } = resolveConfig(readConfigFile(options.config, process.env));
  const doors = options.port === undefined ? remoteDoors(doorsOf(config)) : portDoors(options.port);
  if (options.listen === true) {
    await listen(doors, options);
    return;
  }
  const findings =
    options.probe === undefined
      ? await diagnose({ config, environment: process.env, wallClock: () => new Date() })
      : await probe(options.probe, doors);
  process.stdout.write(options.json === true ? jsonReport(findings) : textReport(findings));
  process.exitCode = isWell(findings) ? 0 : 1;
}

/** Those that can be reached from elsewhere. */
function remoteDoors(doors: readonly Door[]): Door[] {
  return doors.filter((door) => door.port !== 0 && !isOnLoopback(door));
}

function portDoors(text: string): Door[] {
  const port = parsePort('--port', text);
  const door = { name: 'port', key: '--port', port, host: '::', users: 'both' } as const;
  return [
    { ...door, protocol: 'udp' },
    { ...door, protocol: 'tcp' },
  ];
}

/** Until it is told to stop, or time is over. */
async function listen(doors: readonly Door[], options: DoctorOptions): Promise<void> {
  const seconds = options.for === undefined ? undefined : parseDuration('--for', options.for);
  const known = new Set<string>();
  const say = (line: string, fields: object): void => {
    process.stdout.write(`${options.json === true ? JSON.stringify(fields) : line}\n`);
  };
  const server = new EchoServer(({ door: { protocol, port }, from, bytes }: ProbeArrival) => {
    const line = `${protocol} ${port}: ${bytes} bytes arrived from ${from}`;
    if (known.size >= MOST_KNOWN || known.has(line)) return;
    known.add(line);
    say(line, { event: 'arrived', protocol, port, from, bytes });
  });
  try {
    const opened = await openAll(server, doors);
    say(`Probes are sent back on ${opened.map(({ protocol, port }) => `${protocol} ${port}`).join(', ')}.`, {
      event: 'listening',
      ports: opened.map(({ protocol, port }) => ({ protocol, port })),
    });
    await new Promise<void>((done) => {
      process.once('SIGINT', () => done());
      process.once('SIGTERM', () => done());
      if (seconds !== undefined) setTimeout(done, seconds * 1000);
    });
  } finally {
    await server.close();
  }
}

/** Ports that are taken are named and left out. @throws {StartError} where none is left */
async function openAll(server: EchoServer, doors: readonly Door[]): Promise<Door[]> {
  const opened: Door[] = [];
  for (const door of doors) {
    try {
      await server.open(door);
      opened.push(door);
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      const why = code === 'EADDRINUSE' ? 'is taken; is Sluice running? Stop it first' : `can't be opened (${code})`;
      process.stderr.write(`sluice: ${door.key}, ${door.protocol} ${door.port}, ${why}.\n`);
    }
  }
  if (opened.length === 0) throw new StartError('no port could be opened to listen on');
  return opened;
}
