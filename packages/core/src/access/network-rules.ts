import { Refusal } from '../errors.js';
import { NetworkSet } from './network.js';

/** Who may ask at all, by address. Each entry is an address or a CIDR block. */
export interface NetworkRule {
  /** Empty: everybody. */
  readonly allow: readonly string[];
  /** Wins over `allow`. */
  readonly deny: readonly string[];
}

/** Checks addresses against rules. Sets are compiled once for each list of the configuration. */
export class NetworkRules {
  readonly #sets = new WeakMap<readonly string[], NetworkSet>();

  /** @throws {Refusal} `address-denied` */
  check(rule: NetworkRule, ip: string): void {
    if (rule.deny.length > 0 && this.#setOf(rule.deny).has(ip)) {
      throw new Refusal('address-denied', `${ip} is on the deny list`);
    }
    if (rule.allow.length > 0 && !this.#setOf(rule.allow).has(ip)) {
      throw new Refusal('address-denied', `${ip} is not on the allow list`);
    }
  }

  allows({ allow, deny }: NetworkRule, ip: string): boolean {
    if (deny.length > 0 && this.#setOf(deny).has(ip)) return false;
    return allow.length === 0 || this.#setOf(allow).has(ip);
  }

  #setOf(list: readonly string[]): NetworkSet {
    const known = this.#sets.get(list);
    if (known !== undefined) return known;
    const set = new NetworkSet(list);
    this.#sets.set(list, set);
    return set;
  }
}
