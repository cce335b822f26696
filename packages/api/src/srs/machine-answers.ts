import type { Clock, SessionRegistry, TrafficMeter } from '@sluice/core';
import { processStat } from './process-stat.js';
import type { SrsMemory, SrsProcess, SrsSummaries, SrsSystem, SrsUsage } from './schemas.js';
import { type MemoryFigures, SystemReader } from './system-figures.js';

export interface MachineAnswersOptions {
  readonly registry: SessionRegistry;
  readonly traffic: TrafficMeter;
  readonly clock: Clock;
  readonly version: string;
  /** Wall clock, ms. */
  readonly startedAt: number;
}

/** What SRS's API tells of the process and of the machine that it runs on. */
export class MachineAnswers {
  readonly #options: MachineAnswersOptions;
  readonly #system: SystemReader;

  constructor(options: MachineAnswersOptions) {
    this.#options = options;
    this.#system = new SystemReader(options.clock);
  }

  summaries(): SrsSummaries {
    const { clock, registry, version, startedAt, traffic } = this.#options;
    const { memory, network, sockets, ...system } = this.#system.read();
    const [now, all, { rss }] = [clock.wall(), traffic.server(), process.memoryUsage()];
    return {
      ok: true,
      now_ms: now,
      self: {
        version,
        pid: process.pid,
        ppid: process.ppid,
        // Not the real one: arguments may hold what nobody else should see.
        argv: 'sluice serve',
        cwd: process.cwd(),
        mem_kbyte: Math.round(rss / 1024),
        mem_percent: share(rss / 1024, memory.total),
        cpu_percent: rounded(system.processCpu),
        srs_uptime: Math.floor((now - startedAt) / 1000),
      },
      system: {
        cpu_percent: rounded(system.systemCpu),
        disk_read_KBps: 0,
        disk_write_KBps: 0,
        disk_busy_percent: 0,
        mem_ram_kbyte: memory.total,
        mem_ram_percent: share(inUse(memory), memory.total),
        mem_swap_kbyte: memory.swapTotal,
        mem_swap_percent: share(memory.swapTotal - memory.swapFree, memory.swapTotal),
        cpus: system.cores,
        cpus_online: system.cores,
        uptime: system.uptime,
        // SRS spells it so.
        ilde_time: system.idleSeconds,
        load_1m: system.load[0],
        load_5m: system.load[1],
        load_15m: system.load[2],
        net_sample_time: now,
        net_recv_bytes: network.received,
        net_send_bytes: network.sent,
        net_recvi_bytes: 0,
        net_sendi_bytes: 0,
        srs_sample_time: now,
        srs_recv_bytes: all.received,
        srs_send_bytes: all.sent,
        conn_sys: sockets.tcp + sockets.timeWait,
        conn_sys_et: sockets.tcp,
        conn_sys_tw: sockets.timeWait,
        conn_sys_udp: sockets.udp,
        conn_srs: registry.size,
      },
    };
  }

  usage(): SrsUsage {
    const usage = process.resourceUsage();
    return {
      ...this.#sample(),
      // Whole seconds, as SRS gives them.
      ru_utime: Math.floor(usage.userCPUTime / 1_000_000),
      ru_stime: Math.floor(usage.systemCPUTime / 1_000_000),
      ru_maxrss: usage.maxRSS,
      ru_ixrss: usage.sharedMemorySize,
      ru_idrss: usage.unsharedDataSize,
      ru_isrss: usage.unsharedStackSize,
      ru_minflt: usage.minorPageFault,
      ru_majflt: usage.majorPageFault,
      ru_nswap: usage.swappedOut,
      ru_inblock: usage.fsRead,
      ru_oublock: usage.fsWrite,
      ru_msgsnd: usage.ipcSent,
      ru_msgrcv: usage.ipcReceived,
      ru_nsignals: usage.signalsCount,
      ru_nvcsw: usage.voluntaryContextSwitches,
      ru_nivcsw: usage.involuntaryContextSwitches,
    };
  }

  process(): SrsProcess {
    const { processCpu } = this.#system.read();
    const { comm, state, numbers } = processStat();
    const { pid, ppid } = process;
    return { ...this.#sample(), percent: rounded(processCpu), pid, comm, state, ppid, ...numbers };
  }

  system(): SrsSystem {
    const { systemCpu, cpuTimes } = this.#system.read();
    return { ...this.#sample(), percent: rounded(systemCpu), ...cpuTimes };
  }

  memory(): SrsMemory {
    const { memory } = this.#system.read();
    return {
      ...this.#sample(),
      percent_ram: share(inUse(memory), memory.total),
      percent_swap: share(memory.swapTotal - memory.swapFree, memory.swapTotal),
      MemActive: memory.total - memory.free,
      RealInUse: inUse(memory),
      NotInUse: memory.total - inUse(memory),
      MemTotal: memory.total,
      MemFree: memory.free,
      Buffers: memory.buffers,
      Cached: memory.cached,
      SwapTotal: memory.swapTotal,
      SwapFree: memory.swapFree,
    };
  }

  #sample(): { ok: boolean; sample_time: number } {
    return { ok: true, sample_time: this.#options.clock.wall() };
  }
}

/** By SRS's definition: what the kernel caches is not in use. */
const inUse = ({ total, free, buffers, cached }: MemoryFigures): number => Math.max(0, total - free - buffers - cached);

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;
const share = (part: number, whole: number): number => (whole <= 0 ? 0 : rounded(part / whole));
