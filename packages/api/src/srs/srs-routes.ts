import type { Config, OpenSession, Stream, StreamRouter, StreamTraffic } from '@sluice/core';
import { type RequestHandler, type Response, Router } from 'express';
import type { Principal } from '../auth/principal.js';
import type { ServerNames } from '../callbacks/server-names.js';
import { MachineAnswers, type MachineAnswersOptions } from './machine-answers.js';
import type { SrsClient, SrsFeatures, SrsStream, SrsVersions, SrsVhost } from './schemas.js';
import { kbpsOf, srsClient, srsStream, VHOST } from './shapes.js';

export interface SrsRoutesOptions extends MachineAnswersOptions {
  readonly router: StreamRouter;
  readonly config: () => Config;
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
  const machine = new MachineAnswers(options);
  const routes = Router();
  const get = (path: string, answer: (about: Record<string, string>) => object | number) =>
    routes.get(
      path,
      reply(answers, ({ params, query }) => answer({ ...textOnly(query), ...textOnly(params) })),
    );
  get('/', () => ({ urls: Object.fromEntries(PATHS.map((name) => [name, `/api/v1/${name}`])) }));
  get('/versions', () => ({ data: answers.versions() }));
  routes.post(
    '/versions',
    reply(answers, () => ({ data: answers.versions() })),
  );
  get('/summaries', () => ({ data: machine.summaries() }));
  get('/rusages', () => ({ data: machine.usage() }));
  get('/self_proc_stats', () => ({ data: machine.process() }));
  get('/system_proc_stats', () => ({ data: machine.system() }));
  get('/meminfos', () => ({ data: machine.memory() }));
  get('/authors', () => ({ data: { license: 'MIT', contributors: 'Sluice' } }));
  get('/features', () => ({ data: answers.features() }));
  get('/vhosts', () => ({ vhosts: [answers.vhost()] }));
  get('/vhosts/:id', ({ id }) => (id === answers.vhostId || id === VHOST ? { vhost: answers.vhost() } : CODE.noVhost));
  get('/streams', (query) => {
    const figures = options.traffic.streams();
    const wanted = page(options.router.streams(), query);
    return { streams: wanted.map((stream) => answers.stream(stream, figures.get(stream.path))) };
  });
  get('/streams/:id', ({ id }) => {
    const stream = options.router.streams().find(({ path }) => options.names.streamId(path) === id);
    if (stream === undefined) return CODE.noStream;
    return { stream: answers.stream(stream, options.traffic.stream(stream.path)) };
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

const NO_TRAFFIC: StreamTraffic = { sessions: 0, received: 0, sent: 0, kbps: { received: 0, sent: 0 } };

class SrsAnswers {
  readonly vhostId: string;
  readonly #options: SrsRoutesOptions;

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

  /** @param figures none where the stream is so new that nobody has looked */
  stream(stream: Stream, figures: StreamTraffic = NO_TRAFFIC): SrsStream {
    const { router, names } = this.#options;
    const publisher = router.publisherOf(stream.path);
    return srsStream(stream, { id: names.streamId(stream.path), vhostId: this.vhostId, publisher, figures });
  }

  client(open: OpenSession): SrsClient {
    const { names, traffic, clock } = this.#options;
    const streamId = names.streamId(open.session.path);
    const [figures, now] = [traffic.session(open.session.id), clock.wall()];
    return srsClient(open, { vhostId: this.vhostId, streamId, figures, now });
  }

  vhost(): SrsVhost {
    const { router, registry, traffic, config } = this.#options;
    const { enabled, segmentSeconds } = config().hls;
    const figures = traffic.server();
    return {
      id: this.vhostId,
      name: VHOST,
      enabled: true,
      clients: registry.size,
      streams: router.streams().length,
      send_bytes: figures.sent,
      recv_bytes: figures.received,
      kbps: kbpsOf(figures),
      hls: enabled ? { enabled, fragment: segmentSeconds } : { enabled },
      dvr: { enabled: isRecorded(config()) },
    };
  }

  versions(): SrsVersions {
    const { version } = this.#options;
    const [major = 0, minor = 0, revision = 0] = version.split(/[.-]/).map(Number);
    return { major, minor, revision, version };
  }

  /** What SRS would have been built with; what has no counterpart here is off. */
  features(): SrsFeatures {
    const { config, version } = this.#options;
    const features = {
      ssl: true,
      hls: config().hls.enabled,
      hds: false,
      callback: true,
      api: true,
      httpd: true,
      dvr: true,
      transcode: false,
      ingest: true,
      stat: true,
      caster: false,
      complex_send: true,
      tcp_nodelay: true,
      so_sendbuf: false,
      mr: false,
    };
    return { options: '', options2: '', build: version, build2: '', features };
  }
}

/** Of any stream, as the configuration says. */
function isRecorded({ recording, paths }: Config): boolean {
  return recording.enabled || Object.values(paths).some((own) => own.recording?.enabled === true);
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
