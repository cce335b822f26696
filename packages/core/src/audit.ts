import type { Millis } from '@sluice/media';

/** Something that somebody did to the server, or tried to. Holds no secrets. */
export interface AuditEntry {
  /** Wall clock. */
  readonly at: Millis;
  /** `user:anna`, `api-key:ci`, `token:…`, `system`, `anonymous`. */
  readonly actor: string;
  /** The address it came from; undefined for what the server did by itself. */
  readonly ip: string | undefined;
  /** What was done, as `area.verb`: `session.kick`, `user.create`, `auth.login`. */
  readonly action: string;
  /** What it was done to, by name or id. */
  readonly target: string;
  readonly result: 'ok' | 'refused' | 'failed';
  /** More, for people: the reason of a refusal, the names of changed settings. */
  readonly detail?: string | undefined;
}

/** Writes down what was done. Never throws and never blocks: a sink that fails says so in the log. */
export interface AuditTrail {
  record(entry: Omit<AuditEntry, 'at'>): void;
}

/** Which entries are asked for; what is undefined doesn't matter. */
export interface AuditQuery {
  readonly from?: Millis | undefined;
  readonly to?: Millis | undefined;
  readonly actor?: string | undefined;
  /** One action, or, with a dot at the end, all of an area: `user.`. */
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly ip?: string | undefined;
  readonly result?: AuditEntry['result'] | undefined;
  readonly limit: number;
  /** Of the last entry of the page before. */
  readonly before?: number | undefined;
}

/** The audit entries that are kept, newest first. `id` grows with time. */
export interface AuditLog {
  append(entries: readonly AuditEntry[]): Promise<void>;
  query(query: AuditQuery): Promise<readonly (AuditEntry & { readonly id: number })[]>;
}
