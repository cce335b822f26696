import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import { type Config, type Logger, messageOf } from '@sluice/core';

export type NatsSettings = Config['cluster']['nats'];

export interface NatsLinkOptions {
  readonly settings: NatsSettings;
  /** Shown by the NATS server's monitoring. */
  readonly name: string;
  readonly log: Logger;
  /** 0 to 1. */
  readonly random: () => number;
}

/** What uses the connection. Begins anew each time that it comes up. */
export interface NatsUser {
  /** It is up, for the first time or again: subscriptions of before are still there only where `isFirst` is false. */
  up(connection: NatsConnection, isFirst: boolean): void;
  /** It is down: what is sent now would wait in memory for it. */
  down(reason: string): void;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;
const CONNECT_TIMEOUT_MS = 5000;
/** A dead line is noticed after two of these without an answer. */
const PING_MS = 2000;

/**
 * The connection to NATS: tried for ever, with growing pauses, and held for ever. The server starts and serves without
 * it; those who use it are told when it is up and when it isn't.
 */
export class NatsLink {
  readonly #options: NatsLinkOptions;
  readonly #users = new Set<NatsUser>();
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  #connection: NatsConnection | undefined;
  #isUp = false;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(options: NatsLinkOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Whether what is sent now leaves at once. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** The connection, while it is up. */
  get connection(): NatsConnection | undefined {
    return this.#isUp ? this.#connection : undefined;
  }

  /** The buckets of JetStream, over a connection of this link. */
  buckets(connection: NatsConnection): Kvm {
    const { domain } = this.#options.settings;
    return new Kvm(jetstream(connection, domain === undefined ? {} : { domain }));
  }

  /** The means to look after what is behind buckets. @throws where JetStream can't be used */
  manager(connection: NatsConnection): Promise<JetStreamManager> {
    const { domain } = this.#options.settings;
    return jetstreamManager(connection, domain === undefined ? {} : { domain });
  }

  /** Tells a user of it; at once, where it is up. @returns a function that ends that */
  use(user: NatsUser): () => void {
    this.#users.add(user);
    if (this.#isUp && this.#connection !== undefined) user.up(this.#connection, true);
    return () => this.#users.delete(user);
  }

  /** Sends what is still to be sent, and ends it. */
  async close(): Promise<void> {
    this.#abort.abort();
    const connection = this.#connection;
    if (this.#isUp) await connection?.flush().catch(() => undefined);
    this.#isUp = false;
    await connection?.close();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { log, settings } = this.#options;
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        const connection = await connect(await this.#connectionOptions());
        if (signal.aborted) await connection.close();
        else await this.#follow(connection);
      } catch (error) {
        if (signal.aborted) return;
        const fields = { servers: settings.servers.map(withoutSecrets), detail: messageOf(error) };
        log.warn(fields, 'NATS cannot be reached: this node serves by itself, and tries again');
      }
      await pause(this.#nextPause(), undefined, { signal }).catch(() => undefined);
    }
  }

  /** Until it is closed, which happens when the server doesn't let us in any more, or we are done. */
  async #follow(connection: NatsConnection): Promise<void> {
    const { log } = this.#options;
    this.#connection = connection;
    this.#setUp(connection, true);
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#setDown(`${status.server} has gone`);
      else if (status.type === 'reconnect') this.#setUp(connection, false);
      else if (status.type === 'error')
        log.warn({ detail: messageOf(status.error) }, 'NATS says that something is wrong');
      else if (status.type === 'ldm') log.info({ server: status.server }, 'the NATS server is going down');
    }
    const fault = await connection.closed();
    this.#setDown(fault instanceof Error ? fault.message : 'closed');
    this.#connection = undefined;
  }

  #setUp(connection: NatsConnection, isFirst: boolean): void {
    if (this.#isUp || this.#abort.signal.aborted) return;
    this.#isUp = true;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#options.log.info({ server: withoutSecrets(connection.getServer()) }, 'connected to NATS');
    for (const user of [...this.#users]) user.up(connection, isFirst);
  }

  #setDown(reason: string): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    if (!this.#abort.signal.aborted) {
      this.#options.log.warn({ reason }, 'the connection to NATS is lost: this node serves by itself until it is back');
    }
    for (const user of [...this.#users]) user.down(reason);
  }

  async #connectionOptions(): Promise<NodeConnectionOptions> {
    const { settings, name } = this.#options;
    const { user, password, token, tls } = settings;
    const hasTls = Object.values(tls).some((path) => path !== undefined);
    const authenticator = await authenticatorOf(settings);
    return {
      servers: [...settings.servers],
      name,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => this.#nextPause(),
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { pass: password }),
      ...(token === undefined ? {} : { token }),
      ...(authenticator === undefined ? {} : { authenticator }),
      ...(hasTls ? { tls: definedOf(tls) } : {}),
    };
  }

  /** Many nodes that lost the same server shall not all come back at once. */
  #nextPause(): number {
    const delay = this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, delay * 2);
    return Math.round(delay * (0.5 + this.#options.random() / 2));
  }
}

async function authenticatorOf({ credsFile, nkeySeedFile }: NatsSettings): Promise<Authenticator | undefined> {
  if (credsFile !== undefined) return credsAuthenticator(await readFile(credsFile));
  if (nkeySeedFile === undefined) return undefined;
  const seed = (await readFile(nkeySeedFile, 'utf8')).trim();
  return nkeyAuthenticator(new TextEncoder().encode(seed));
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function definedOf<T extends object>(values: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}

/** A URL may hold user and password. */
function withoutSecrets(server: string): string {
  return server.replace(/^(\w+:\/\/)?[^/@]*@/, '$1');
}
