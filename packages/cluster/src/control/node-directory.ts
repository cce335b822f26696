import type { ClusterNode, Place } from '@sluice/core';
import type { Millis } from '@sluice/media';
import type { Presence } from './messages.js';

interface Known {
  readonly presence: Presence;
  /** Monotonic. */
  readonly heardAt: Millis;
}

export interface NodeDirectoryOptions {
  /** Who has not been heard of for so long is lost. */
  readonly leaseMs: number;
  /** How long lost ones are remembered, for people to see. */
  readonly rememberMs: number;
}

/** The other nodes, as they tell of themselves. */
export class NodeDirectory {
  readonly #options: NodeDirectoryOptions;
  readonly #known = new Map<string, Known>();
  readonly #lost = new Map<string, Known>();

  constructor(options: NodeDirectoryOptions) {
    this.#options = options;
  }

  /** @returns what changed: a node has come, or it was started anew */
  hear(presence: Presence, now: Millis): 'came' | 'restarted' | 'same' {
    const before = this.#known.get(presence.node);
    this.#lost.delete(presence.node);
    this.#known.set(presence.node, { presence, heardAt: now });
    if (before === undefined) return 'came';
    return before.presence.epoch === presence.epoch ? 'same' : 'restarted';
  }

  /** It says that it goes. */
  leave(node: string): void {
    this.#known.delete(node);
  }

  /** @returns those that are lost since the last time */
  sweep(now: Millis): Presence[] {
    const { leaseMs, rememberMs } = this.#options;
    const lost: Presence[] = [];
    for (const [node, known] of this.#known) {
      if (now - known.heardAt <= leaseMs) continue;
      this.#known.delete(node);
      this.#lost.set(node, known);
      lost.push(known.presence);
    }
    for (const [node, { heardAt }] of this.#lost) if (now - heardAt > rememberMs) this.#lost.delete(node);
    return lost;
  }

  /** Nobody can be heard any more: nothing is known of anybody. @returns those that were there */
  clear(): string[] {
    const nodes = [...this.#known.keys()];
    this.#known.clear();
    return nodes;
  }

  get(node: string): Presence | undefined {
    return this.#known.get(node)?.presence;
  }

  /** Those that are there. */
  get present(): readonly Presence[] {
    return [...this.#known.values()].map(({ presence }) => presence);
  }

  /** Where publishers and viewers of another node can go. */
  places(): Place[] {
    return this.present.filter(({ state, urls }) => state === 'serving' && urls.length > 0);
  }

  /** Those that are there and those that were until lately, by name. */
  list(): ClusterNode[] {
    const there = [...this.#known.values()].map(({ presence }) => nodeOf(presence));
    const lost = [...this.#lost.values()].map(
      ({ presence }): ClusterNode => ({
        ...nodeOf(presence),
        ...{ state: 'lost', elected: false, streams: 0, sessions: 0, cpu: 0 },
      }),
    );
    return [...there, ...lost].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** What the API tells of a node. */
export function nodeOf(presence: Presence): ClusterNode {
  const { node, name, version, since, state, elected, streams, publishers, sessions, cpu, memoryBytes } = presence;
  const { urls, revision } = presence;
  return {
    id: node,
    name,
    role: publishers > 0 ? 'origin' : 'edge',
    state: state === 'serving' ? 'serving' : 'draining',
    elected,
    version,
    streams,
    sessions,
    cpu,
    memoryBytes,
    since,
    urls,
    revision,
  };
}
