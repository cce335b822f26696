import { isAuthentic, STUN_TYPE, type StunMessage, writeStun } from '../wire/stun.js';

/** Where a peer is: by UDP an address, by TCP a connection, whose name stands in for one. */
export interface Remote {
  readonly protocol: 'udp' | 'tcp';
  readonly address: string;
  readonly port: number;
}

export interface IceCredentials {
  readonly ufrag: string;
  readonly password: string;
}

/** What comes of a binding request. */
export interface IceAnswer {
  readonly response: Buffer;
  /** The peer has shown that it is there and may be sent to. */
  readonly isValid: boolean;
  /** The peer wants to be spoken to by this way from now on. */
  readonly nominated: boolean;
}

/** Characters of ufrag and password, RFC 8445 §15.4. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const UFRAG_LENGTH = 8;
const PASSWORD_LENGTH = 24;

export function makeCredentials(random: (bytes: number) => Buffer): IceCredentials {
  const text = (length: number) => [...random(length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return { ufrag: text(UFRAG_LENGTH), password: text(PASSWORD_LENGTH) };
}

/** A user name is `ours:theirs`, RFC 8445 §7.2.2. @returns ours */
export function localUfragOf({ username }: StunMessage): string | undefined {
  return username?.split(':')[0];
}

/** A lite agent, RFC 8445 §2.5: it answers the checks of its peer, who decides. */
export class IceLite {
  #local: IceCredentials;
  #remoteUfrag: string;

  constructor(local: IceCredentials, remoteUfrag: string) {
    this.#local = local;
    this.#remoteUfrag = remoteUfrag;
  }

  get local(): IceCredentials {
    return this.#local;
  }

  /** The peer begins anew, RFC 8445 §9: what was valid before is not any more. */
  restart(local: IceCredentials, remoteUfrag: string): void {
    this.#local = local;
    this.#remoteUfrag = remoteUfrag;
  }

  /** Answers a binding request. @returns undefined for what deserves no answer */
  receive(datagram: Buffer, message: StunMessage, from: Remote): IceAnswer | undefined {
    if (message.type !== STUN_TYPE.bindingRequest) return undefined;
    const { transaction, username, useCandidate, role } = message;
    const { ufrag, password } = this.#local;
    const isOurs = username === `${ufrag}:${this.#remoteUfrag}` && isAuthentic(datagram, message, password);
    if (!isOurs) return refusal(transaction, 401, 'Unauthenticated');
    // A lite agent is always the controlled one, RFC 8445 §6.1.1.
    if (role?.kind === 'controlled') return refusal(transaction, 487, 'Role Conflict', password);
    const { address, port } = from;
    const mappedAddress = { address, port };
    const response = writeStun({ type: STUN_TYPE.bindingSuccess, transaction, mappedAddress }, password);
    return { response, isValid: true, nominated: useCandidate };
  }
}

function refusal(transaction: Buffer, code: number, reason: string, password?: string): IceAnswer {
  const response = writeStun({ type: STUN_TYPE.bindingError, transaction, error: { code, reason } }, password);
  return { response, isValid: false, nominated: false };
}
