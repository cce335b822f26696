import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import { environmentName, type Finding, failed, ok, warning } from '@sluice/core';
import { type Door, isOnAllAddresses } from '../network/doors.js';
import { type PortOwner, portOwner } from './port-owner.js';

/** A door and who has its port. */
export interface PortState {
  readonly door: Door;
  readonly state: 'free' | 'sluice' | 'taken' | 'unusable' | 'any';
  readonly owner: PortOwner | undefined;
  /** The system's code, of what is `unusable`. */
  readonly code: string | undefined;
}

const ANSWER_TIMEOUT_MS = 2000;

/**
 * Tries to open each port, and closes it again.
 *
 * @param isSelf whether a process is a Sluice, though its command doesn't say so
 */
export async function tryPorts(
  doors: readonly Door[],
  isSelf: (pid: number) => boolean = () => false,
): Promise<PortState[]> {
  const states: PortState[] = [];
  // One after the other: two doors on one port would be in each other's way.
  for (const door of doors) states.push(await tryPort(door, isSelf));
  return states;
}

async function tryPort(door: Door, isSelf: (pid: number) => boolean): Promise<PortState> {
  if (door.port === 0) return { door, state: 'any', owner: undefined, code: undefined };
  const code = await (door.protocol === 'tcp' ? openTcp(door) : openUdp(door));
  if (code === undefined) return { door, state: 'free', owner: undefined, code };
  if (code !== 'EADDRINUSE') return { door, state: 'unusable', owner: undefined, code };
  const owner = portOwner(door.protocol, door.port);
  const isSluice =
    owner !== undefined && isSelf(owner.pid) ? true : (owner?.isSluice ?? (await saysThatItIsSluice(door)));
  return { door, state: isSluice ? 'sluice' : 'taken', owner, code };
}

/** @returns the system's code where it can't be opened */
function openTcp({ port, host }: Door): Promise<string | undefined> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(undefined)));
  });
}

function openUdp({ port, host }: Door): Promise<string | undefined> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4' });
  return new Promise((done) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      done(error.code ?? error.message);
    });
    socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => done(undefined)));
  });
}

/** Of who can't be looked up: its start page says so. */
async function saysThatItIsSluice({ key, host, port }: Door): Promise<boolean> {
  if (key !== 'http.port') return false;
  const name = isOnAllAddresses({ host }) ? '127.0.0.1' : isIPv6(host) ? `[${host}]` : host;
  try {
    const page = await fetch(`http://${name}:${port}/`, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return /<title>Sluice<\/title>/.test(await page.text());
  } catch (error) {
    // Whoever has the port doesn't speak HTTP: it is another program.
    if (error instanceof Error) return false;
    throw error;
  }
}

export function portFindings(states: readonly PortState[]): Finding[] {
  return states.map((state, index) => {
    const { door } = state;
    const twin = states.slice(0, index).find((other) => isSamePort(other.door, door));
    return twin === undefined ? findingOf(state) : twinFinding(door, twin.door);
  });
}

const nameOf = ({ name, protocol, port }: Door): string => `${name}, ${protocol} ${port}`;

function isSamePort(a: Door, b: Door): boolean {
  const isSameHost = a.host === b.host || isOnAllAddresses(a) || isOnAllAddresses(b);
  return a.port !== 0 && a.port === b.port && a.protocol === b.protocol && isSameHost;
}

function twinFinding(door: Door, twin: Door): Finding {
  return failed(nameOf(door), `${twin.key} is the same port`, `Set another one: ${environmentName(door.key)}=…`);
}

function findingOf({ door, state, owner, code }: PortState): Finding {
  const { key, host, port } = door;
  const variable = environmentName(key);
  const hostKey = key.replace(/\.\w+$/, '.host');
  const who = owner === undefined ? '' : ` (process ${owner.pid}: ${owner.command})`;
  switch (state) {
    case 'free':
      return ok(nameOf(door), 'free');
    case 'sluice':
      return ok(nameOf(door), `open: a Sluice is running there${who}`);
    case 'any':
      return warning(
        `${door.name}, ${door.protocol}`,
        `${key} is 0, another port at each start`,
        `A firewall can't be told of it. Set a port: ${variable}=…`,
      );
    case 'taken':
      return failed(nameOf(door), `taken by another program${who}`, `End it, or set another port: ${variable}=…`);
    case 'unusable':
      break;
  }
  if (code === 'EACCES') {
    return failed(nameOf(door), 'not allowed for this user', `Set a port above 1023: ${variable}=…`);
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAFNOSUPPORT') {
    const advice = host === '::' ? '0.0.0.0, where there is no IPv6' : 'one of its addresses';
    return failed(nameOf(door), `${hostKey} ${host} is no address of this machine`, `Set ${hostKey}: ${advice}.`);
  }
  return failed(nameOf(door), `port ${port} on ${host} can't be opened: ${code}`, `Set another: ${variable}=…`);
}
