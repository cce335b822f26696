import { WebRtcError } from '../errors.js';
import {
  isAuthentic,
  longTermKey,
  readStun,
  STUN_TYPE,
  type StunFields,
  type StunMessage,
  type TransportAddress,
  writeStun,
} from '../wire/stun.js';
import type { TurnCredentials } from './credentials.js';
import { StunStream } from './stun-stream.js';
import { StunTransaction } from './transaction.js';

/** What a TURN server made of what it was asked. */
export type TurnEvent =
  | {
      readonly kind: 'allocated';
      readonly relayed: TransportAddress;
      /** Where the server sees us. */
      readonly mapped: TransportAddress | undefined;
      /** Seconds. */
      readonly lifetime: number;
      /** False where the server relays for anybody, without credentials. */
      readonly isGuarded: boolean;
    }
  /** It relays to this peer. */
  | { readonly kind: 'permitted'; readonly peer: TransportAddress }
  /** It answered with an error, RFC 8489 §14.8; the allocation stays where there was one. */
  | { readonly kind: 'refused'; readonly step: TurnStep; readonly code: number; readonly reason: string }
  /** Nothing can come of it any more. */
  | { readonly kind: 'failed'; readonly step: TurnStep; readonly detail: string }
  | { readonly kind: 'released' };

export type TurnStep = 'allocate' | 'permit' | 'release';

export interface TurnAllocationOptions {
  readonly credentials: TurnCredentials;
  /** TCP or TLS. */
  readonly isStream: boolean;
  readonly random: (bytes: number) => Buffer;
  /** No answer to a request by then is none. */
  readonly timeoutMs: number;
  readonly output: { readonly bytes: (bytes: Buffer) => void; readonly event: (event: TurnEvent) => void };
}

type Pending = { readonly step: TurnStep; readonly fields: Fields; readonly transaction: StunTransaction };
type Fields = Omit<StunFields, 'transaction' | 'username' | 'realm' | 'nonce'>;

const REQUEST: Readonly<Record<TurnStep, number>> = {
  allocate: STUN_TYPE.allocateRequest,
  permit: STUN_TYPE.createPermissionRequest,
  release: STUN_TYPE.refreshRequest,
};
/** RFC 8489 §3: the class is in two bits of the type. */
const SUCCESS = 0x0100;
const ERROR = 0x0110;
const UNAUTHENTICATED = 401;
const STALE_NONCE = 438;
const MOST_STALE_NONCES = 3;

/** A client's allocation at a TURN server, RFC 8656 §7: asked for, its peers permitted, and released. */
export class TurnAllocation {
  readonly #options: TurnAllocationOptions;
  readonly #stream: StunStream | undefined;
  #pending: Pending | undefined;
  #challenge: { readonly realm: string; readonly nonce: string; readonly key: Buffer } | undefined;
  #staleNonces = 0;
  #lost: string | undefined;

  constructor(options: TurnAllocationOptions) {
    this.#options = options;
    this.#stream = options.isStream ? new StunStream() : undefined;
  }

  /** Asks for an allocation: without credentials first, because only the answer says for which realm. */
  allocate(now: number): void {
    this.#request('allocate', { type: REQUEST.allocate, relaysUdp: true }, now);
  }

  /** Asks whether it relays to a peer, RFC 8656 §10. After `allocated`. */
  permit(peer: TransportAddress, now: number): void {
    this.#request('permit', { type: REQUEST.permit, peerAddress: peer }, now);
  }

  /** Gives the allocation back, RFC 8656 §8. */
  release(now: number): void {
    this.#request('release', { type: REQUEST.release, lifetime: 0 }, now);
  }

  /** @param bytes a datagram, or what came by the stream */
  receive(bytes: Buffer, now: number): void {
    try {
      const messages = this.#stream?.push(bytes) ?? [bytes];
      for (const message of messages) this.#read(message, now);
    } catch (error) {
      if (!(error instanceof WebRtcError)) throw error;
      // Anybody can send a datagram. In a stream there is no way back to where a message begins.
      if (this.#options.isStream) this.lost(error.message);
    }
  }

  /** The way to the server is gone: what is asked, now or later, fails. */
  lost(detail: string): void {
    this.#lost = detail;
    this.#fail(detail);
  }

  /** Sends again what is due. Call it every 50 ms or so. */
  tick(now: number): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    const due = pending.transaction.poll(now);
    if (due === 'send') this.#options.output.bytes(pending.transaction.request);
    if (due === 'give-up') this.#fail('no answer');
  }

  #request(step: TurnStep, fields: Fields, now: number): void {
    const { credentials, isStream, random, timeoutMs } = this.#options;
    const transaction = random(12);
    const challenge = this.#challenge;
    const request =
      challenge === undefined
        ? writeStun({ ...fields, transaction })
        : writeStun(
            {
              ...fields,
              transaction,
              username: credentials.username,
              realm: challenge.realm,
              nonce: challenge.nonce,
            },
            challenge.key,
          );
    const options = { request, isReliable: isStream, now, timeoutMs };
    this.#pending = { step, fields, transaction: new StunTransaction(options) };
    if (this.#lost === undefined) this.tick(now);
    else this.#fail(this.#lost);
  }

  #read(bytes: Buffer, now: number): void {
    const message = readStun(bytes);
    const pending = this.#pending;
    if (pending === undefined || !pending.transaction.isAnsweredBy(message.transaction)) return;
    const request = REQUEST[pending.step];
    const isSuccess = message.type === (request | SUCCESS);
    if (!isSuccess && message.type !== (request | ERROR)) return;
    if (!this.#isBelievable(bytes, message, isSuccess)) return;
    if (isSuccess) this.#succeed(pending, message);
    else this.#refuse(pending, message, now);
  }

  /** RFC 8489 §9.2.5: what we signed is answered signed, but for refusals of the signature itself. */
  #isBelievable(bytes: Buffer, message: StunMessage, isSuccess: boolean): boolean {
    const key = this.#challenge?.key;
    if (key === undefined) return true;
    return message.integrityAt === undefined ? !isSuccess : isAuthentic(bytes, message, key);
  }

  #succeed(
    { step, fields: { peerAddress: peer } }: Pending,
    { relayedAddress, mappedAddress, lifetime = 0 }: StunMessage,
  ): void {
    const { event } = this.#options.output;
    if (step === 'allocate' && relayedAddress === undefined) {
      this.#fail('an allocation without the address that it relays from');
      return;
    }
    this.#pending = undefined;
    if (step === 'allocate' && relayedAddress !== undefined) {
      const isGuarded = this.#challenge !== undefined;
      event({ kind: 'allocated', relayed: relayedAddress, mapped: mappedAddress, lifetime, isGuarded });
    }
    if (step === 'permit' && peer !== undefined) event({ kind: 'permitted', peer });
    if (step === 'release') event({ kind: 'released' });
  }

  #refuse(
    { step, fields }: Pending,
    { errorCode = 0, errorReason = '', realm, nonce }: StunMessage,
    now: number,
  ): void {
    const isFirst = errorCode === UNAUTHENTICATED && this.#challenge === undefined;
    const isStale = errorCode === STALE_NONCE && this.#challenge !== undefined;
    if ((isFirst || isStale) && nonce !== undefined && this.#staleNonces < MOST_STALE_NONCES) {
      const own = realm ?? this.#challenge?.realm;
      if (own !== undefined) {
        if (isStale) this.#staleNonces++;
        this.#challenge = { realm: own, nonce, key: longTermKey(this.#options.credentials, own) };
        this.#request(step, fields, now);
        return;
      }
    }
    this.#pending = undefined;
    this.#options.output.event({ kind: 'refused', step, code: errorCode, reason: errorReason });
  }

  #fail(detail: string): void {
    const step = this.#pending?.step;
    this.#pending = undefined;
    if (step !== undefined) this.#options.output.event({ kind: 'failed', step, detail });
  }
}
