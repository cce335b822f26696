import { type Clock, type Logger, messageOf, type OpenSession, type Session, type SessionRegistry } from '@sluice/core';
import type { HttpAuthCheck, HttpAuthSettings } from './http-auth-check.js';

const SWEEP_MS = 1000;
/** Questions under way at a time. */
const PARALLEL = 16;

/** Asks the authentication server about sessions under way, and ends those that it no longer lets be. */
export class HttpAuthRecheck {
  readonly #registry: SessionRegistry;
  readonly #check: HttpAuthCheck;
  readonly #settings: () => HttpAuthSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  /** Wall clock, ms. */
  readonly #askedAt = new WeakMap<Session, number>();
  #sweep: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: {
    registry: SessionRegistry;
    check: HttpAuthCheck;
    settings: () => HttpAuthSettings;
    clock: Clock;
    log: Logger;
  }) {
    this.#registry = options.registry;
    this.#check = options.check;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#timer = setInterval(() => void this.sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  /** Asks about all sessions whose time has come. One sweep at a time; never rejects. */
  sweep(): Promise<void> {
    this.#sweep ??= this.#askAll().finally(() => {
      this.#sweep = undefined;
    });
    return this.#sweep;
  }

  /** Stops the timer, and waits for questions under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweep;
  }

  async #askAll(): Promise<void> {
    const due = this.#due();
    const askNext = async (): Promise<void> => {
      for (let session = due.pop(); session !== undefined; session = due.pop()) await this.#askAbout(session);
    };
    await Promise.all(Array.from({ length: PARALLEL }, askNext));
  }

  #due(): Session[] {
    const { url, recheckSeconds } = this.#settings();
    if (url === undefined || recheckSeconds === 0) return [];
    const now = this.#clock.wall();
    const isDue = ({ session, ending }: OpenSession) =>
      ending === undefined &&
      session.identity.kind === 'http-auth' &&
      now - (this.#askedAt.get(session) ?? session.openedAt) >= recheckSeconds * 1000;
    return [...this.#registry.list()].filter(isDue).map(({ session }) => session);
  }

  async #askAbout(session: Session): Promise<void> {
    this.#askedAt.set(session, this.#clock.wall());
    try {
      const holds = await this.#check.askAgain(session.identity);
      if (holds === false) this.#registry.cut(session.id, 'the authentication server has taken it back');
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) {
        this.#log.warn({ detail: messageOf(error) }, 'sessions could not be checked again, and go on');
      }
      this.#isFailing = true;
    }
  }
}
