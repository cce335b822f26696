import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, loadavg, totalmem, uptime } from 'node:os';

/** What the machine and the process use. What the platform doesn't tell is 0. */
export interface SystemFigures {
  /** Share of one core that the process had since it was asked last, 0 to 1 and more. */
  readonly processCpu: number;
  /** Share of all cores that was busy since it was asked last, 0 to 1. */
  readonly systemCpu: number;
  readonly cpuTimes: {
    readonly user: number;
    readonly nice: number;
    readonly sys: number;
    readonly idle: number;
    readonly irq: number;
  };
  readonly cores: number;
  readonly load: readonly [number, number, number];
  readonly uptime: number;
  readonly idleSeconds: number;
  /** KiB by its name in /proc/meminfo. */
  readonly memory: (name: string) => number;
  readonly network: { readonly received: number; readonly sent: number };
  readonly sockets: { readonly tcp: number; readonly timeWait: number; readonly udp: number };
}

/** Reads figures of the system; CPU shares are of the time between two readings. */
export class SystemReader {
  #cpuBefore = process.cpuUsage();
  #readAt = performance.now();
  #timesBefore = coreTimes();

  read(): SystemFigures {
    const now = performance.now();
    const used = process.cpuUsage(this.#cpuBefore);
    const elapsed = Math.max(1, now - this.#readAt);
    const times = coreTimes();
    const busy = times.busy - this.#timesBefore.busy;
    const all = times.all - this.#timesBefore.all;
    this.#cpuBefore = process.cpuUsage();
    this.#readAt = now;
    this.#timesBefore = times;
    const memory = memoryFigures();
    const [load1 = 0, load5 = 0, load15 = 0] = loadavg();
    return {
      processCpu: (used.user + used.system) / 1000 / elapsed,
      systemCpu: all === 0 ? 0 : busy / all,
      cpuTimes: times.kinds,
      cores: availableParallelism(),
      load: [load1, load5, load15],
      uptime: uptime(),
      idleSeconds: Number(textOf('/proc/uptime').split(' ')[1] ?? 0),
      memory: (name) => memory.get(name) ?? 0,
      network: networkFigures(),
      sockets: socketFigures(),
    };
  }
}

function coreTimes() {
  const kinds = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 };
  for (const { times } of cpus()) {
    for (const kind of ['user', 'nice', 'sys', 'idle', 'irq'] as const) kinds[kind] += times[kind];
  }
  const busy = kinds.user + kinds.nice + kinds.sys + kinds.irq;
  return { kinds, busy, all: busy + kinds.idle };
}

function memoryFigures(): Map<string, number> {
  const lines = [...textOf('/proc/meminfo').matchAll(/^(\w+):\s+(\d+)/gm)];
  const figures = new Map(lines.map(([, name = '', kib = '0']) => [name, Number(kib)]));
  if (figures.size === 0) {
    figures.set('MemTotal', Math.floor(totalmem() / 1024));
    figures.set('MemFree', Math.floor(freemem() / 1024));
  }
  return figures;
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

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
