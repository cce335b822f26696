import { readFileSync, statSync } from 'node:fs';
import type { Config } from '@sluice/core';
import { type Finding, failed, ok, warning } from '@sluice/core';

/** What bursts of datagrams need in the kernel: what our UDP sockets ask for. */
const KERNEL_BUFFER = 4 * 1024 * 1024;
/** Files that are open besides connections: database, certificate, log, pages. */
const OTHER_FILES = 100;

/** Reads a file; undefined where there is none, as on systems other than Linux. */
export type ReadFile = (file: string) => string | undefined;

export const readSystemFile: ReadFile = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES') return undefined;
    throw error;
  }
};

/** Whether the kernel grants the buffers that our UDP sockets ask for. */
export function bufferFindings(read: ReadFile): Finding[] {
  return ['rmem_max', 'wmem_max'].flatMap((name) => {
    const text = read(`/proc/sys/net/core/${name}`);
    if (text === undefined) return [];
    const check = `socket buffers, net.core.${name}`;
    const bytes = Number(text);
    if (bytes >= KERNEL_BUFFER) return [ok(check, `${bytes} bytes`)];
    return [
      warning(
        check,
        `${bytes} bytes; bursts of SRT and WebRTC need ${KERNEL_BUFFER}, or packets are lost in this machine`,
        `As root: echo net.core.${name}=${KERNEL_BUFFER} >> /etc/sysctl.d/60-sluice.conf && sysctl --system`,
      ),
    ];
  });
}

/**
 * Whether as many files can be open as connections are allowed.
 *
 * @param pid of the server, where it runs: its limit may be another than that of a shell
 */
export function openFilesFindings({ rtmp, http }: Config, read: ReadFile, pid?: number): Finding[] {
  const limits = read(`/proc/${pid ?? 'self'}/limits`);
  const [, limit] = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '') ?? [];
  if (limit === undefined) return [];
  const check = pid === undefined ? 'open files' : `open files of the Sluice that runs (process ${pid})`;
  const wanted = rtmp.maxConnections + http.maxConnections + OTHER_FILES;
  if (limit === 'unlimited' || Number(limit) >= wanted) return [ok(check, `${limit} allowed`)];
  return [
    warning(
      check,
      `${limit} allowed; rtmp.maxConnections and http.maxConnections come to ${wanted}`,
      `Raise the limit (systemd: LimitNOFILE=${wanted}; a shell: ulimit -n ${wanted}), or allow fewer connections.`,
    ),
  ];
}

/** Whether the clock can be right. Tokens, TURN credentials and certificates go by it. */
export function clockFindings(
  now: Date,
  read: ReadFile,
  builtAt = statSync(new URL(import.meta.url)).mtime,
): Finding[] {
  const shown = now.toISOString();
  if (now < builtAt) {
    return [
      failed(
        'clock',
        `${shown}, which is before this program was built (${builtAt.toISOString()})`,
        'Set it, and let NTP keep it: timedatectl set-ntp true. Tokens, TURN credentials and certificates go by it.',
      ),
    ];
  }
  const isSystemd = read('/proc/1/comm')?.trim() === 'systemd';
  const isKept = ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid', '/run/ntpd.pid'].some(
    (file) => read(file) !== undefined,
  );
  if (isSystemd && !isKept) {
    return [warning('clock', `${shown}; no time service seems to keep it`, 'timedatectl set-ntp true')];
  }
  return [ok('clock', shown)];
}
