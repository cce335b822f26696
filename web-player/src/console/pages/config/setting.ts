import type { Words } from '../../i18n/i18n.js';
import type { texts } from './texts.js';

export type ConfigWords = Words<keyof typeof texts.en>;

/** A setting, as `GET /api/v2/config` tells it. */
export interface Setting {
  readonly key: string;
  readonly value: unknown;
  readonly source: 'default' | 'file' | 'api' | 'environment';
  readonly pending?: unknown;
  readonly environment: string | null;
  readonly type: 'string' | 'number' | 'boolean' | 'list' | 'map';
  readonly allowed: string;
  readonly choices: readonly string[] | null;
  readonly default: unknown;
  readonly description: string;
  readonly restart: boolean;
  readonly secret: boolean;
}

/** What has come of a change. */
export interface Change {
  readonly applied: readonly string[];
  readonly needRestart: readonly string[];
}

export const SHOWN = ['all', 'set', 'api', 'pending'] as const;
export type Shown = (typeof SHOWN)[number];

/** Whether a setting is to be shown. @param search in small letters */
export function fits(
  { key, description, environment, source, pending }: Setting,
  shown: Shown,
  search: string,
): boolean {
  if (shown === 'set' && source === 'default') return false;
  if (shown === 'api' && source !== 'api') return false;
  if (shown === 'pending' && pending === undefined) return false;
  return [key, description, environment ?? ''].some((text) => text.toLowerCase().includes(search));
}

/** A value of a setting, in words. */
export function valueText(value: unknown, { secret }: Pick<Setting, 'secret'>, words: ConfigWords): string {
  if (value === null || value === undefined || value === '') return words('unset');
  if (secret) return words('secretSet');
  if (typeof value === 'boolean') return words(value ? 'yes' : 'no');
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) {
    return value.length === 0 ? words('empty') : value.join(', ');
  }
  if (typeof value === 'object') return Object.keys(value).length === 0 ? words('empty') : JSON.stringify(value);
  return String(value);
}

/** By the first part of their keys, in the order in which they come. */
export function grouped(settings: readonly Setting[]): ReadonlyMap<string, readonly Setting[]> {
  const groups = new Map<string, Setting[]>();
  for (const setting of settings) {
    const name = setting.key.split('.')[0] ?? '';
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [setting]);
    else group.push(setting);
  }
  return groups;
}
