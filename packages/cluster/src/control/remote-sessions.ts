import { type Session, type SessionElsewhere, SessionTally, type Traffic } from '@sluice/core';
import { type Batch, NO_TRAFFIC, type SessionFacts, sessionOf } from './messages.js';

class RemoteSession implements SessionElsewhere {
  readonly session: Session;
  readonly transport = undefined;
  readonly #owner: NodeSessions;
  traffic: Traffic = NO_TRAFFIC;
  addresses: readonly string[];
  ending: string | undefined;

  constructor(facts: SessionFacts, owner: NodeSessions) {
    this.session = sessionOf(facts);
    this.addresses = [facts.ip];
    this.#owner = owner;
  }

  get node(): string {
    return this.#owner.name;
  }

  /** Its own node does that. */
  move(): void {}
}

interface NodeSessions {
  name: string;
  readonly epoch: string;
  batch: number;
  readonly sessions: Map<string, RemoteSession>;
}

/** How far a session has come. */
export interface SessionFigures extends Traffic {
  readonly ending: string | undefined;
  readonly addresses: readonly string[];
}

/** The sessions of all other nodes, as these tell of them; counted as limits count. */
export class RemoteSessions extends SessionTally {
  readonly #nodes = new Map<string, NodeSessions>();
  readonly #byId = new Map<string, { readonly node: string; readonly remote: RemoteSession }>();

  get size(): number {
    return this.#byId.size;
  }

  *list(): IterableIterator<SessionElsewhere> {
    for (const { remote } of this.#byId.values()) yield remote;
  }

  get(id: string): SessionElsewhere | undefined {
    return this.#byId.get(id)?.remote;
  }

  /** The id of the node that a session is on. */
  nodeOf(id: string): string | undefined {
    return this.#byId.get(id)?.node;
  }

  /** Whether all batches of a node's run up to one are in here. */
  isUpTo(node: string, epoch: string, batch: number): boolean {
    const known = this.#nodes.get(node);
    return known !== undefined && known.epoch === epoch && known.batch >= batch;
  }

  /**
   * Takes a batch.
   *
   * @returns the sessions that are new; undefined where batches before it are missing, and all must be asked for
   */
  apply({ node, epoch, batch, opened, closed }: Batch): Session[] | undefined {
    const known = this.#nodes.get(node);
    if (known === undefined || known.epoch !== epoch || batch > known.batch + 1) return undefined;
    if (batch <= known.batch) return [];
    known.batch = batch;
    // What was opened and closed since the batch before is in neither; an id in both was closed first.
    for (const id of closed) this.#remove(node, known, id);
    return opened.map((facts) => this.#add(node, known, facts));
  }

  /** Takes all sessions of a node in place of what was known. @returns those that are new */
  replace(
    { node, name, epoch, batch }: { node: string; name: string; epoch: string; batch: number },
    all: readonly SessionFacts[],
  ): Session[] {
    const before = new Set(this.#nodes.get(node)?.sessions.keys());
    this.forget(node);
    const fresh: NodeSessions = { name, epoch, batch, sessions: new Map() };
    this.#nodes.set(node, fresh);
    return all.map((facts) => this.#add(node, fresh, facts)).filter(({ id }) => !before.has(id));
  }

  setFigures(node: string, id: string, { received, sent, ending, addresses }: SessionFigures): void {
    const remote = this.#nodes.get(node)?.sessions.get(id);
    if (remote === undefined) return;
    remote.traffic = { received, sent };
    remote.ending = ending;
    if (addresses.length > 0) remote.addresses = addresses;
  }

  /** A node is gone, and its sessions with it. */
  forget(node: string): void {
    const known = this.#nodes.get(node);
    if (known === undefined) return;
    for (const id of [...known.sessions.keys()]) this.#remove(node, known, id);
    this.#nodes.delete(node);
  }

  #add(node: string, to: NodeSessions, facts: SessionFacts): Session {
    this.#remove(node, to, facts.id);
    const remote = new RemoteSession(facts, to);
    to.sessions.set(facts.id, remote);
    this.#byId.set(facts.id, { node, remote });
    this.count(remote.session, 1);
    return remote.session;
  }

  #remove(node: string, from: NodeSessions, id: string): void {
    const remote = from.sessions.get(id);
    if (remote === undefined) return;
    from.sessions.delete(id);
    if (this.#byId.get(id)?.node === node) this.#byId.delete(id);
    this.count(remote.session, -1);
  }
}
