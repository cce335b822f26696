import type { Millis } from '@sluice/media';
import type { OpenSession, SessionRegistry, SessionsInSight } from './access/session-registry.js';
import type { StreamHealth } from './streams/stream-health.js';
import type { StreamFigures } from './streams/stream-meter.js';

/** One server of a cluster, as it tells of itself. */
export interface ClusterNode {
  readonly id: string;
  readonly name: string;
  /** `origin` where encoders publish to it; `edge` where viewers only watch what others publish. */
  readonly role: 'origin' | 'edge';
  /** `lost`: it has not been heard of for the time of a lease. */
  readonly state: 'serving' | 'draining' | 'lost';
  /** Whether it does what one node does for all: the sync of pay-per-view, the watch over shared accounts. */
  readonly elected: boolean;
  readonly version: string;
  readonly streams: number;
  readonly sessions: number;
  /** Cores that its process keeps busy. */
  readonly cpu: number;
  readonly memoryBytes: number;
  /** When it was started. Wall clock. */
  readonly since: Millis;
  readonly urls: readonly string[];
  /** Of the bans, users, keys and settings that all share: the same on all nodes that agree. */
  readonly revision: number;
}

/** Streams on their way between this node and others. */
export interface ClusterTraffic {
  /** Streams of other nodes that are watched here. */
  readonly fetched: number;
  /** Streams of this node that others want. */
  readonly streams: number;
  /** How often: a stream that two nodes want counts twice, and is sent once. */
  readonly edges: number;
  /** To NATS, in all. */
  readonly sentBytes: number;
}

/** A session on another node. */
export interface SessionElsewhere extends OpenSession {
  /** The name of its node. */
  readonly node: string;
}

/** A stream on another node. */
export interface StreamElsewhere {
  readonly node: string;
  /** Whether its encoder publishes to that node. */
  readonly isOrigin: boolean;
  readonly path: string;
  readonly state: 'live' | 'waiting' | 'ended';
  readonly since: Millis;
  readonly viewers: number;
  readonly received: { readonly bytes: number; readonly frames: number };
  readonly tracks: readonly Readonly<Record<string, unknown>>[];
  readonly bFrames: boolean;
  readonly figures: StreamFigures;
  readonly health: StreamHealth;
}

/** A process of this server that serves viewers beside the main one. */
export interface ClusterWorker {
  readonly id: number;
  readonly pid: number | undefined;
  readonly state: string;
  readonly sessions: number;
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly restarts: number;
}

/** What came of asking another node to end a session. */
export type RemoteCut = 'done' | 'unknown' | 'unreachable';

/** The servers that serve together, as one of them sees them. */
export interface ClusterView {
  /** The name of this node. */
  readonly node: string;
  /** `none` where no cluster is configured; `alone` while NATS can't be reached. */
  readonly state: 'none' | 'alone' | 'connected';
  /** Whether this node does what one node does for all. */
  readonly isElected: boolean;
  /** This node first. */
  nodes(): readonly ClusterNode[];
  sessions(): Iterable<SessionElsewhere>;
  /** How many these are. */
  readonly sessionCount: number;
  session(id: string): SessionElsewhere | undefined;
  streams(): readonly StreamElsewhere[];
  /** Has the node that it is on end a session. Never rejects. */
  cutSession(id: string, reason: string): Promise<RemoteCut>;
  /** Has all other nodes cut the encoder of a stream. */
  cutPublishers(path: string, reason: string): void;
}

/** The sessions of this server and of all others of its cluster. */
export function wholeSight(registry: SessionRegistry, cluster: () => ClusterView): SessionsInSight {
  return {
    *list() {
      yield* registry.list();
      yield* cluster().sessions();
    },
    get: (id) => registry.get(id) ?? cluster().session(id),
    cut: (id, reason) => {
      if (registry.cut(id, reason)) return true;
      const isElsewhere = cluster().session(id) !== undefined;
      if (isElsewhere) void cluster().cutSession(id, reason);
      return isElsewhere;
    },
  };
}
