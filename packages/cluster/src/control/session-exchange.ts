import type { NatsConnection } from '@nats-io/transport-node';
import { type Logger, messageOf, type Session } from '@sluice/core';
import type { z } from 'zod';
import { type Batch, batchMessage, figuresMessage, type SessionFacts, snapshotMessage } from './messages.js';
import type { RemoteSessions } from './remote-sessions.js';
import type { SessionJournal } from './session-journal.js';
import type { ControlSubjects } from './subjects.js';
import { tell } from './tell.js';

export interface SessionExchangeOptions {
  readonly node: string;
  readonly epoch: string;
  readonly subjects: ControlSubjects;
  readonly journal: SessionJournal;
  readonly remote: RemoteSessions;
  readonly nameOf: (node: string) => string;
  /** Others have opened sessions. */
  readonly onOpened: (sessions: readonly Session[]) => void;
  readonly log: Logger;
}

/** Another node's sessions are being asked for; what it tells meanwhile waits. */
interface Asking {
  readonly epoch: string;
  readonly later: Batch[];
}

const SNAPSHOT_TIMEOUT_MS = 10_000;

/** Tells the other nodes of this one's sessions, and learns of theirs. */
export class SessionExchange {
  readonly #options: SessionExchangeOptions;
  readonly #asking = new Map<string, Asking>();

  constructor(options: SessionExchangeOptions) {
    this.#options = options;
  }

  /** Answers who asks for all of this node's sessions, and takes what others tell. */
  begin(connection: NatsConnection): void {
    const { subjects, node } = this.#options;
    connection.subscribe(subjects.snapshotOf(node), {
      callback: (error, message) => {
        if (error === null) this.#answer(connection, (part) => message.respond(part));
      },
    });
    connection.subscribe(subjects.sessions, {
      callback: (error, message) => {
        if (error === null) this.#take(connection, message.string());
      },
    });
    connection.subscribe(subjects.figures, {
      callback: (error, message) => {
        if (error === null) this.#takeFigures(message.string());
      },
    });
  }

  /** Tells what has happened since the last time. */
  flush(connection: NatsConnection): void {
    const { journal, subjects, node, epoch } = this.#options;
    for (const batch of journal.take()) tell(connection, subjects.sessions, { node, epoch, ...batch });
  }

  /** A node says that it has told so much: what is missing of it is asked for. */
  check(connection: NatsConnection, node: string, epoch: string, batch: number): void {
    if (!this.#options.remote.isUpTo(node, epoch, batch)) void this.#ask(connection, node, epoch);
  }

  #answer(connection: NatsConnection, respond: (part: string) => void): void {
    const { journal, node, epoch } = this.#options;
    this.flush(connection);
    const parts = journal.snapshot();
    parts.forEach((sessions, at) => {
      respond(JSON.stringify({ node, epoch, batch: journal.batch, sessions, more: at < parts.length - 1 }));
    });
  }

  #take(connection: NatsConnection, text: string): void {
    const batch = read(batchMessage, text, this.#options.log);
    if (batch === undefined || batch.node === this.#options.node) return;
    const asking = this.#asking.get(batch.node);
    if (asking?.epoch === batch.epoch) {
      asking.later.push(batch);
      return;
    }
    const opened = this.#options.remote.apply(batch);
    if (opened === undefined) void this.#ask(connection, batch.node, batch.epoch);
    else if (opened.length > 0) this.#options.onOpened(opened);
  }

  /** Never rejects: a node that doesn't answer tells of itself again. */
  async #ask(connection: NatsConnection, node: string, epoch: string): Promise<void> {
    if (this.#asking.get(node)?.epoch === epoch) return;
    const asking: Asking = { epoch, later: [] };
    this.#asking.set(node, asking);
    const { remote, nameOf, onOpened, log } = this.#options;
    try {
      const { batch, sessions } = await this.#snapshot(connection, node, epoch);
      const opened = remote.replace({ node, name: nameOf(node), epoch, batch }, sessions);
      for (const later of asking.later) opened.push(...(remote.apply(later) ?? []));
      if (opened.length > 0) onOpened(opened);
    } catch (error) {
      log.warn({ node: nameOf(node), detail: messageOf(error) }, 'the sessions of a node can’t be asked for');
    } finally {
      if (this.#asking.get(node) === asking) this.#asking.delete(node);
    }
  }

  async #snapshot(
    connection: NatsConnection,
    node: string,
    epoch: string,
  ): Promise<{ batch: number; sessions: SessionFacts[] }> {
    const sessions: SessionFacts[] = [];
    const parts = await connection.requestMany(this.#options.subjects.snapshotOf(node), '', {
      strategy: 'timer',
      maxWait: SNAPSHOT_TIMEOUT_MS,
    });
    for await (const message of parts) {
      const part = snapshotMessage.parse(message.json());
      if (part.epoch !== epoch) throw new Error('it was started anew meanwhile');
      sessions.push(...part.sessions);
      if (!part.more) return { batch: part.batch, sessions };
    }
    throw new Error('it doesn’t answer');
  }

  #takeFigures(text: string): void {
    const { remote, node, log } = this.#options;
    const told = read(figuresMessage, text, log);
    if (told === undefined || told.node === node) return;
    for (const [id, received, sent, ending, addresses] of told.figures) {
      remote.setFigures(told.node, id, { received, sent, ending: ending ?? undefined, addresses });
    }
  }
}

/** Reads a message; what is none is left out, and said. */
export function read<S extends z.ZodType>(schema: S, text: string, log: Logger): z.output<S> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  log.warn({ detail: `${issue?.path.join('.')}: ${issue?.message}` }, 'another node said what can’t be read');
  return undefined;
}
