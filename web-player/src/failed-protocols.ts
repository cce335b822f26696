import { type PlayerProtocol, PROTOCOLS } from './protocol.js';

/** Where it is written down: the browser's session storage, which can be forbidden. */
export type FailureStorage = Pick<Storage, 'getItem' | 'setItem'>;

/** The protocols over which no picture of a server came: remembered until the browser's tab is closed. */
export class FailedProtocols {
  readonly #storage: FailureStorage | undefined;
  readonly #key: string;
  #failed: ReadonlySet<PlayerProtocol>;

  /** @param server its origin: another one may do what this one doesn't */
  constructor(server: string, storage: FailureStorage | undefined) {
    this.#storage = storage;
    this.#key = `sluice.failed ${server}`;
    this.#failed = new Set(this.#read());
  }

  has(protocol: PlayerProtocol): boolean {
    return this.#failed.has(protocol);
  }

  get size(): number {
    return this.#failed.size;
  }

  add(protocol: PlayerProtocol): void {
    this.#keep(new Set([...this.#failed, protocol]));
  }

  /** What failed may work now. */
  clear(): void {
    if (this.#failed.size > 0) this.#keep(new Set());
  }

  #keep(failed: ReadonlySet<PlayerProtocol>): void {
    this.#failed = failed;
    try {
      this.#storage?.setItem(this.#key, [...failed].join(' '));
    } catch {
      // Full or forbidden: then it is remembered for as long as the page is open.
    }
  }

  #read(): readonly PlayerProtocol[] {
    try {
      const names = (this.#storage?.getItem(this.#key) ?? '').split(' ');
      return PROTOCOLS.filter((protocol) => names.includes(protocol));
    } catch {
      return [];
    }
  }
}
