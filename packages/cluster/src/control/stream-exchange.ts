import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger, StreamElsewhere } from '@sluice/core';
import { type StreamFacts, streamsMessage } from './messages.js';
import { partsOf } from './parts.js';
import { read } from './session-exchange.js';
import type { ControlSubjects } from './subjects.js';
import { tell } from './tell.js';

export interface StreamExchangeOptions {
  readonly node: string;
  readonly epoch: string;
  readonly subjects: ControlSubjects;
  /** This node's, as others shall see them. */
  readonly streams: () => readonly StreamFacts[];
  readonly nameOf: (node: string) => string;
  readonly log: Logger;
}

interface Told {
  readonly round: number;
  readonly streams: readonly StreamFacts[];
}

/** Tells the other nodes which streams are on this one, and learns which are on them. */
export class StreamExchange {
  readonly #options: StreamExchangeOptions;
  readonly #whole = new Map<string, Told>();
  readonly #partly = new Map<string, Told>();
  #round = 0;
  #toldAny = false;

  constructor(options: StreamExchangeOptions) {
    this.#options = options;
  }

  begin(connection: NatsConnection): void {
    connection.subscribe(this.#options.subjects.streams, {
      callback: (error, message) => {
        if (error === null) this.#take(message.string());
      },
    });
  }

  /** Tells of all streams; of none only once. */
  tell(connection: NatsConnection): void {
    const { node, epoch, subjects } = this.#options;
    const streams = this.#options.streams();
    if (streams.length === 0 && !this.#toldAny) return;
    this.#toldAny = streams.length > 0;
    this.#round += 1;
    const parts = partsOf(streams);
    parts.forEach((part, at) => {
      const more = at < parts.length - 1;
      tell(connection, subjects.streams, { node, epoch, round: this.#round, more, streams: part });
    });
  }

  forget(node: string): void {
    this.#whole.delete(node);
    this.#partly.delete(node);
  }

  list(): StreamElsewhere[] {
    const { nameOf } = this.#options;
    return [...this.#whole].flatMap(([node, { streams }]) => {
      const name = nameOf(node);
      return streams.map((stream) => ({ ...stream, node: name }));
    });
  }

  #take(text: string): void {
    const { node, log } = this.#options;
    const told = read(streamsMessage, text, log);
    if (told === undefined || told.node === node) return;
    const { round, more, streams } = told;
    const before = this.#partly.get(told.node);
    const all = { round, streams: before?.round === round ? [...before.streams, ...streams] : streams };
    if (more) {
      this.#partly.set(told.node, all);
      return;
    }
    this.#partly.delete(told.node);
    this.#whole.set(told.node, all);
  }
}
