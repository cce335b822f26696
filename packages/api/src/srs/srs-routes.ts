import type { Clock, Config, OpenSession, SessionRegistry, Stream, StreamRouter, TrafficMeter } from '@sluice/core';
import { type RequestHandler, type Response, Router } from 'express';
import type { Principal } from '../auth/principal.js';
import type { ServerNames } from '../callbacks/server-names.js';
import type { SrsClient, SrsStream, SrsSummaries, SrsVhost } from './schemas.js';
import { kbpsOf, srsClient, srsStream, VHOST } from './shapes.js';
import { type SystemFigures, SystemReader } from './system-figures.js';

export interface SrsRoutesOptions {
  readonly router: StreamRouter;
  readonly registry: SessionRegistry;
  readonly traffic: TrafficMeter;
  readonly clock: Clock;
  readonly config: () => Config;
  readonly version: string;
  /** Wall clock, ms. */
  readonly startedAt: number;
  readonly names: ServerNames;
  /** Ends a session. @returns false where there is none */
  readonly kick: (sessionId: string, by: Principal, ip: string) => boolean;
  /** Reads the configuration again. @throws where it can't be used */
  readonly reload: (by: Principal, ip: string) => Promise<void>;
}

/** SRS's error codes, which it answers with HTTP 200. */
const CODE = {
  noVhost: 2014,
  noStream: 2048,
  noClient: 2049,
  badRpc: 1061,
  reloadFailed: 1021,
  notFound: 4031,
} as const;

const DEFAULT_COUNT = 10;
const MAX_COUNT = 10_000;

/** The routes under `/api/v1`, in the shapes that tools written for SRS read. Who may ask is decided before. */
export function srsRoutes(options: SrsRoutesOptions): Router {
  const answers = new SrsAnswers(options);
  const routes = Router();
  const get = (path: string, answer: (about: Record<string, string>) => object | number) =>
    routes.get(
      path,
      reply(answers, ({ params, query }) => answer({ ...textOnly(query), ...textOnly(params) })),
    );
  get('/', () => ({ urls: Object.fromEntries(PATHS.map((name) => [name, `/api/v1/${name}`])) }));
  get('/versions', () => answers.versions());
  routes.post(
    '/versions',
    reply(answers, () => answers.versions()),
  );
  get('/summaries', () => answers.summaries());
  get('/rusages', () => answers.usages());
  get('/self_proc_stats', () => answers.processStats());
  get('/system_proc_stats', () => answers.systemStats());
  get('/meminfos', () => answers.memory());
  get('/authors', () => ({ data: { license: 'MIT', contributors: 'Sluice' } }));
  get('/features', () => answers.features());
  get('/vhosts', () => ({ vhosts: [answers.vhost()] }));
  get('/vhosts/:id', ({ id }) => (id === answers.vhostId || id === VHOST ? { vhost: answers.vhost() } : CODE.noVhost));
  get('/streams', (query) => ({ streams: page(answers.streams(), query).map((stream) => answers.stream(stream)) }));
  get('/streams/:id', ({ id }) => {
    const stream = answers.streams().find(({ path }) => options.names.streamId(path) === id);
    return stream === undefined ? CODE.noStream : { stream: answers.stream(stream) };
  });
  get('/clients', (query) => ({
    clients: page([...options.registry.list()], query).map((open) => answers.client(open)),
  }));
  get('/clients/:id', ({ id = '' }) => {
    const open = options.registry.get(id);
    return open === undefined ? CODE.noClient : { client: answers.client(open) };
  });
  get('/clusters', ({ ip = '', vhost = '', app = '', stream = '' }) => ({
    data: { query: { ip, vhost, app, stream }, origin: null },
  }));
  routes.delete('/clients/:id', (request, response) => {
    const { principal, ip } = response.locals as { principal: Principal; ip: string };
    const { id = '' } = request.params;
    answers.send(response, options.kick(id, principal, ip) ? {} : CODE.noClient);
  });
  routes.get('/raw', async (request, response) => {
    const { principal, ip } = response.locals as { principal: Principal; ip: string };
    if (request.query.rpc !== 'reload') {
      answers.send(response, CODE.badRpc);
      return;
    }
    const done = await options.reload(principal, ip).then(
      () => ({}),
      () => CODE.reloadFailed,
    );
    answers.send(response, done);
  });
  routes.use((_request, response) => {
    response.status(404);
    answers.send(response, CODE.notFound);
  });
  return routes;
}

const PATHS = [
  'versions',
  'summaries',
  'rusages',
  'self_proc_stats',
  'system_proc_stats',
  'meminfos',
  'authors',
  'features',
  'vhosts',
  'streams',
  'clients',
  'raw',
  'clusters',
] as const;

class SrsAnswers {
  readonly vhostId: string;
  readonly #options: SrsRoutesOptions;
  readonly #system = new SystemReader();

  constructor(options: SrsRoutesOptions) {
    this.#options = options;
    this.vhostId = options.names.serverId;
  }

  /** @param answer its fields, or an error's code */
  send(response: Response, answer: object | number): void {
    const { serverId: server, serviceId: service } = this.#options.names;
    const about = { server, service, pid: String(process.pid) };
    response.json(typeof answer === 'number' ? { code: answer } : { code: 0, ...about, ...answer });
  }

  streams(): Stream[] {
    return this.#options.router.streams();
  }

  stream(stream: Stream): SrsStream {
    const { router, registry, traffic, names } = this.#options;
    let clients = 0;
    for (const { session } of registry.list()) if (session.path === stream.path) clients += 1;
    const [publisher, figures] = [router.publisherOf(stream.path), traffic.stream(stream.path)];
    const id = names.streamId(stream.path);
    return srsStream(stream, { id, vhostId: this.vhostId, publisher, clients, figures });
  }

  client(open: OpenSession): SrsClient {
    const { names, traffic, clock } = this.#options;
    const streamId = names.streamId(open.session.path);
    const [figures, now] = [traffic.session(open.session.id), clock.wall()];
    return srsClient(open, { vhostId: this.vhostId, streamId, figures, now });
  }

  vhost(): SrsVhost {
    const { registry, traffic, config } = this.#options;
    const { enabled, segmentSeconds } = config().hls;
    const figures = traffic.server();
    return {
      id: this.vhostId,
      name: VHOST,
      enabled: true,
      clients: registry.size,
      streams: this.streams().length,
      send_bytes: figures.sent,
      recv_bytes: figures.received,
      kbps: kbpsOf(figures),
      hls: enabled ? { enabled, fragment: segmentSeconds } : { enabled },
    };
  }

  versions(): object {
    const { version } = this.#options;
    const [major = 0, minor = 0, revision = 0] = version.split(/[.-]/).map(Number);
    return { data: { major, minor, revision, version } };
  }

  summaries(): { readonly data: SrsSummaries } {
    const { clock, registry, version, startedAt, traffic } = this.#options;
    const system = this.#system.read();
    const now = clock.wall();
    const all = traffic.server();
    const { rss } = process.memoryUsage();
    const { memory, network, sockets } = system;
    const total = memory('MemTotal');
    const swap = memory('SwapTotal');
    return {
      data: {
        ok: true,
        now_ms: now,
        self: {
          version,
          pid: process.pid,
          ppid: process.ppid,
          argv: 'sluice serve',
          cwd: process.cwd(),
          mem_kbyte: Math.round(rss / 1024),
          mem_percent: fraction(rss / 1024, total),
          cpu_percent: rounded(system.processCpu),
          srs_uptime: Math.floor((now - startedAt) / 1000),
        },
        system: {
          cpu_percent: rounded(system.systemCpu),
          disk_read_KBps: 0,
          disk_write_KBps: 0,
          disk_busy_percent: 0,
          mem_ram_kbyte: total,
          mem_ram_percent: fraction(total - memory('MemAvailable'), total),
          mem_swap_kbyte: swap,
          mem_swap_percent: fraction(swap - memory('SwapFree'), swap),
          cpus: system.cores,
          cpus_online: system.cores,
          uptime: system.uptime,
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
      },
    };
  }

  usages(): object {
    const usage = process.resourceUsage();
    return {
      data: {
        ok: true,
        sample_time: this.#options.clock.wall(),
        ru_utime: Math.round(usage.userCPUTime / 1000),
        ru_stime: Math.round(usage.systemCPUTime / 1000),
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
      },
    };
  }

  processStats(): object {
    const { processCpu } = this.#system.read();
    const { pid, ppid } = process;
    const sample = { ok: true, sample_time: this.#options.clock.wall() };
    return { data: { ...sample, percent: rounded(processCpu), pid, comm: '(sluice)', state: 'R', ppid } };
  }

  systemStats(): object {
    const { systemCpu, cpuTimes }: SystemFigures = this.#system.read();
    const { user, nice, sys, idle, irq } = cpuTimes;
    const sample = { ok: true, sample_time: this.#options.clock.wall(), percent: rounded(systemCpu) };
    return { data: { ...sample, user, nice, sys, idle, iowait: 0, irq, softirq: 0, steal: 0, guest: 0 } };
  }

  memory(): object {
    const { memory } = this.#system.read();
    const [total, free, swap] = [memory('MemTotal'), memory('MemAvailable'), memory('SwapTotal')];
    return {
      data: {
        ok: true,
        sample_time: this.#options.clock.wall(),
        percent_ram: fraction(total - free, total),
        percent_swap: fraction(swap - memory('SwapFree'), swap),
        MemActive: memory('Active'),
        RealInUse: total - free,
        NotInUse: free,
        MemTotal: total,
        MemFree: memory('MemFree'),
        Buffers: memory('Buffers'),
        Cached: memory('Cached'),
        SwapTotal: swap,
        SwapFree: memory('SwapFree'),
      },
    };
  }

  features(): object {
    const { config, version } = this.#options;
    const features = { rtmp: true, flv: true, hls: config().hls.enabled, api: true, callback: true, https: true };
    return { data: { options: '', options2: '', build: version, features } };
  }
}

type Asked = Parameters<RequestHandler>[0];

function reply(answers: SrsAnswers, answer: (request: Asked) => object | number): RequestHandler {
  return (request, response) => answers.send(response, answer(request));
}

/** What was given once, as text. */
function textOnly(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** `?start=0&count=10`; what is no number is as if it weren't there. */
function page<T>(all: readonly T[], { start, count }: Record<string, string>): T[] {
  const from = numberOr(start, 0);
  return all.slice(from, from + Math.min(MAX_COUNT, numberOr(count, DEFAULT_COUNT)));
}

const numberOr = (text: string | undefined, otherwise: number): number =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;

const rounded = (share: number): number => Math.round(share * 10_000) / 10_000;
const fraction = (part: number, whole: number): number => (whole <= 0 ? 0 : rounded(part / whole));
