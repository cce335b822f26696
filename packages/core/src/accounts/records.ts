import type { Millis } from '@sluice/media';
import type { Role } from './roles.js';

/** Somebody who logs in, and may publish and watch by user and password. */
export interface User {
  readonly id: string;
  /** Unique, without regard to case. */
  readonly name: string;
  readonly role: Role;
  /** As `hashPassword` gives it. */
  readonly passwordHash: string;
  /** Patterns of stream paths that the user may publish. */
  readonly publish: readonly string[];
  /** Patterns of stream paths that the user may watch. */
  readonly play: readonly string[];
  readonly createdAt: Millis;
  /** Tokens from before this are void. Wall clock. */
  readonly tokensValidFrom: Millis;
  readonly disabled: boolean;
}

/** A key for encoders, or for players: whoever shows it may. Kept as a hash. */
export interface StreamKey {
  readonly id: string;
  /** SHA-256 of the key, hex. Keys are random, so that nothing slower is needed. */
  readonly hash: string;
  readonly label: string;
  readonly action: 'publish' | 'play';
  /** A pattern of stream paths. */
  readonly path: string;
  readonly createdAt: Millis;
  readonly expiresAt?: Millis | undefined;
}

/** What an API key may be used for. */
export const API_SCOPES = ['read', 'sessions', 'keys', 'config', 'admin'] as const;
export type ApiScope = (typeof API_SCOPES)[number];

/** A key for programs that use the control API. Kept as a hash. */
export interface ApiKey {
  readonly id: string;
  readonly hash: string;
  readonly label: string;
  readonly scopes: readonly ApiScope[];
  readonly createdAt: Millis;
  readonly expiresAt?: Millis | undefined;
}

/** A login that can be renewed, once with each token. */
export interface RefreshToken {
  readonly id: string;
  readonly hash: string;
  /** The same for all tokens of one login: when one of them is shown twice, all are void. */
  readonly family: string;
  readonly userId: string;
  readonly createdAt: Millis;
  readonly expiresAt: Millis;
  readonly usedAt?: Millis | undefined;
}

/** A setting that was changed through the API; its value as JSON. */
export interface SettingRecord {
  /** The key: `hls.segmentSeconds`. */
  readonly id: string;
  readonly value: string;
  readonly changedBy: string;
  readonly changedAt: Millis;
}
