import {
  ControlServer,
  type MediaPorts,
  type Metrics,
  makeControlPages,
  type Recordings,
  type ServerNames,
  srsRoutes,
} from '@sluice/api';
import {
  type AuditTrail,
  type CaptureControl,
  type Clock,
  type ClusterView,
  type ConfigChange,
  type Disks,
  type Doctor,
  type Drain,
  type EventBus,
  type Gate,
  type LiveConfig,
  type Logger,
  type PasswordVerifier,
  type SessionRegistry,
  type Snapshots,
  type StreamRouter,
  TokenIssuer,
  TrafficMeter,
  type Transcoder,
  wholeSight,
} from '@sluice/core';
import type { Storage } from '@sluice/storage';
import type { Accounts } from './accounts.js';
import type { Certificate } from './certificate.js';
import type { ConfigChanges } from './config-changes.js';
import { openPort } from './open-port.js';
import { pagesDirectory } from './pages-directory.js';
import type { OwnSecrets } from './secrets.js';
import { VERSION } from './version.js';
import type { WorkerPool } from './workers/worker-pool.js';

/** For answers under way, when the server goes down. */
const PATIENCE_MS = 1000;

/** Where the control API can be reached; undefined for what is off. */
export interface ControlPorts {
  readonly api: number | undefined;
  readonly apiTls: number | undefined;
}

export interface ControlPlaneOptions {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: Logger;
  readonly registry: SessionRegistry;
  readonly accounts: Accounts;
  readonly passwords: PasswordVerifier;
  readonly signingSecret: () => string;
  readonly changes: ConfigChanges;
  readonly reload: () => Promise<ConfigChange>;
  readonly certificate: Certificate | undefined;
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly storage: Storage;
  readonly secrets: OwnSecrets;
  readonly audit: AuditTrail;
  readonly metrics: Metrics | undefined;
  readonly workers: WorkerPool | undefined;
  readonly names: ServerNames;
  readonly transcoder: Transcoder;
  readonly captures: CaptureControl;
  readonly drain: Drain;
  readonly cluster: ClusterView;
  readonly recordings: Recordings;
  readonly doctor: Doctor;
  readonly disks: Disks;
  /** Undefined until the doors are open. */
  readonly mediaPorts: () => MediaPorts | undefined;
  readonly snapshots: Snapshots;
}

/** The control API with what it needs, on its own listeners. */
export class ControlPlane {
  readonly #live: LiveConfig;
  readonly #traffic: TrafficMeter;
  readonly #server: ControlServer | undefined;
  #ports: ControlPorts = { api: undefined, apiTls: undefined };

  constructor(options: ControlPlaneOptions) {
    this.#live = options.live;
    this.#traffic = new TrafficMeter(options);
    this.#server = options.live.current.api.enabled ? makeServer(options, this.#traffic) : undefined;
    options.certificate?.onChange((tls) => this.#server?.setCertificate(tls));
  }

  /** @throws {StartError} */
  async open(): Promise<ControlPorts> {
    const server = this.#server;
    if (server === undefined) return this.#ports;
    const { host, port, tlsPort } = this.#live.current.api;
    const api = await openPort('api', { host, port }, (at, on) => server.listen(at, on));
    this.#ports = { api, apiTls: undefined };
    if (!server.hasTls) return this.#ports;
    const listenTls = (at: number, on: string) => server.listenTls(at, on);
    this.#ports = { api, apiTls: await openPort('api', { host, port: tlsPort }, listenTls, 'tlsPort') };
    return this.#ports;
  }

  /** Where the control API can be reached; without ports until `open` is done. */
  get ports(): ControlPorts {
    return this.#ports;
  }

  async close(): Promise<void> {
    this.#traffic.close();
    await this.#server?.close(PATIENCE_MS);
  }
}

function makeServer(options: ControlPlaneOptions, traffic: TrafficMeter): ControlServer {
  const { live, clock, log, registry, accounts, passwords, gate, router, storage, secrets, certificate } = options;
  const { changes, reload, signingSecret, audit, metrics, names, transcoder, captures, recordings } = options;
  const { drain, cluster, doctor, disks, mediaPorts } = options;
  const startedAt = clock.wall();
  return new ControlServer({
    ...accounts,
    version: VERSION,
    startedAt,
    clock,
    log,
    router,
    registry,
    gate,
    history: storage.history,
    auditLog: storage.audit,
    audit,
    transcoder,
    captures,
    recordings,
    drain,
    cluster,
    doctor,
    disks,
    events: options.events,
    traffic,
    snapshots: options.snapshots,
    mediaPorts,
    config: {
      live,
      set: (values, by) => changes.set(values, by),
      unset: (key) => changes.unset(key),
      reload,
    },
    tokens: new TokenIssuer({ auth: () => live.current.auth, signingSecret, clock }),
    health: { problems: () => problemsOf(options) },
    passwords,
    accessTokenSecret: secrets.accessTokens,
    srs: srsRoutes({
      router,
      registry,
      traffic,
      clock,
      version: VERSION,
      startedAt,
      config: () => live.current,
      names,
      kick: (id, { name }, ip) => {
        const isThere = wholeSight(registry, () => cluster).cut(id, `kicked (by ${name})`);
        audit.record({ actor: name, ip, action: 'session.kick', target: id, result: isThere ? 'ok' : 'failed' });
        return isThere;
      },
      reload: async ({ name }, ip) => {
        await reload();
        audit.record({ actor: name, ip, action: 'config.reload', target: 'file', result: 'ok' });
      },
    }),
    workers: () => options.workers?.status ?? [],
    metrics: metrics?.handler,
    pages: makeControlPages(pagesDirectory(), () => mediaPorts() ?? { http: undefined, https: undefined }),
    tls: certificate?.current,
  });
}

/** Why nobody should be sent here at the moment. */
function problemsOf({ storage, router, workers, drain }: ControlPlaneOptions): string[] {
  const problems: string[] = [];
  if (!storage.isOpen) problems.push('the database has failed: nothing can be kept');
  if (drain.isOn) problems.push('the server is being drained: it is taken out of service');
  if (workers?.status.every(({ state }) => state !== 'ready')) problems.push('no worker is there: none serves viewers');
  if (router.isClosed) problems.push('the server is going down');
  return problems;
}
