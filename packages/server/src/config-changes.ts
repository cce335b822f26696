import {
  type Clock,
  type ConfigChange,
  ConfigError,
  type ConfigSources,
  configEntries,
  type Directory,
  LiveConfig,
  type Logger,
  resolveConfig,
  type SettingRecord,
  type SharedRecords,
} from '@sluice/core';

/**
 * Where the configuration comes from while the server runs: file and environment, which are read again when asked, and
 * what was changed through the API, which is kept.
 */
export class ConfigChanges {
  readonly live: LiveConfig;
  readonly #read: () => ConfigSources;
  readonly #settings: Directory<SettingRecord>;
  readonly #clock: Clock;

  /**
   * @param options.read reads file and environment
   * @throws {ConfigError} where they can't be used
   */
  constructor(options: { read: () => ConfigSources; settings: Directory<SettingRecord>; clock: Clock; log: Logger }) {
    this.#read = options.read;
    this.#settings = options.settings;
    this.#clock = options.clock;
    this.live = new LiveConfig(resolveAtStart(options.read(), this.#changes(), options.log));
  }

  /**
   * Changes settings, all or none.
   *
   * @param values by key: `hls.segmentSeconds` → 4
   * @throws {ConfigError} naming what can't be set: an unknown key, a wrong value, one that the environment sets
   */
  async set(values: ReadonlyMap<string, unknown>, by: string): Promise<ConfigChange> {
    const change = this.#apply(new Map([...this.#changes(), ...values]), [...values.keys()]);
    const changedAt = this.#clock.wall();
    for (const [id, value] of values) {
      await this.#settings.put({ id, value: JSON.stringify(value), changedBy: by, changedAt });
    }
    return change;
  }

  /** Takes a change back: file or default hold again. @returns undefined where there was none */
  async unset(key: string): Promise<ConfigChange | undefined> {
    const changes = this.#changes();
    if (!changes.delete(key)) return undefined;
    const change = this.#apply(changes, []);
    await this.#settings.delete(key);
    return change;
  }

  /** Reads file and environment again. @throws {ConfigError}; what was in force stays */
  reload(): ConfigChange {
    return this.#apply(this.#changes(), []);
  }

  /** What was changed through the API, for the nodes of a cluster to hold alike. */
  get shared(): SharedRecords<SettingRecord> {
    const settings = this.#settings;
    return {
      list: () => settings.list(),
      get: (id) => settings.get(id),
      onChange: (listener) => settings.onChange(listener),
      adopt: async (id, record) => {
        const changes = this.#changes();
        if (record === undefined) changes.delete(id);
        else changes.set(id, JSON.parse(record.value) as unknown);
        this.#apply(changes, record === undefined ? [] : [id], { mayBeOverruled: true });
        await settings.adopt(id, record);
      },
    };
  }

  #changes(): Map<string, unknown> {
    return new Map(this.#settings.list().map(({ id, value }) => [id, JSON.parse(value) as unknown]));
  }

  /** @param options.mayBeOverruled another node's change: what the environment sets here holds here */
  #apply(
    changes: ReadonlyMap<string, unknown>,
    asked: readonly string[],
    { mayBeOverruled = false } = {},
  ): ConfigChange {
    const known = new Map(configEntries().map((entry) => [entry.key, entry]));
    const unknown = asked.filter((key) => !known.has(key));
    if (unknown.length > 0) {
      throw new ConfigError(
        'The change',
        unknown.map((key) => `${key}: no such key`),
      );
    }
    const resolved = resolveConfig({ ...this.#read(), changes });
    const overruled = asked.filter((key) => resolved.sources.get(key) === 'environment');
    if (overruled.length > 0 && !mayBeOverruled) {
      throw new ConfigError(
        'The change',
        overruled.map((key) => `${key}: ${known.get(key)?.environment} sets it in the environment; change it there`),
      );
    }
    return this.live.apply(resolved);
  }
}

/** A change from before an update may not be possible any more: the server starts without it, and says so. */
function resolveAtStart(sources: ConfigSources, changes: ReadonlyMap<string, unknown>, log: Logger) {
  try {
    return resolveConfig({ ...sources, changes });
  } catch (error) {
    if (!(error instanceof ConfigError) || changes.size === 0) throw error;
    const resolved = resolveConfig(sources);
    log.error({ detail: error.message }, 'what was changed through the API is left out, because it cannot be used');
    return resolved;
  }
}
