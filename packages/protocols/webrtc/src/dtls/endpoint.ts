import { timingSafeEqual } from 'node:crypto';
import { malformed, WebRtcError } from '../errors.js';
import { ALERT, HandshakeFailure, LEVEL } from './alert.js';
import { type DtlsCertificate, fingerprintOf } from './certificate.js';
import { Cursor, vector } from './cursor.js';
import { Flights } from './flights.js';
import { HANDSHAKE, type HandshakeMessage, MessageGathering, writeMessage } from './handshake-message.js';
import {
  type ClientHello,
  readClientHello,
  readServerHello,
  SIGNATURE,
  SRTP_PROFILES,
  type SrtpChoice,
  SUITE,
  sharedGroup,
  writeClientHello,
  writeServerHello,
} from './hello.js';
import {
  readClientKeyExchange,
  readHelloVerifyRequest,
  readServerKeyExchange,
  writeCertificateRequest,
  writeServerKeyExchange,
} from './key-exchange.js';
import { extendedMasterSecret, masterSecret, type Randoms, srtpKeys, trafficKeys, verifyData } from './key-schedule.js';
import { type KeyShare, makeKeyShare } from './key-share.js';
import { CONTENT, type DtlsRecord, readRecords } from './record.js';
import { type FlightItem, RecordLayer } from './record-layer.js';
import { isSigned, readCertificate, signed, writeCertificate } from './signature.js';
import { Turns } from './turns.js';

/** What a handshake gives to SRTP, RFC 5764 §4.2. */
export interface DtlsKeys {
  readonly profile: SrtpChoice['name'];
  readonly localKey: Buffer;
  readonly localSalt: Buffer;
  readonly remoteKey: Buffer;
  readonly remoteSalt: Buffer;
}

export interface DtlsOptions {
  readonly role: 'client' | 'server';
  readonly certificate: DtlsCertificate;
  /** From the peer's SDP: its certificate must have it. */
  readonly remoteFingerprint: { readonly algorithm: string; readonly value: string };
  readonly random: (bytes: number) => Buffer;
  /** To the peer, at most 1200 bytes. */
  readonly send: (datagram: Buffer) => void;
  /** Once, when both sides have proved who they are. */
  readonly connected: (keys: DtlsKeys) => void;
  /** Once: no other call comes after this. */
  readonly closed: (reason: string) => void;
}

const HASHES: ReadonlySet<string> = new Set(['sha-256', 'sha-384', 'sha-512']);
/** Sealed records that came before the keys that open them: kept until then. */
const MOST_EARLY = 8;

type State = 'new' | 'handshaking' | 'connected' | 'closed';

/** One end of a DTLS 1.2 handshake, RFC 6347, for SRTP: datagrams and time in, datagrams and keys out. */
export class DtlsEndpoint {
  readonly #options: DtlsOptions;
  readonly #records: RecordLayer;
  readonly #flights: Flights;
  readonly #turns: Turns;
  readonly #gathering = new MessageGathering();
  readonly #localRandom: Buffer;
  #state: State = 'new';
  #transcript = Buffer.alloc(0);
  #nextSequence = 0;
  #early: DtlsRecord[] = [];

  #remoteRandom = Buffer.alloc(0);
  #extended = false;
  #srtp: SrtpChoice | undefined;
  #share: KeyShare | undefined;
  #peerCertificate: Buffer | undefined;
  #peerKey: Buffer = Buffer.alloc(0);
  #master: Buffer | undefined;
  #wantsCertificate = false;

  constructor(options: DtlsOptions) {
    this.#options = options;
    this.#records = new RecordLayer(options.send);
    this.#flights = new Flights(this.#records);
    this.#turns = new Turns(options.role === 'client' ? 'server' : 'client');
    this.#localRandom = options.random(32);
  }

  get state(): State {
    return this.#state;
  }

  /** A client begins; a server waits. */
  start(now: number): void {
    if (this.#state !== 'new' || this.#options.role === 'server') return;
    this.#state = 'handshaking';
    this.#sendClientHello(Buffer.alloc(0), now);
  }

  /** Takes a datagram. What is wrong in it ends the handshake, or is dropped where anybody may have sent it. */
  receive(datagram: Buffer, now: number): void {
    let records: DtlsRecord[];
    try {
      records = readRecords(datagram);
    } catch {
      return;
    }
    for (const record of records) this.#receiveRecord(record, now);
  }

  /** Sends the last flight again where the peer has been silent for too long. */
  tick(now: number): void {
    if (this.#state === 'handshaking' && this.#flights.tick(now)) this.#close('the DTLS handshake got no answer');
  }

  /** Says goodbye. Later calls do nothing. */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'new') this.#records.sendAlert(LEVEL.warning, ALERT.closeNotify);
    this.#close('closed');
  }

  #receiveRecord(record: DtlsRecord, now: number): void {
    if (this.#state === 'closed') return;
    // What isn't sealed can come from anybody; once connected, the peer has nothing to say that way.
    if (this.#state === 'connected' && record.epoch === 0) return;
    if (record.epoch === 1 && !this.#records.hasKeys) {
      if (this.#early.length >= MOST_EARLY) return;
      // The datagram's memory is not ours to keep.
      this.#early.push({ ...record, fragment: Buffer.from(record.fragment), number: Buffer.from(record.number) });
      return;
    }
    const content = this.#records.open(record);
    if (content === undefined) return;
    try {
      if (record.type === CONTENT.handshake) this.#receiveHandshake(content, record.epoch, now);
      else if (record.type === CONTENT.alert) this.#receiveAlert(content);
    } catch (error) {
      if (!(error instanceof WebRtcError)) throw error;
      this.#records.sendAlert(LEVEL.fatal, error instanceof HandshakeFailure ? error.alert : ALERT.handshakeFailure);
      this.#close(`the DTLS handshake failed: ${error.message}`);
    }
  }

  #receiveAlert(content: Buffer): void {
    const [level, description] = content;
    if (description === ALERT.closeNotify) {
      this.#records.sendAlert(LEVEL.warning, ALERT.closeNotify);
      this.#close('closed by the peer');
    } else if (level === LEVEL.fatal) this.#close(`the peer ended DTLS by alert ${description}`);
  }

  #receiveHandshake(content: Buffer, epoch: number, now: number): void {
    const isRepeated = this.#gathering.push(content, epoch === 1);
    for (;;) {
      const message = this.#gathering.take();
      if (message === undefined) break;
      this.#handle(message, now);
      if (this.#state === 'closed') return;
    }
    if (this.#records.hasKeys && this.#early.length > 0) {
      const early = this.#early;
      this.#early = [];
      for (const record of early) this.#receiveRecord(record, now);
    }
    if (isRepeated) this.#flights.repeat(now);
  }

  #handle(message: HandshakeMessage & { readonly isSealed: boolean }, now: number): void {
    if (this.#state === 'connected') {
      // RFC 8827 §6.5
      this.#records.sendAlert(LEVEL.warning, ALERT.noRenegotiation);
      return;
    }
    const belongsSealed = message.type === HANDSHAKE.finished;
    if (belongsSealed !== message.isSealed) throw malformed('a handshake message in the wrong epoch');
    this.#turns.take(message.type);
    if (this.#options.role === 'server') this.#handleAsServer(message, now);
    else this.#handleAsClient(message, now);
  }

  #handleAsServer(message: HandshakeMessage, now: number): void {
    const { type, body } = message;
    switch (type) {
      case HANDSHAKE.clientHello:
        this.#state = 'handshaking';
        this.#remember(message);
        this.#answerHello(readClientHello(body), now);
        return;
      case HANDSHAKE.certificate:
        this.#remember(message);
        this.#takeCertificate(body);
        return;
      case HANDSHAKE.clientKeyExchange:
        this.#remember(message);
        this.#agree(readClientKeyExchange(body));
        return;
      case HANDSHAKE.certificateVerify:
        this.#checkSignature(this.#transcript, new Cursor(body, 'a CertificateVerify'));
        this.#remember(message);
        return;
      case HANDSHAKE.finished:
        this.#checkFinished(body, 'client');
        this.#remember(message);
        this.#finish('server', [], now);
        this.#connect();
        return;
      default:
        throw malformed(`handshake message ${type} from a client`);
    }
  }

  #answerHello(hello: ClientHello, now: number): void {
    const { certificate } = this.#options;
    const group = sharedGroup(hello.groups);
    const srtp = SRTP_PROFILES.find(({ id }) => hello.srtpProfiles.includes(id));
    const isSuited = hello.suites.includes(SUITE.ecdsa) && hello.signatures.includes(SIGNATURE.ecdsaP256Sha256);
    if (group === undefined || srtp === undefined || !isSuited) {
      throw new HandshakeFailure(ALERT.handshakeFailure, 'the peer offers nothing that is known here');
    }
    this.#remoteRandom = Buffer.from(hello.random);
    this.#extended = hello.extendedMasterSecret;
    this.#srtp = srtp;
    this.#share = makeKeyShare(group);
    const exchange = writeServerKeyExchange(this.#share, this.#randoms(), certificate.privateKey);
    const fields = { random: this.#localRandom, suite: SUITE.ecdsa, srtpProfile: srtp.id };
    this.#flights.send(
      [
        this.#message(HANDSHAKE.serverHello, writeServerHello(hello, fields)),
        this.#message(HANDSHAKE.certificate, writeCertificate(certificate.der)),
        this.#message(HANDSHAKE.serverKeyExchange, exchange),
        this.#message(HANDSHAKE.certificateRequest, writeCertificateRequest()),
        this.#message(HANDSHAKE.serverHelloDone, Buffer.alloc(0)),
      ],
      true,
      now,
    );
  }

  #handleAsClient(message: HandshakeMessage, now: number): void {
    const { type, body } = message;
    switch (type) {
      case HANDSHAKE.helloVerifyRequest:
        // RFC 6347 §4.2.6: what came before is not in the transcript.
        this.#transcript = Buffer.alloc(0);
        this.#sendClientHello(readHelloVerifyRequest(body), now);
        return;
      case HANDSHAKE.serverHello: {
        const hello = readServerHello(body);
        const isKnown = hello.suite === SUITE.ecdsa || hello.suite === SUITE.rsa;
        this.#srtp = SRTP_PROFILES.find(({ id }) => id === hello.srtpProfile);
        if (!isKnown || this.#srtp === undefined) {
          throw new HandshakeFailure(ALERT.handshakeFailure, 'the peer chose what was not offered');
        }
        this.#remoteRandom = Buffer.from(hello.random);
        this.#extended = hello.extendedMasterSecret;
        break;
      }
      case HANDSHAKE.certificate:
        this.#takeCertificate(body);
        break;
      case HANDSHAKE.serverKeyExchange:
        this.#takeServerShare(body);
        break;
      case HANDSHAKE.certificateRequest:
        this.#wantsCertificate = true;
        break;
      case HANDSHAKE.serverHelloDone:
        this.#remember(message);
        this.#answerServer(now);
        return;
      case HANDSHAKE.finished:
        this.#checkFinished(body, 'server');
        this.#flights.settle();
        this.#connect();
        return;
      default:
        throw malformed(`handshake message ${type} from a server`);
    }
    this.#remember(message);
  }

  #takeServerShare(body: Buffer): void {
    const { group, publicKey, proved, rest } = readServerKeyExchange(body, this.#randoms());
    this.#checkSignature(proved, rest);
    this.#share = makeKeyShare(group);
    this.#peerKey = publicKey;
  }

  #checkSignature(content: Buffer, cursor: Cursor): void {
    const certificate = this.#peerCertificate;
    if (certificate === undefined || !isSigned(content, cursor, certificate)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the peer does not own its certificate');
    }
  }

  #answerServer(now: number): void {
    const share = this.#share;
    if (share === undefined) throw malformed('a ServerHelloDone without keys');
    const { certificate } = this.#options;
    const items: FlightItem[] = [];
    if (this.#wantsCertificate) items.push(this.#message(HANDSHAKE.certificate, writeCertificate(certificate.der)));
    items.push(this.#message(HANDSHAKE.clientKeyExchange, vector(1, share.publicKey)));
    this.#agree(this.#peerKey);
    if (this.#wantsCertificate) {
      items.push(this.#message(HANDSHAKE.certificateVerify, signed(this.#transcript, certificate.privateKey)));
    }
    this.#finish('client', items, now);
  }

  #takeCertificate(body: Buffer): void {
    const certificate = readCertificate(body);
    const { algorithm, value } = this.#options.remoteFingerprint;
    const name = algorithm.toLowerCase();
    // An algorithm that isn't known proves nothing, whatever the value.
    if (!HASHES.has(name) || fingerprintOf(certificate, name.replace('-', '')) !== value.toUpperCase()) {
      throw new HandshakeFailure(ALERT.badCertificate, 'the peer shows another certificate than its description says');
    }
    this.#peerCertificate = Buffer.from(certificate);
  }

  /** Both public keys are there: from now on there are keys. */
  #agree(peerKey: Buffer): void {
    const premaster = this.#share?.agree(peerKey);
    if (premaster === undefined) throw new HandshakeFailure(ALERT.handshakeFailure, 'a public key that is none');
    const master = this.#extended
      ? extendedMasterSecret(premaster, this.#transcript)
      : masterSecret(premaster, this.#randoms());
    this.#master = master;
    const { client, server } = trafficKeys(master, this.#randoms());
    const isClient = this.#options.role === 'client';
    this.#records.setKeys({ send: isClient ? client : server, receive: isClient ? server : client });
  }

  #checkFinished(body: Buffer, side: 'client' | 'server'): void {
    const master = this.#master;
    if (master === undefined) throw malformed('a Finished without keys');
    const expected = verifyData(master, side, this.#transcript);
    if (body.length !== expected.length || !timingSafeEqual(body, expected)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the handshake was tampered with');
    }
  }

  #finish(side: 'client' | 'server', items: readonly FlightItem[], now: number): void {
    const master = this.#master;
    if (master === undefined) throw malformed('a Finished without keys');
    const finished = this.#message(HANDSHAKE.finished, verifyData(master, side, this.#transcript), 1);
    // The server's is the last of all: nothing answers it.
    this.#flights.send([...items, { kind: 'change-cipher-spec' }, finished], side === 'client', now);
  }

  #connect(): void {
    const [master, srtp] = [this.#master, this.#srtp];
    if (master === undefined || srtp === undefined) throw malformed('connected without keys');
    this.#state = 'connected';
    this.#transcript = Buffer.alloc(0);
    const { client, server } = srtpKeys(master, this.#randoms(), srtp.saltBytes);
    const [local, remote] = this.#options.role === 'client' ? [client, server] : [server, client];
    this.#options.connected({
      profile: srtp.name,
      localKey: local.key,
      localSalt: local.salt,
      remoteKey: remote.key,
      remoteSalt: remote.salt,
    });
  }

  #sendClientHello(cookie: Buffer, now: number): void {
    const body = writeClientHello({ random: this.#localRandom, cookie });
    this.#flights.send([this.#message(HANDSHAKE.clientHello, body)], true, now);
  }

  /** A message of ours; it is in the transcript from now on. */
  #message(type: number, body: Buffer, epoch: 0 | 1 = 0): FlightItem {
    const message = { type, sequence: this.#nextSequence++, body };
    this.#remember(message);
    return { kind: 'message', message, epoch };
  }

  #remember(message: HandshakeMessage): void {
    this.#transcript = Buffer.concat([this.#transcript, writeMessage(message)]);
  }

  #randoms(): Randoms {
    const [local, remote] = [this.#localRandom, this.#remoteRandom];
    return this.#options.role === 'client' ? { client: local, server: remote } : { client: remote, server: local };
  }

  #close(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#options.closed(reason);
  }
}
