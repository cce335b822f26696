import { EchoServer, type ProbeArrival } from '../doctor/echo-server.js';
import type { Door } from '../network/doors.js';
import { StartError } from '../start-error.js';
import { parseDuration } from './duration.js';

/** Lines that are said, at most: probes cost who sends them nothing. */
const MOST_KNOWN = 10_000;

/**
 * Sends probes back and says which arrived, until it is told to stop, or time is over.
 *
 * @param options.for a duration; @param options.json a line of JSON for each
 * @throws {StartError} where none of the ports can be opened
 */
export async function echoProbes(
  doors: readonly Door[],
  options: { readonly json?: boolean; readonly for?: string },
): Promise<void> {
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
