import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Millis } from '@sluice/media';
import type { Clock } from '../clock.js';
import type { Directory } from './directory.js';
import { hashPassword, passwordMatches } from './passwords.js';
import type { User } from './records.js';

/** More passwords are being tried than can be checked. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

interface Remembered {
  /** Of the password, with a key that only this process has. */
  readonly mac: Buffer;
  readonly passwordHash: string;
  readonly until: Millis;
}

/** Each check keeps one core busy for some 50 ms. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 64;
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * Checks users' passwords, a few at a time, in threads of their own. What was right is remembered for a minute, so that
 * a player that shows its password with each request costs one check.
 */
export class PasswordVerifier {
  readonly #users: Directory<User>;
  readonly #clock: Clock;
  readonly #macKey = randomBytes(32);
  readonly #remembered = new Map<string, Remembered>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  /** What an unknown name's password is compared with, so that it takes as long as a known one's. */
  #decoy: Promise<string> | undefined;

  constructor(options: { users: Directory<User>; clock: Clock }) {
    this.#users = options.users;
    this.#clock = options.clock;
  }

  /**
   * @returns the user, or undefined where name or password are wrong or the user is disabled
   * @throws {BusyError} when too many checks wait
   */
  async verify(name: string, password: string): Promise<User | undefined> {
    const lowerCase = name.toLowerCase();
    const user = this.#users.find((candidate) => candidate.name.toLowerCase() === lowerCase);
    const mac = createHmac('sha256', this.#macKey).update(password).digest();
    if (user !== undefined && this.#remembers(user, mac)) return user;
    this.#decoy ??= hashPassword('');
    const stored = user?.passwordHash ?? (await this.#decoy);
    const matches = await this.#taken(() => passwordMatches(password, stored));
    if (!matches || user === undefined || user.disabled) return undefined;
    this.#remember(user, mac);
    return user;
  }

  #remembers(user: User, mac: Buffer): boolean {
    const known = this.#remembered.get(user.id);
    if (known === undefined || user.disabled || known.passwordHash !== user.passwordHash) return false;
    return known.until > this.#clock.monotonic() && timingSafeEqual(known.mac, mac);
  }

  #remember({ id, passwordHash }: User, mac: Buffer): void {
    this.#remembered.delete(id);
    this.#remembered.set(id, { mac, passwordHash, until: (this.#clock.monotonic() + REMEMBERED_MS) as Millis });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  async #taken<T>(act: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING)
        throw new BusyError('too many passwords are being tried; try again later');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await act();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}
