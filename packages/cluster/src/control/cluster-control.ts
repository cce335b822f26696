import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  type Clock,
  type ClusterNode,
  type ClusterView,
  type EventBus,
  type Logger,
  messageOf,
  type Place,
  type RemoteCut,
  type Session,
  type SessionElsewhere,
  type SessionLimits,
  type SessionRegistry,
  type StreamElsewhere,
} from '@sluice/core';
import type { Millis } from '@sluice/media';
import type { NatsLink } from '../nats/connection.js';
import { Election } from './election.js';
import { overLimits } from './limit-judge.js';
import { type Order, orderAnswer, orderMessage, type Presence, presenceMessage, type StreamFacts } from './messages.js';
import { NodeDirectory, nodeOf } from './node-directory.js';
import { partsOf } from './parts.js';
import type { PendingChanges } from './pending-changes.js';
import { ProcessMeter } from './process-figures.js';
import type { RemoteSessions } from './remote-sessions.js';
import { read, SessionExchange } from './session-exchange.js';
import { SessionJournal } from './session-journal.js';
import { SharedBucket, type SharedKind } from './shared-bucket.js';
import { StreamExchange } from './stream-exchange.js';
import { type ControlSubjects, controlSubjects } from './subjects.js';
import { tell } from './tell.js';

export interface ClusterControlOptions {
  readonly link: NatsLink;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly registry: SessionRegistry;
  /** The same that the registry counts with. */
  readonly remote: RemoteSessions;
  readonly limits: () => SessionLimits;
  readonly node: { readonly id: string; readonly name: string; readonly version: string; readonly since: Millis };
  readonly namespace: string;
  readonly leaseSeconds: number;
  readonly replicas: number;
  /** Where publishers and viewers reach this node. */
  readonly urls: () => readonly string[];
  readonly state: () => 'serving' | 'draining';
  readonly streams: () => readonly StreamFacts[];
  readonly kinds: readonly SharedKind[];
  readonly pending: PendingChanges;
  /** What other nodes changed is in force here. */
  readonly onAdopted: (kind: string) => void;
  readonly log: Logger;
}

/** Sessions are told of so often: a limit, a kick and a list are right within a few of these. */
const FLUSH_MS = 50;
const STREAMS_MS = 2000;
const FIGURES_MS = 5000;
const TIDY_MS = 3_600_000;
const RETRY_MS = 2000;
const ORDER_TIMEOUT_MS = 2000;
/** For people who wonder where a node is. */
const REMEMBER_LOST_MS = 600_000;

/** What the nodes of a cluster are to each other: who is there, who watches where, what holds for all, who does what. */
export class ClusterControl implements ClusterView {
  readonly node: string;
  readonly #options: ClusterControlOptions;
  readonly #epoch = randomBytes(6).toString('hex');
  readonly #subjects: ControlSubjects;
  readonly #nodes: NodeDirectory;
  readonly #journal: SessionJournal;
  readonly #sessions: SessionExchange;
  readonly #streams: StreamExchange;
  readonly #shared: SharedBucket;
  readonly #election: Election;
  readonly #meter = new ProcessMeter();
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #stopUsing: () => void;
  #figures = { cpu: 0, memoryBytes: 0 };
  #connection: NatsConnection | undefined;
  #retry: NodeJS.Timeout | undefined;
  #toldFigures = new Map<string, number>();
  #isLeaving = false;

  constructor(options: ClusterControlOptions) {
    const { node, namespace, leaseSeconds, registry, events, remote, log, pending, kinds, onAdopted } = options;
    this.#options = options;
    this.node = node.name;
    this.#subjects = controlSubjects(namespace);
    const leaseMs = leaseSeconds * 1000;
    this.#nodes = new NodeDirectory({ leaseMs, rememberMs: REMEMBER_LOST_MS });
    this.#journal = new SessionJournal({ registry, events });
    const nameOf = (id: string) => this.#nodes.get(id)?.name ?? id;
    const own = { node: node.id, epoch: this.#epoch, subjects: this.#subjects, nameOf, log };
    this.#sessions = new SessionExchange({
      ...{ ...own, journal: this.#journal, remote },
      onOpened: (sessions) => this.#judge(sessions),
    });
    this.#streams = new StreamExchange({ ...own, streams: options.streams });
    this.#shared = new SharedBucket({ bucket: `${namespace}-shared`, kinds, pending, onAdopted, log });
    this.#election = new Election({
      ...{ bucket: `${namespace}-elected`, node: node.id, leaseMs, log },
      present: () => [node.id, ...this.#nodes.present.map((other) => other.node)],
    });
    this.#timers = [
      setInterval(() => this.#flush(), FLUSH_MS),
      setInterval(() => this.#tick(), Math.min(1000, leaseMs / 4)),
      setInterval(() => this.#connection && this.#streams.tell(this.#connection), STREAMS_MS),
      setInterval(() => this.#tellFigures(), FIGURES_MS),
      setInterval(() => this.#tidy(), TIDY_MS),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#stopUsing = options.link.use({
      up: (connection, isFirst) => this.#up(connection, isFirst),
      down: () => this.#down(),
    });
  }

  get state(): ClusterView['state'] {
    return this.#connection === undefined ? 'alone' : 'connected';
  }

  /** Whether this node does what one does for all. */
  get isElected(): boolean {
    return this.#election.isElected;
  }

  /** Of what all nodes share: the same number on all that agree. */
  get revision(): number {
    return this.#shared.revision;
  }

  nodes(): ClusterNode[] {
    return [nodeOf(this.#presence()), ...this.#nodes.list()];
  }

  get sessionCount(): number {
    return this.#options.remote.size;
  }

  sessions(): Iterable<SessionElsewhere> {
    return this.#options.remote.list();
  }

  session(id: string): SessionElsewhere | undefined {
    return this.#options.remote.get(id);
  }

  streams(): StreamElsewhere[] {
    return this.#streams.list();
  }

  /** Where publishers and viewers of this node can go. */
  places(): Place[] {
    return this.#nodes.places();
  }

  async cutSession(id: string, reason: string): Promise<RemoteCut> {
    const node = this.#options.remote.nodeOf(id);
    if (node === undefined) return 'unknown';
    const order: Order = { kind: 'cut-session', id, reason };
    try {
      const connection = this.#connection;
      if (connection === undefined) return 'unreachable';
      const subject = this.#subjects.orderTo(node);
      const answer = await connection.request(subject, JSON.stringify(order), { timeout: ORDER_TIMEOUT_MS });
      return orderAnswer.parse(answer.json()).found ? 'done' : 'unknown';
    } catch (error) {
      this.#options.log.warn({ session: id, detail: messageOf(error) }, 'the node of a session doesn’t answer');
      return 'unreachable';
    }
  }

  cutPublishers(path: string, reason: string): void {
    const order: Order = { kind: 'cut-publishers', path, reason };
    if (this.#connection !== undefined) tell(this.#connection, this.#subjects.orderToAll, order);
  }

  /** Says that this node goes, so that others needn't wait to find out. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#retry);
    this.#stopUsing();
    this.#isLeaving = true;
    await this.#election.close();
    await this.#shared.close();
    this.#flush();
    this.#beat();
    this.#journal.close();
  }

  #up(connection: NatsConnection, isFirst: boolean): void {
    this.#connection = connection;
    if (isFirst) this.#subscribe(connection);
    tell(connection, this.#subjects.hello, {});
    this.#beat();
    this.#streams.tell(connection);
    void this.#useBuckets(connection);
  }

  /** What can't be heard any more isn't known any more: each node goes on by itself. */
  #down(): void {
    this.#connection = undefined;
    clearTimeout(this.#retry);
    this.#shared.pause();
    this.#election.pause();
    for (const node of this.#nodes.clear()) this.#forget(node);
  }

  /** Where JetStream can't be used (yet), nodes still know of each other, and it is tried again. */
  async #useBuckets(connection: NatsConnection): Promise<void> {
    const { link, replicas, log } = this.#options;
    const buckets = link.buckets(connection);
    try {
      await this.#election.begin(buckets, replicas);
      await this.#shared.begin(buckets, replicas);
      log.info({ revision: this.revision }, 'the cluster’s bans, users, keys and settings are in force');
    } catch (error) {
      if (connection !== this.#connection || this.#isLeaving) return;
      log.warn({ detail: messageOf(error) }, 'JetStream can’t be used: bans, users, keys and settings aren’t shared');
      this.#retry = setTimeout(() => {
        if (connection === this.#connection) void this.#useBuckets(connection);
      }, RETRY_MS);
    }
  }

  #subscribe(connection: NatsConnection): void {
    const { node } = this.#options;
    const { presence, hello, orderTo, orderToAll } = this.#subjects;
    this.#sessions.begin(connection);
    this.#streams.begin(connection);
    connection.subscribe(presence, {
      callback: (error, message) => {
        if (error === null) this.#hear(connection, message.string());
      },
    });
    connection.subscribe(hello, { callback: () => this.#beat() });
    const obey = (text: string): boolean => {
      const order = read(orderMessage, text, this.#options.log);
      return order !== undefined && this.#obey(order);
    };
    connection.subscribe(orderTo(node.id), {
      callback: (error, message) => {
        if (error === null) message.respond(JSON.stringify({ found: obey(message.string()) }));
      },
    });
    connection.subscribe(orderToAll, {
      callback: (error, message) => {
        if (error === null) obey(message.string());
      },
    });
  }

  #obey(order: Order): boolean {
    const { registry } = this.#options;
    if (order.kind === 'cut-session') return registry.cut(order.id, order.reason);
    const cut = registry.cutWhere(({ session }) =>
      session.action === 'publish' && session.path === order.path ? order.reason : undefined,
    );
    return cut.length > 0;
  }

  #hear(connection: NatsConnection, text: string): void {
    const { node, log, clock } = this.#options;
    const presence = read(presenceMessage, text, log);
    if (presence === undefined) return;
    if (presence.node === node.id) {
      if (presence.epoch !== this.#epoch) this.#tellTwin(presence);
      return;
    }
    if (presence.state === 'leaving') {
      this.#nodes.leave(presence.node);
      this.#forget(presence.node);
      log.info({ node: presence.name }, 'a node has left the cluster');
      return;
    }
    const news = this.#nodes.hear(presence, clock.monotonic());
    if (news !== 'same') {
      log.info({ node: presence.name, version: presence.version }, 'a node has come to the cluster');
      if (presence.name === node.name) log.error({ node: node.name }, 'two nodes have this name; set cluster.node');
      this.#beat();
    }
    this.#sessions.check(connection, presence.node, presence.epoch, presence.batch);
  }

  #tellTwin({ name }: Presence): void {
    this.#options.log.error(
      { node: name },
      'another node has the same id: data.dir was copied; delete its secrets.json',
    );
  }

  #judge(opened: readonly Session[]): void {
    const { registry, remote, limits, log } = this.#options;
    for (const [id, reason] of overLimits(opened, { registry, remote, limits: limits() })) {
      log.warn({ session: id, reason }, 'two nodes let in one too many: the youngest goes');
      registry.cut(id, reason);
    }
  }

  /** While NATS is away nobody hears it: who does later finds that a batch is missing, and asks for all. */
  #flush(): void {
    if (this.#connection === undefined) this.#journal.take();
    else this.#sessions.flush(this.#connection);
  }

  #tidy(): void {
    const { clock, link } = this.#options;
    const connection = this.#connection;
    if (connection === undefined || !this.isElected) return;
    void this.#shared.tidy(() => link.manager(connection), clock.wall());
  }

  #tick(): void {
    const { clock, log } = this.#options;
    for (const { node, name } of this.#nodes.sweep(clock.monotonic())) {
      this.#forget(node);
      log.warn({ node: name }, 'a node of the cluster is lost');
    }
    this.#figures = this.#meter.take();
    this.#beat();
  }

  #beat(): void {
    if (this.#connection !== undefined) tell(this.#connection, this.#subjects.presence, this.#presence());
  }

  #forget(node: string): void {
    this.#options.remote.forget(node);
    this.#streams.forget(node);
  }

  #presence(): Presence {
    const { node, registry, urls, state } = this.#options;
    const { id, name, version, since } = node;
    const streams = this.#options.streams();
    return {
      ...{ node: id, epoch: this.#epoch, name, version, since },
      state: this.#isLeaving ? 'leaving' : state(),
      elected: this.isElected,
      streams: streams.length,
      publishers: streams.filter(({ isOrigin }) => isOrigin).length,
      sessions: registry.size,
      ...this.#figures,
      urls: [...urls()],
      revision: this.#shared.revision,
      batch: this.#journal.batch,
    };
  }

  /** Of those that have come further since the last time. */
  #tellFigures(): void {
    const { registry, node } = this.#options;
    const connection = this.#connection;
    if (connection === undefined) return;
    const told = new Map<string, number>();
    const figures: unknown[] = [];
    for (const { session, traffic, ending, addresses } of registry.list()) {
      const { received, sent } = traffic;
      told.set(session.id, received + sent);
      if (this.#toldFigures.get(session.id) === received + sent) continue;
      figures.push([session.id, received, sent, ending ?? null, addresses.length > 1 ? addresses : []]);
    }
    for (const part of figures.length === 0 ? [] : partsOf(figures)) {
      tell(connection, this.#subjects.figures, { node: node.id, epoch: this.#epoch, figures: part });
    }
    this.#toldFigures = told;
  }
}
