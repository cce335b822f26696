import {
  type AccessProtocol,
  type AccessRequest,
  type Clock,
  type ClusterTraffic,
  type EventBus,
  type Logger,
  type OutputKind,
  Refusal,
  type RenditionDirectory,
  type RenditionInfo,
  type Session,
  type SessionRegistry,
  type StreamFetcher,
  type StreamPath,
  type StreamRouter,
} from '@sluice/core';
import type { RelayOutput } from '../relay/relay-output.js';
import type { NatsLink } from './connection.js';
import { EdgeStreams } from './media/edge-streams.js';
import { OriginMedia } from './media/origin-media.js';
import type { RegisteredStream } from './streams/stream-entry.js';
import { StreamRegistry } from './streams/stream-registry.js';

export interface ClusterStreamsOptions {
  readonly link: NatsLink;
  readonly namespace: string;
  /** This node's name. */
  readonly node: string;
  readonly leaseMs: number;
  readonly replicas: number;
  /** A stream of another node that nobody has watched for so long is let go; 10 s by default. */
  readonly idleMs?: number;
  readonly router: StreamRouter;
  /** Where publishers are ended whose path is another node's. */
  readonly sessions: Pick<SessionRegistry, 'cut'>;
  /** Whether who publishes a path later takes over. */
  readonly mayReplace: (path: StreamPath) => boolean;
  /** This node's own renditions. */
  readonly renditions: RenditionDirectory;
  /** What a path is a rendition of; undefined where it is none. */
  readonly sourceOf: (path: StreamPath) => StreamPath | undefined;
  /** The one kind of relay of this process. */
  readonly kind: OutputKind<RelayOutput>;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
}

/** This node's streams for the others, and theirs for it. Renditions are made where their source comes in. */
export class ClusterStreams implements StreamFetcher, RenditionDirectory {
  readonly #options: ClusterStreamsOptions;
  readonly #registry: StreamRegistry;
  readonly #origin: OriginMedia;
  readonly #edges: EdgeStreams;
  readonly #stopListening: readonly (() => void)[];

  constructor(options: ClusterStreamsOptions) {
    this.#options = options;
    const { events, router } = options;
    const registry = new StreamRegistry({
      ...options,
      renditionsOf: (path) => options.renditions.renditionsOf(path),
      onChange: (path) => this.#edges.changed(path),
      onLost: (path, session, { node }) => this.#lost(path, session, node),
    });
    this.#registry = registry;
    this.#origin = new OriginMedia({ ...options, registry });
    this.#edges = new EdgeStreams({ ...options, registry });
    this.#stopListening = [
      events.on('stream-started', ({ path, session }) => this.#claim(path, session)),
      events.on('stream-resumed', ({ path, session }) => this.#claim(path, session)),
      events.on('stream-waiting', ({ path }) => {
        registry.pause(path);
        this.#edges.changed(path);
      }),
      events.on('stream-ended', ({ path }) => registry.release(path)),
    ];
    for (const { path } of router.streams()) {
      const session = router.publisherOf(path);
      if (session !== undefined) this.#claim(path, session);
    }
  }

  canFetch(path: StreamPath): boolean {
    if (this.#edges.canFetch(path)) return true;
    const source = this.#sourceElsewhere(path);
    return source?.renditions.some((rendition) => rendition.path === path) ?? false;
  }

  fetch(path: StreamPath): void {
    if (this.#edges.canFetch(path)) this.#edges.fetch(path);
    else this.want(path);
  }

  renditionsOf(path: StreamPath): readonly RenditionInfo[] {
    return this.#registry.elsewhere(path)?.renditions ?? this.#options.renditions.renditionsOf(path);
  }

  want(path: StreamPath): void {
    const source = this.#sourceElsewhere(path);
    if (source === undefined) this.#options.renditions.want(path);
    else this.#edges.want(path, source);
  }

  /** Why a publisher isn't let in at this node: another node has one, and the path's policy is to keep that. */
  refusalOf(request: Pick<AccessRequest, 'action' | 'path' | 'protocol' | 'byConfiguration'>): Refusal | undefined {
    const { action, path, protocol, byConfiguration } = request;
    if (action !== 'publish') return undefined;
    const stream = this.#registry.elsewhere(path as StreamPath);
    if (stream?.state !== 'live' || this.#mayReplace(stream.path, protocol, byConfiguration === true)) return undefined;
    return new Refusal('already-publishing', `${path} is being published on node ${stream.node}`);
  }

  /** Streams that come from other nodes, and that go to them. */
  get figures(): ClusterTraffic {
    return { fetched: this.#edges.size, ...this.#origin.figures };
  }

  /**
   * This node goes: its paths are nobody's, and viewers at other nodes wait for encoders that come there. Called before
   * streams end, which would be the end for those viewers too.
   */
  async close(): Promise<void> {
    for (const stop of this.#stopListening) stop();
    this.#edges.close();
    this.#origin.close();
    await this.#registry.close();
  }

  /** The stream that a path is a rendition of, where another node has that. */
  #sourceElsewhere(path: StreamPath): RegisteredStream | undefined {
    const source = this.#options.sourceOf(path);
    return source && this.#registry.elsewhere(source);
  }

  #claim(path: StreamPath, session: Session): void {
    if (session.node !== undefined) return;
    const { protocol, identity } = session;
    const mayReplace = this.#mayReplace(path, protocol, identity.kind === 'configuration');
    this.#registry.claim(path, { session, mayReplace });
  }

  /**
   * What all nodes are configured to take from elsewhere, one of them takes, and another when that one doesn't any more.
   * Renditions are where their source is.
   */
  #mayReplace(path: StreamPath, protocol: AccessProtocol, isConfigured: boolean): boolean {
    return protocol === 'transcode' || (!isConfigured && this.#options.mayReplace(path));
  }

  #lost(path: StreamPath, session: Session, node: string): void {
    this.#options.log.warn({ path, ip: session.ip, node }, 'the stream is published on another node now');
    this.#options.sessions.cut(session.id, `${path} is published on node ${node}`);
  }
}
