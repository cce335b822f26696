import { configEntries } from './entries.js';
import type { ResolvedConfig, SettingSource } from './load.js';
import type { Config } from './schema.js';

/** What came of a new configuration. */
export interface ConfigChange {
  /** Keys whose new values are in force. */
  readonly applied: readonly string[];
  /** Keys whose new values wait for the next start. */
  readonly needRestart: readonly string[];
}

/** A setting as it stands. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly source: SettingSource;
  /** The value that the next start would use, where it differs. */
  readonly pending?: unknown;
}

type Tree = Readonly<Record<string, unknown>>;

/** The configuration in force, which changes under those who read it: they ask for `current` each time. */
export class LiveConfig {
  #current: Config;
  #next: ResolvedConfig;
  readonly #listeners = new Set<(change: ConfigChange) => void>();

  constructor(resolved: ResolvedConfig) {
    this.#current = resolved.config;
    this.#next = resolved;
  }

  get current(): Config {
    return this.#current;
  }

  /** Called after a change, when `current` is the new one. @returns a function that removes the listener */
  onChange(listener: (change: ConfigChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Puts in force what can be while the server runs, and names the rest. */
  apply(resolved: ResolvedConfig): ConfigChange {
    const merged = structuredClone(resolved.config);
    const applied: string[] = [];
    const needRestart: string[] = [];
    for (const { key, restart } of configEntries()) {
      const before = valueAt(this.#current, key);
      if (same(before, valueAt(resolved.config, key))) continue;
      if (restart) setAt(merged, key, before);
      (restart ? needRestart : applied).push(key);
    }
    this.#next = resolved;
    this.#current = merged;
    const change = { applied, needRestart };
    if (applied.length > 0) for (const listener of this.#listeners) listener(change);
    return change;
  }

  settings(): Setting[] {
    return configEntries().map(({ key, restart }) => {
      const value = valueAt(this.#current, key);
      const next = valueAt(this.#next.config, key);
      const setting = { key, value, source: this.#next.sources.get(key) ?? 'default' };
      return restart && !same(value, next) ? { ...setting, pending: next } : setting;
    });
  }
}

function valueAt(config: Config, key: string): unknown {
  return key.split('.').reduce<unknown>((branch, name) => (branch as Tree | undefined)?.[name], config);
}

function setAt(config: Config, key: string, value: unknown): void {
  const names = key.split('.');
  const last = names.pop() ?? '';
  const branch = names.reduce<unknown>((at, name) => (at as Tree)[name], config) as Record<string, unknown>;
  branch[last] = value;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
