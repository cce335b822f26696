import { availableParallelism, cpus, freemem, loadavg, totalmem, uptime } from 'node:os';
import type { Clock } from '@sluice/core';
import { textOf } from './proc-file.js';

/** Kinds of time in `/proc/stat`, proc(5), in their order there. What is `guest` is `user`, too. */
const CPU_TIMES = ['user', 'nice', 'sys', 'idle', 'iowait', 'irq', 'softirq', 'steal', 'guest'] as const;

type CpuTimes = Readonly<Record<(typeof CPU_TIMES)[number], number>>;

/** KiB. */
export interface MemoryFigures {
  readonly total: number;
  readonly free: number;
  readonly buffers: number;
  readonly cached: number;
  readonly swapTotal: number;
  readonly swapFree: number;
}

/** What the machine and the process use. What the platform doesn't tell is 0. */
export interface SystemFigures {
  /** Share of one core that the process had since it was asked last, 0 to 1 and more. */
  readonly processCpu: number;
  /** Share of all cores that was busy since it was asked last, 0 to 1. */
  readonly systemCpu: number;
  readonly cpuTimes: CpuTimes;
  readonly cores: number;
  readonly load: readonly [number, number, number];
  readonly uptime: number;
  readonly idleSeconds: number;
  readonly memory: MemoryFigures;
  readonly network: { readonly received: number; readonly sent: number };
  readonly sockets: { readonly tcp: number; readonly timeWait: number; readonly udp: number };
}

/** Shares over less than this say little: whoever asks sooner gets the last ones. */
const MIN_SPAN_MS = 1000;

/** Reads figures of the system; CPU shares are of the time between two readings. */
export class SystemReader {
  readonly #clock: Clock;
  #readAt: number;
  #cpuBefore = process.cpuUsage();
  #timesBefore = cpuTimes();
  #shares = { processCpu: 0, systemCpu: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#readAt = clock.monotonic();
  }

  read(): SystemFigures {
    const times = cpuTimes();
    this.#measure(times);
    const [load1 = 0, load5 = 0, load15 = 0] = loadavg();
    return {
      ...this.#shares,
      cpuTimes: times,
      cores: availableParallelism(),
      load: [load1, load5, load15],
      uptime: uptime(),
      idleSeconds: Number(textOf('/proc/uptime').split(' ')[1] ?? 0),
      memory: memoryFigures(),
      network: networkFigures(),
      sockets: socketFigures(),
    };
  }

  #measure(times: CpuTimes): void {
    const now = this.#clock.monotonic();
    const elapsed = now - this.#readAt;
    if (elapsed < MIN_SPAN_MS) return;
    const used = process.cpuUsage(this.#cpuBefore);
    const [all, idle] = [allOf(times) - allOf(this.#timesBefore), idleOf(times) - idleOf(this.#timesBefore)];
    this.#shares = {
      processCpu: (used.user + used.system) / 1000 / elapsed,
      systemCpu: all <= 0 ? 0 : Math.max(0, 1 - idle / all),
    };
    this.#readAt = now;
    this.#cpuBefore = process.cpuUsage();
    this.#timesBefore = times;
  }
}

const idleOf = ({ idle, iowait }: CpuTimes): number => idle + iowait;
const allOf = ({ guest: _user, ...times }: CpuTimes): number =>
  Object.values(times).reduce((sum, time) => sum + time, 0);

/** Since the machine started: ticks on Linux, elsewhere milliseconds. */
function cpuTimes(): CpuTimes {
  const all = { user: 0, nice: 0, sys: 0, idle: 0, iowait: 0, irq: 0, softirq: 0, steal: 0, guest: 0 };
  const line = /^cpu +(.*)$/m.exec(textOf('/proc/stat'))?.[1]?.split(' ');
  if (line !== undefined) {
    CPU_TIMES.forEach((kind, at) => {
      all[kind] = Number(line[at] ?? 0);
    });
    return all;
  }
  for (const { times } of cpus()) {
    for (const kind of ['user', 'nice', 'sys', 'idle', 'irq'] as const) all[kind] += times[kind];
  }
  return all;
}

function memoryFigures(): MemoryFigures {
  const text = textOf('/proc/meminfo');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    total: kib('MemTotal') || Math.floor(totalmem() / 1024),
    free: kib('MemFree') || Math.floor(freemem() / 1024),
    buffers: kib('Buffers'),
    cached: kib('Cached'),
    swapTotal: kib('SwapTotal'),
    swapFree: kib('SwapFree'),
  };
}

/** Of all interfaces but loopback. */
function networkFigures(): { received: number; sent: number } {
  const total = { received: 0, sent: 0 };
  for (const [, name, rest = ''] of textOf('/proc/net/dev').matchAll(/^\s*([^:\s]+):(.*)$/gm)) {
    if (name === 'lo') continue;
    const fields = rest.trim().split(/\s+/).map(Number);
    total.received += fields[0] ?? 0;
    total.sent += fields[8] ?? 0;
  }
  return total;
}

function socketFigures(): SystemFigures['sockets'] {
  const text = textOf('/proc/net/sockstat');
  const figure = (kind: string, name: string) =>
    Number(new RegExp(`^${kind}:.*\\b${name} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { tcp: figure('TCP', 'inuse'), timeWait: figure('TCP', 'tw'), udp: figure('UDP', 'inuse') };
}
