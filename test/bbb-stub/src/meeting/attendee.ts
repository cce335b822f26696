import { randomBytes } from 'node:crypto';
import type { AudioMode, ServerMessage } from '../protocol.js';

export type Role = 'MODERATOR' | 'VIEWER';
export type GuestStatus = 'ALLOW' | 'WAIT' | 'DENY';

/** What a join link says of who joins. */
export interface Joiner {
  readonly userID: string;
  readonly fullName: string;
  readonly role: Role;
  readonly guestStatus: GuestStatus;
  readonly isBot: boolean;
  readonly userdata: Readonly<Record<string, string>>;
}

/** A connection to somebody's client. */
export interface ClientLink {
  send(message: ServerMessage): void;
  /** Breaks the connection, as a network does. */
  drop(): void;
}

/** One who has used a join link. In the meeting is only whose client is connected. */
export class Attendee {
  readonly joiner: Joiner;
  readonly sessionToken = randomBytes(8).toString('hex');
  /** Value of the session's cookie: one for all meetings that a browser is in. */
  readonly cookie: string;
  /** What the server calls them; `userID` is what the link does. */
  readonly internalId = `w_${randomBytes(6).toString('hex')}`;
  guestStatus: GuestStatus;
  audio: AudioMode = 'none';
  link: ClientLink | undefined;
  /** Its client is there, or was a moment ago. */
  isConnected = false;
  /** Out of the meeting for good: the session is worth nothing any more. */
  isOut = false;
  /** Until then the client can't connect. */
  refusedUntil = 0;

  constructor(joiner: Joiner, cookie: string) {
    this.cookie = cookie;
    this.joiner = joiner;
    this.guestStatus = joiner.guestStatus;
  }

  get isPresent(): boolean {
    return this.isConnected && this.guestStatus === 'ALLOW' && !this.isOut;
  }

  tell(message: ServerMessage): void {
    this.link?.send(message);
  }
}
