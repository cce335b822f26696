import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { AuditFile, type AuditSink, AuditWriter, type MediaPorts, Metrics, syslogSink } from '@sluice/api';
import { RemoteSessions } from '@sluice/cluster';
import {
  type AccessMode,
  type Clock,
  type Config,
  type ConfigChange,
  type ConfigSources,
  Directory,
  Drain,
  EventBus,
  findFfmpeg,
  findProgram,
  type Gate,
  type LiveConfig,
  type Logger,
  messageOf,
  PasswordVerifier,
  placesOf,
  pullFor,
  type RenditionDirectory,
  resolveConfig,
  SessionRegistry,
  Snapshots,
  StreamRouter,
  settingsFor,
  soundConverter,
  systemClock,
  Transcoder,
} from '@sluice/core';
import { FileLoop, OriginCheck, openPullLine } from '@sluice/ingest';
import { Storage, StorageError } from '@sluice/storage';
import { makeGate } from './access.js';
import { FIRST_USER, loadAccounts, makeFirstUser } from './accounts.js';
import { auditEnds, makeCaptures } from './bbb.js';
import { Certificate } from './certificate.js';
import { aloneView, makeClusterControl } from './cluster/control.js';
import { Cluster, relayKind } from './cluster.js';
import { ConfigChanges } from './config-changes.js';
import { ControlPlane, type ControlPorts } from './control-plane.js';
import { DiskSpaces } from './disk-spaces.js';
import { ServerDoctor } from './doctor/server-doctor.js';
import { HistoryWriter } from './history-writer.js';
import { MediaDoors } from './media-doors.js';
import { Outgoing } from './outgoing.js';
import { Recordings } from './recordings.js';
import { loadSecrets } from './secrets.js';
import { logLifecycle } from './session-log.js';
import { StartError } from './start-error.js';
import { firstOf, sourceFetcher } from './stream-fetchers.js';
import { VERSION } from './version.js';
import { WorkerPool, type WorkerStatus } from './workers/worker-pool.js';

/** Where the server can be reached; undefined for what is off. */
export interface ListeningPorts extends MediaPorts, ControlPorts {}

export interface ServerOptions {
  /** Reads file and environment; asked again at each reload. */
  readonly read: () => ConfigSources;
  readonly log: Logger & { level?: string };
  /** Tells the operator once what must not go to a log: the first password. */
  readonly announce: (text: string) => void;
}

type Closer = () => Promise<void> | void;

const GOING_DOWN = 'the server is going down';

/** The whole server, put together. */
export class SluiceServer {
  readonly ports: ListeningPorts;
  readonly #parts: ServerParts;
  readonly #closers: Closer[];
  #stopping: Promise<void> | undefined;

  private constructor(parts: ServerParts, closers: Closer[], ports: ListeningPorts) {
    this.#parts = parts;
    this.#closers = closers;
    this.ports = ports;
  }

  /**
   * Makes all parts and opens the doors. When one of them can't be opened, the others are closed again.
   *
   * @throws {ConfigError} where the configuration can't be used
   * @throws {StartError} with what is in the way and how to get around it
   */
  static async start(options: ServerOptions): Promise<SluiceServer> {
    const closers: Closer[] = [];
    try {
      const parts = await makeParts(options, closers);
      tellWhoMayPublish(parts.live.current.access.publish, options.log);
      const ports = { ...(await parts.doors.open()), ...(await parts.control.open()) };
      return new SluiceServer(parts, closers, ports);
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  /** The processes that serve viewers; none where this one does all. */
  get workers(): readonly WorkerStatus[] {
    return this.#parts.workers?.status ?? [];
  }

  /** Publishes a file in a loop, until the server stops. */
  async publishLoop(file: string, path: string): Promise<void> {
    const { gate, router, clock } = this.#parts;
    const loop = await FileLoop.start(file, path, { gate, router, clock });
    this.#closers.push(() => loop.stop(GOING_DOWN));
  }

  /** Reads file, environment and certificate again. @throws {ConfigError}; what was in force stays */
  reload(): Promise<ConfigChange> {
    return this.#parts.reload();
  }

  /** Resolves when the server was drained: all have been handed on, and it is to be stopped. */
  get drained(): Promise<void> {
    return this.#parts.drained;
  }

  /** Ends all streams and connections, politely as far as the configured time allows. Later calls wait for the first. */
  stop(): Promise<void> {
    this.#stopping ??= closeAll(this.#closers);
    return this.#stopping;
  }
}

interface ServerParts {
  readonly live: LiveConfig;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly doors: MediaDoors;
  readonly control: ControlPlane;
  readonly workers: WorkerPool | undefined;
  readonly reload: () => Promise<ConfigChange>;
  readonly drained: Promise<void>;
}

/** In the order in which they need each other; what is to be closed goes on the list at once. */
async function makeParts({ read, log, announce }: ServerOptions, closers: Closer[]): Promise<ServerParts> {
  const clock = systemClock;
  const dir = resolveConfig(read()).config.data.dir;
  const storage = await openStorage(dir, log);
  closers.push(() => storage.close());
  const secrets = await loadSecrets(dir);
  const changes = new ConfigChanges({ read, settings: await Directory.load(storage.settings), clock, log });
  const { live } = changes;
  const accounts = await loadAccounts(storage, clock);
  const password = await makeFirstUser(accounts.users, clock);
  if (password !== undefined) announce(firstUserText(password));

  const audit = makeAudit(live.current, { dir, storage, clock, log });
  closers.push(() => audit.close());
  const certificate = await Certificate.load(live.current, log);
  closers.push(() => certificate?.close());
  const events = new EventBus(log);
  logLifecycle(events, log);
  const history = new HistoryWriter({ history: storage.history, events, clock, log });
  closers.push(() => history.close());
  const remote = new RemoteSessions();
  const registry = new SessionRegistry({ clock, limits: () => live.current.sessions, elsewhere: remote });
  const passwords = new PasswordVerifier({ users: accounts.users, clock });
  const signingSecret = () => live.current.auth.signing.secret ?? secrets.signing;
  const shared = { live, clock, events, log, registry, accounts, passwords, signingSecret };
  const ffmpeg = findFfmpeg(process.env);
  const inCluster = () => cluster?.streams;
  const elsewhere = firstOf([inCluster, () => doors.pulls]);
  const router = new StreamRouter({
    clock,
    events,
    settingsFor: (path) => settingsFor(live.current, path),
    convertSound: soundConverter(ffmpeg, log),
    refusalFor: (path) => transcoder.refusalFor(path),
    fetcher: firstOf([inCluster, sourceFetcher(live, () => ({ router, fetcher: elsewhere }))]),
  });
  const relay = relayKind(live, clock);
  const renditions: RenditionDirectory = {
    renditionsOf: (path) => transcoder.renditionsOf(path),
    want: (path) => transcoder.want(path),
  };
  const cluster = Cluster.join({ ...shared, router, renditions, relay });
  closers.push(() => cluster?.close());
  const metrics = live.current.metrics.enabled
    ? new Metrics({
        version: VERSION,
        router,
        registry,
        bans: accounts.bans,
        events,
        settings: () => live.current.metrics,
        transcodes: () => transcoder.status,
        captures: () => captures,
        recordings: () => recordings,
        cluster: () => clusterView,
        workers: () => workers?.status ?? [],
        clusterTraffic: () => cluster?.streams.figures,
      })
    : undefined;
  const { serverId } = secrets;
  const outgoing = new Outgoing({ ...shared, outbox: storage.outbox, serverId, metrics });
  closers.push(() => outgoing.close());
  const origin = new OriginCheck({
    settingsFor: (path) => pullFor(live.current, path),
    open: openPullLine,
    clock,
    log,
    onGranted: (path, query) => doors.pulls.offer(path, query),
  });
  const places = () => {
    const { redirect } = live.current.drain;
    return redirect.length > 0 || clusterControl === undefined ? placesOf(redirect) : clusterControl.places();
  };
  const drain = new Drain({
    ...{ clock, registry, log },
    settings: () => live.current.drain,
    places,
  });
  closers.push(() => drain.close());
  const gate = makeGate({
    ...shared,
    outside: [outgoing.httpAuth],
    advisors: [outgoing.advisor],
    deciderOf: (request) => (origin.decides(request) ? origin : undefined),
    refusalOf: (request) => drain.refusalOf(request) ?? cluster?.streams.refusalOf(request),
  });
  closers.push(() => gate.close());
  const prlimit = findProgram('prlimit', process.env);
  const program = ffmpeg === undefined ? undefined : { file: ffmpeg, prlimit };
  const cores = availableParallelism();
  const transcoder = new Transcoder({ live, events, gate, router, program, cores, log });
  closers.push(() => transcoder.close(GOING_DOWN));
  const aboutNode = { ...shared, changes, remote, gate, router, drain, dir, serverId };
  const clusterControl = cluster && makeClusterControl(cluster, aboutNode);
  closers.push(() => clusterControl?.close());
  const clusterView = clusterControl ?? aloneView(aboutNode);
  await outgoing.start({ gate, router, bans: accounts.bans, audit, cluster: () => clusterView });
  const reload = async () => {
    audit.reopen();
    await certificate?.reload();
    return changes.reload();
  };
  closers.push(live.onChange((change) => followConfig(change, { live, log, gate })));

  const captures = makeCaptures({
    ...shared,
    ffmpeg,
    rtmpPort: () => doors.rtmpPort,
    environment: process.env,
    onState: auditEnds(audit),
  });
  const { recordings: index, uploads } = storage;
  const recordings = await Recordings.open({ ...shared, router, index, uploads, ffmpeg: program });
  closers.push(() => recordings.close(GOING_DOWN));
  const doctor = new ServerDoctor({ config: () => live.current, clock });
  closers.push(() => doctor.close());
  const disks = new DiskSpaces([
    { use: 'data', path: () => live.current.data.dir },
    { use: 'recordings', path: () => recordings.dir },
  ]);
  const snapshots = new Snapshots({
    program,
    limits: () => live.current.transcode,
    seconds: () => live.current.transcode.snapshotSeconds,
    now: clock.monotonic,
    log,
  });
  const known = cluster?.streams ?? transcoder;
  const workers = WorkerPool.of({ ...aboutNode, renditions: known, certificate, relay, places });
  const control = new ControlPlane({
    ...shared,
    doctor,
    disks,
    recordings,
    changes,
    reload,
    certificate,
    gate,
    router,
    storage,
    secrets,
    audit,
    metrics,
    transcoder,
    captures,
    drain,
    cluster: clusterView,
    workers,
    names: outgoing.names,
    mediaPorts: () => doors.ports,
    snapshots,
  });
  closers.push(() => control.close());
  const doors = new MediaDoors({
    live,
    snapshots,
    controlPorts: () => control.ports,
    workers,
    playback: recordings.playback,
    renditions: known,
    clock,
    events,
    gate,
    router,
    certificate,
    ffmpeg: program,
    placeFor: (ip, schemes) => drain.placeFor(ip, schemes),
    log,
  });
  closers.push(async () => {
    router.close(GOING_DOWN);
    await doors.close(GOING_DOWN, live.current.shutdownSeconds * 1000);
  });
  // Before streams end: for viewers at other nodes they don't, if their encoders go on there.
  closers.push(() => cluster?.streams.close());
  // Before the doors: a publish that ends by itself is not one that broke off.
  closers.push(() => captures.close());
  return { live, clock, gate, router, doors, control, workers, reload, drained: drain.done };
}

function makeAudit(
  { audit }: Config,
  { dir, storage, clock, log }: { dir: string; storage: Storage; clock: Clock; log: Logger },
): AuditWriter {
  const sinks: AuditSink[] = [new AuditFile(audit.file ?? join(dir, 'audit.jsonl'), log)];
  if (audit.syslog !== undefined) sinks.push(syslogSink(audit.syslog, log));
  return new AuditWriter({ sinks, store: storage.audit, clock, log });
}

/** Nobody should find out by accident. */
function tellWhoMayPublish(mode: AccessMode, log: Logger): void {
  if (mode === 'local') {
    log.info(
      { 'access.publish': mode },
      'this machine and private networks may publish without a key; others need one',
    );
  } else if (mode === 'open') {
    log.warn({ 'access.publish': mode }, 'anybody who reaches this server may publish');
  }
}

/** What a new configuration means for what is under way. */
function followConfig(
  { applied, needRestart }: ConfigChange,
  { live, log, gate }: { live: LiveConfig; log: ServerOptions['log']; gate: Gate },
): void {
  log.level = live.current.log.level;
  log.info({ applied, needRestart }, 'the configuration has changed');
  if (needRestart.length > 0) log.warn({ needRestart }, 'these settings wait for the next start');
  gate.recheck();
}

async function openStorage(dir: string, log: Logger): Promise<Storage> {
  try {
    return await Storage.open({ dir, log });
  } catch (error) {
    if (error instanceof StorageError) throw new StartError(messageOf(error));
    throw error;
  }
}

function firstUserText(password: string): string {
  return [
    '  A first user has been made for the control API. This is shown once:',
    `    user: ${FIRST_USER}`,
    `    password: ${password}`,
    '',
  ].join('\n');
}

/** In reverse: doors before what is behind them. */
async function closeAll(closers: Closer[]): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}
