import type { Millis } from '@sluice/media';
import type { StreamPath } from '../stream-path.js';
import type { AccessAction, AccessProtocol, ClientDetails } from './request.js';

/** What proved that somebody may do what was asked. */
export type IdentityKind =
  | 'anonymous'
  /** Nobody came: the configuration wants it. */
  | 'configuration'
  | 'stream-key'
  | 'jwt'
  | 'signed-url'
  | 'wms-auth'
  | 'password'
  | 'http-auth'
  /** The server that the stream comes from let them watch. */
  | 'origin';

/** Who a session belongs to, as far as its credential tells. */
export interface Identity {
  readonly kind: IdentityKind;
  /** The person behind it: the same for all sessions of one account, whatever their tokens. */
  readonly viewer?: string | undefined;
  /** Names the credential without giving it away: the id of a key or user, the hash of a token. */
  readonly credential?: string | undefined;
  /** When what it grants ends, for sessions under way too. Wall clock. */
  readonly expiresAt?: Millis | undefined;
  /** The addresses from which it holds, as CIDR; undefined where it holds from any. */
  readonly network?: string | undefined;
}

/** One granted act of one peer: a publish or a play, on whatever protocol. */
export interface Session {
  readonly id: string;
  readonly action: AccessAction;
  readonly protocol: AccessProtocol;
  readonly path: StreamPath;
  /** The peer's address, without a port. */
  readonly ip: string;
  readonly userAgent: string | undefined;
  readonly identity: Identity;
  readonly client: ClientDetails;
  /** As the client sent it. It may hold credentials: never for logs or for people. */
  readonly query: string;
  /** The same for every try of one device at one stream with one credential; what a ban of a session goes by. */
  readonly fingerprint: string;
  /** Wall clock, ms since 1970. */
  readonly openedAt: Millis;
  /** Whose it is, where it is another node's, from which this one has the stream. */
  readonly node?: string | undefined;
}

/** Media that went through a session, in bytes. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
  /** How often a slow viewer was moved on to a keyframe. */
  readonly skips?: number | undefined;
}

export type TransportFigures = Readonly<Record<string, number>>;

/** The hold that a protocol gives on a session that it serves. */
export interface SessionControl {
  /** Ends the peer's connection. The session's owner then closes it, as it does whenever a connection ends. */
  cut(reason: string): void;
  traffic(): Traffic;
  /** Every address that has used the session, where that can be more than the one that opened it. */
  addresses?(): readonly string[];
  /** What its protocol tells of the line, by the names that the protocol's users know: `msRTT`, `pktRcvLoss`. */
  transport?(): TransportFigures | undefined;
  /**
   * Asks the peer to go on elsewhere, by the base URL of another server or where its own address book leads it; it does
   * when it can, or doesn't.
   */
  move?(baseUrl: string | undefined, reason: string): void;
}
