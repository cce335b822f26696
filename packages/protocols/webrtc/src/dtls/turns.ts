import { malformed } from '../errors.js';
import { HANDSHAKE } from './handshake-message.js';

type Followers = Readonly<Record<number, readonly number[]>>;

const START = -1;

/** RFC 5246 §7.3; a certificate is asked of each client. */
const OF_CLIENT: Followers = {
  [START]: [HANDSHAKE.clientHello],
  [HANDSHAKE.clientHello]: [HANDSHAKE.certificate],
  [HANDSHAKE.certificate]: [HANDSHAKE.clientKeyExchange],
  [HANDSHAKE.clientKeyExchange]: [HANDSHAKE.certificateVerify],
  [HANDSHAKE.certificateVerify]: [HANDSHAKE.finished],
};

/** RFC 6347 §4.2.4. */
const OF_SERVER: Followers = {
  [START]: [HANDSHAKE.helloVerifyRequest, HANDSHAKE.serverHello],
  [HANDSHAKE.helloVerifyRequest]: [HANDSHAKE.serverHello],
  [HANDSHAKE.serverHello]: [HANDSHAKE.certificate],
  [HANDSHAKE.certificate]: [HANDSHAKE.serverKeyExchange],
  [HANDSHAKE.serverKeyExchange]: [HANDSHAKE.certificateRequest, HANDSHAKE.serverHelloDone],
  [HANDSHAKE.certificateRequest]: [HANDSHAKE.serverHelloDone],
  [HANDSHAKE.serverHelloDone]: [HANDSHAKE.finished],
};

/** The one order in which a peer's messages may come: none is left out, none comes twice. */
export class Turns {
  readonly #followers: Followers;
  #last = START;

  constructor(peer: 'client' | 'server') {
    this.#followers = peer === 'client' ? OF_CLIENT : OF_SERVER;
  }

  /** @throws {WebRtcError} `malformed`, where it isn't this message's turn */
  take(type: number): void {
    if (this.#followers[this.#last]?.includes(type) !== true) throw malformed(`handshake message ${type} out of turn`);
    this.#last = type;
  }
}
