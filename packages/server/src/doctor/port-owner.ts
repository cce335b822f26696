import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The process that has a port. */
export interface PortOwner {
  readonly pid: number;
  /** Program and script, without arguments: they may hold stream keys, and reports are passed on. */
  readonly command: string;
  readonly isSluice: boolean;
}

const TCP_LISTEN = '0A';
const SCRIPTED = /^(?:node(?:js)?|python[\d.]*|perl|ruby|java|(?:ba|da)?sh)$/;

/**
 * Looks up who has a port, in Linux's /proc.
 *
 * @param proc where that is
 * @returns undefined on other systems, and where the process is another user's
 */
export function portOwner(protocol: 'tcp' | 'udp', port: number, proc = '/proc'): PortOwner | undefined {
  const inodes = new Set([protocol, `${protocol}6`].flatMap((name) => inodesOf(join(proc, 'net', name), port)));
  if (inodes.size === 0) return undefined;
  const pid = list(proc).find((name) => /^\d+$/.test(name) && hasSocket(join(proc, name, 'fd'), inodes));
  if (pid === undefined) return undefined;
  const words = (read(join(proc, pid, 'cmdline')) ?? '').split('\0').filter((word) => word !== '');
  return {
    pid: Number(pid),
    command: nameOf(words),
    isSluice: isSluice(words),
  };
}

/** Sockets on a port: listening ones, of TCP. */
function inodesOf(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const isTcp = basename(table).startsWith('tcp');
  return (read(table) ?? '').split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    const isIt = local.endsWith(`:${wanted}`) && (!isTcp || state === TCP_LISTEN);
    return isIt && inode !== undefined ? [inode] : [];
  });
}

function hasSocket(folder: string, inodes: ReadonlySet<string>): boolean {
  return list(folder).some((name) => {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(link(join(folder, name)) ?? '') ?? [];
    return inode !== undefined && inodes.has(inode);
  });
}

function nameOf([program = '', script = '']: readonly string[]): string {
  const name = basename(program);
  return SCRIPTED.test(name) && script !== '' && !script.startsWith('-') ? `${name} ${script}` : name;
}

/** `node …/packages/server/dist/main.js serve`, or the command that npm links. */
function isSluice([program = '', script = '']: readonly string[]): boolean {
  const isNode = /^node(?:js)?$/.test(basename(program));
  return (
    /(?:^|\/)packages\/server\/dist\/main\.js$/.test(script) || (isNode && /^sluice(?:\.js)?$/.test(basename(script)))
  );
}

// Processes end while they are looked at, and those of others can't be: there is nothing to be seen of them.
const read = (file: string): string | undefined => attempt(() => readFileSync(file, 'latin1'));
const link = (file: string): string | undefined => attempt(() => readlinkSync(file));
const list = (folder: string): readonly string[] => attempt(() => readdirSync(folder)) ?? [];

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (['ENOENT', 'EACCES', 'EPERM', 'ESRCH', 'ENOTDIR', 'EINVAL'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
