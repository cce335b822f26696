import { timingSafeEqual } from 'node:crypto';
import { malformed, WebRtcError } from '../errors.js';
import { type DtlsCertificate, fingerprintOf } from './certificate.js';
import { Cursor, uint16, vector } from './cursor.js';
import { HANDSHAKE, type HandshakeMessage, MessageGathering, writeMessage } from './handshake-message.js';
import {
  type ClientHello,
  readClientHello,
  readServerHello,
  SIGNATURES,
  SRTP_PROFILES,
  type SrtpChoice,
  SUITE,
  sharedGroup,
  writeClientHello,
  writeServerHello,
} from './hello.js';
import { exportSrtp, extendedMasterSecret, masterSecret, trafficKeys, verifyData } from './key-schedule.js';
import { GROUP, type Group, type KeyShare, makeKeyShare } from './key-share.js';
import { CONTENT, type DtlsRecord, readRecords } from './record.js';
import { type FlightItem, RecordLayer } from './record-layer.js';
import { isSigned, readCertificate, signed, writeCertificate } from './signature.js';

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

const FIRST_PATIENCE_MS = 400;
const LONGEST_PATIENCE_MS = 3200;
const MOST_RETRANSMISSIONS = 7;
const FATAL = 2;
const ALERT = { closeNotify: 0, handshakeFailure: 40, badCertificate: 42, decryptError: 51 } as const;
const HASHES: ReadonlySet<string> = new Set(['sha-256', 'sha-384', 'sha-512']);
const NAMED_CURVE = 3;
const KEY_BYTES = 16;
/** Sealed records that came before the keys that open them: kept until then. */
const MOST_EARLY = 8;

type State = 'new' | 'handshaking' | 'connected' | 'closed';

/** The handshake failed, with the alert that the peer is told. */
class HandshakeFailure extends WebRtcError {
  readonly alert: number;

  constructor(alert: number, message: string) {
    super('not-authentic', message);
    this.alert = alert;
  }
}

/** One end of a DTLS 1.2 handshake, RFC 6347, for SRTP: datagrams and time in, datagrams and keys out. */
export class DtlsEndpoint {
  readonly #options: DtlsOptions;
  readonly #records: RecordLayer;
  readonly #gathering = new MessageGathering();
  readonly #localRandom: Buffer;
  readonly #seen = new Set<number>();
  #state: State = 'new';
  #transcript = Buffer.alloc(0);
  #flight: readonly FlightItem[] = [];
  #nextSequence = 0;
  #sentAt = 0;
  #patience = FIRST_PATIENCE_MS;
  #retransmissions = 0;
  #waits = false;
  #early: DtlsRecord[] = [];

  #remoteRandom = Buffer.alloc(0);
  #suite = 0;
  #extended = false;
  #srtp: SrtpChoice | undefined;
  #share: KeyShare | undefined;
  #peerCertificate: Buffer | undefined;
  #peerShare: { readonly group: Group; readonly publicKey: Buffer } | undefined;
  #master: Buffer | undefined;
  #isVerified = false;
  #wantsCertificate = false;

  constructor(options: DtlsOptions) {
    this.#options = options;
    this.#records = new RecordLayer(options.send);
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
    if (this.#state !== 'handshaking' || !this.#waits || now - this.#sentAt < this.#patience) return;
    if (this.#retransmissions >= MOST_RETRANSMISSIONS) {
      this.#close('the DTLS handshake got no answer');
      return;
    }
    this.#retransmissions += 1;
    this.#patience = Math.min(LONGEST_PATIENCE_MS, this.#patience * 2);
    this.#sentAt = now;
    this.#records.sendFlight(this.#flight);
  }

  /** Says goodbye. Later calls do nothing. */
  close(): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'new') this.#records.sendAlert(1, ALERT.closeNotify);
    this.#close('closed');
  }

  #receiveRecord(record: DtlsRecord, now: number): void {
    if (this.#state === 'closed') return;
    if (record.epoch === 1 && !this.#records.hasKeys) {
      if (this.#early.length < MOST_EARLY) this.#early.push({ ...record, fragment: Buffer.from(record.fragment) });
      return;
    }
    const content = this.#records.open(record);
    if (content === undefined) return;
    try {
      if (record.type === CONTENT.handshake) this.#receiveHandshake(content, record.epoch, now);
      else if (record.type === CONTENT.alert) this.#receiveAlert(content, record.epoch);
    } catch (error) {
      if (!(error instanceof WebRtcError)) throw error;
      this.#records.sendAlert(FATAL, error instanceof HandshakeFailure ? error.alert : ALERT.handshakeFailure);
      this.#close(`the DTLS handshake failed: ${error.message}`);
    }
  }

  #receiveAlert(content: Buffer, epoch: number): void {
    const [level, description] = [content[0], content[1]];
    // What isn't sealed can come from anybody once there are keys.
    if (epoch === 0 && this.#records.hasKeys) return;
    if (description === ALERT.closeNotify) this.#close('closed by the peer');
    else if (level === FATAL) this.#close(`the peer ended DTLS by alert ${description}`);
  }

  #receiveHandshake(content: Buffer, epoch: number, now: number): void {
    // Finished is sealed, and it alone; nobody can put in another message later.
    const isRepeated = this.#gathering.push(content, epoch === 1);
    for (;;) {
      const message = this.#gathering.take();
      if (message === undefined) break;
      const belongsSealed = message.type === HANDSHAKE.finished;
      if (belongsSealed !== message.isSealed) throw malformed('a handshake message in the wrong epoch');
      this.#handle(message, now);
      if (this.#state === 'closed') return;
    }
    if (this.#records.hasKeys && this.#early.length > 0) {
      const early = this.#early;
      this.#early = [];
      for (const record of early) this.#receiveRecord(record, now);
    }
    if (isRepeated && this.#flight.length > 0 && now - this.#sentAt >= FIRST_PATIENCE_MS / 8) {
      this.#sentAt = now;
      this.#records.sendFlight(this.#flight);
    }
  }

  #handle(message: HandshakeMessage, now: number): void {
    if (this.#state === 'connected') return;
    // Each comes once; more of them would only make the transcript grow.
    if (this.#seen.has(message.type)) throw malformed(`a second handshake message ${message.type}`);
    this.#seen.add(message.type);
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
      case HANDSHAKE.clientKeyExchange: {
        this.#remember(message);
        const publicKey = new Cursor(body, 'a ClientKeyExchange').vector(1);
        const { group } = this.#share ?? {};
        if (group === undefined || this.#master !== undefined) throw malformed('a ClientKeyExchange out of turn');
        this.#peerShare = { group, publicKey };
        this.#agree();
        return;
      }
      case HANDSHAKE.certificateVerify: {
        const certificate = this.#peerCertificate;
        if (certificate === undefined || this.#master === undefined) throw malformed('a CertificateVerify out of turn');
        if (!isSigned(this.#transcript, new Cursor(body, 'a CertificateVerify'), certificate)) {
          throw new HandshakeFailure(ALERT.decryptError, 'the peer does not own its certificate');
        }
        this.#isVerified = true;
        this.#remember(message);
        return;
      }
      case HANDSHAKE.finished:
        this.#checkFinished(body, 'client');
        this.#remember(message);
        this.#finish('server', [], now);
        this.#waits = false;
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
    if (group === undefined || srtp === undefined || !hello.suites.includes(SUITE.ecdsa)) {
      throw new HandshakeFailure(ALERT.handshakeFailure, 'the peer offers nothing that is known here');
    }
    this.#remoteRandom = Buffer.from(hello.random);
    this.#suite = SUITE.ecdsa;
    this.#extended = hello.extendedMasterSecret;
    this.#srtp = srtp;
    this.#share = makeKeyShare(group);
    const parameters = shareBytes(this.#share);
    const proof = signed(Buffer.concat([hello.random, this.#localRandom, parameters]), certificate.privateKey);
    const fields = { random: this.#localRandom, suite: this.#suite, srtpProfile: srtp.id };
    // Certificate types ecdsa_sign and rsa_sign, the algorithms, and no names of authorities.
    const request = Buffer.concat([vector(1, Buffer.from([64, 1])), vector(2, uint16(...SIGNATURES)), vector(2)]);
    this.#sendFlight(
      [
        this.#message(HANDSHAKE.serverHello, writeServerHello(hello, fields)),
        this.#message(HANDSHAKE.certificate, writeCertificate(certificate.der)),
        this.#message(HANDSHAKE.serverKeyExchange, Buffer.concat([parameters, proof])),
        this.#message(HANDSHAKE.certificateRequest, request),
        this.#message(HANDSHAKE.serverHelloDone, Buffer.alloc(0)),
      ],
      now,
    );
  }

  #handleAsClient(message: HandshakeMessage, now: number): void {
    const { type, body } = message;
    switch (type) {
      case HANDSHAKE.helloVerifyRequest: {
        const cursor = new Cursor(body, 'a HelloVerifyRequest');
        cursor.number(2);
        if (this.#remoteRandom.length > 0) throw malformed('a HelloVerifyRequest out of turn');
        // RFC 6347 §4.2.6: what came before is not in the transcript.
        this.#transcript = Buffer.alloc(0);
        this.#sendClientHello(Buffer.from(cursor.vector(1)), now);
        return;
      }
      case HANDSHAKE.serverHello: {
        const hello = readServerHello(body);
        const isKnown = hello.suite === SUITE.ecdsa || hello.suite === SUITE.rsa;
        this.#srtp = SRTP_PROFILES.find(({ id }) => id === hello.srtpProfile);
        if (!isKnown || this.#srtp === undefined) {
          throw new HandshakeFailure(ALERT.handshakeFailure, 'the peer chose what was not offered');
        }
        this.#remoteRandom = Buffer.from(hello.random);
        this.#suite = hello.suite;
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
        this.#waits = false;
        this.#connect();
        return;
      default:
        throw malformed(`handshake message ${type} from a server`);
    }
    this.#remember(message);
  }

  #takeServerShare(body: Buffer): void {
    const certificate = this.#peerCertificate;
    if (certificate === undefined) throw malformed('a ServerKeyExchange out of turn');
    const cursor = new Cursor(body, 'a ServerKeyExchange');
    const [kind, group, publicKey] = [cursor.number(1), cursor.number(2), cursor.vector(1)];
    if (kind !== NAMED_CURVE || (group !== GROUP.p256 && group !== GROUP.x25519)) {
      throw new HandshakeFailure(ALERT.handshakeFailure, `the peer chose group ${group}`);
    }
    const parameters = body.subarray(0, 4 + publicKey.length);
    const proved = Buffer.concat([this.#localRandom, this.#remoteRandom, parameters]);
    if (!isSigned(proved, cursor, certificate)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the peer does not own its certificate');
    }
    this.#isVerified = true;
    this.#share = makeKeyShare(group);
    this.#peerShare = { group, publicKey: Buffer.from(publicKey) };
  }

  #answerServer(now: number): void {
    const share = this.#share;
    if (share === undefined || this.#master !== undefined) throw malformed('a ServerHelloDone out of turn');
    const { certificate } = this.#options;
    const items: FlightItem[] = [];
    if (this.#wantsCertificate) items.push(this.#message(HANDSHAKE.certificate, writeCertificate(certificate.der)));
    items.push(this.#message(HANDSHAKE.clientKeyExchange, vector(1, share.publicKey)));
    this.#agree();
    if (this.#wantsCertificate) {
      items.push(this.#message(HANDSHAKE.certificateVerify, signed(this.#transcript, certificate.privateKey)));
    }
    this.#finish('client', items, now);
  }

  #takeCertificate(body: Buffer): void {
    const certificate = readCertificate(body);
    const { algorithm, value } = this.#options.remoteFingerprint;
    const name = algorithm.toLowerCase();
    const found = HASHES.has(name) ? fingerprintOf(certificate, name.replace('-', '')) : '';
    if (found !== value.toUpperCase()) {
      throw new HandshakeFailure(ALERT.badCertificate, 'the peer shows another certificate than its description says');
    }
    this.#peerCertificate = Buffer.from(certificate);
  }

  /** Both public keys are there: from now on there are keys. */
  #agree(): void {
    const premaster = this.#peerShare && this.#share?.agree(this.#peerShare.publicKey);
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
    if (master === undefined || !this.#isVerified) {
      throw new HandshakeFailure(ALERT.handshakeFailure, 'the peer did not prove who it is');
    }
    const expected = verifyData(master, side, this.#transcript);
    if (body.length !== expected.length || !timingSafeEqual(body, expected)) {
      throw new HandshakeFailure(ALERT.decryptError, 'the handshake was tampered with');
    }
  }

  #finish(side: 'client' | 'server', items: readonly FlightItem[], now: number): void {
    const master = this.#master;
    if (master === undefined) throw malformed('Finished out of turn');
    const finished = this.#message(HANDSHAKE.finished, verifyData(master, side, this.#transcript), 1);
    this.#sendFlight([...items, { kind: 'change-cipher-spec' }, finished], now);
  }

  #connect(): void {
    const [master, srtp] = [this.#master, this.#srtp];
    if (master === undefined || srtp === undefined) throw malformed('connected without keys');
    this.#state = 'connected';
    const material = exportSrtp(master, this.#randoms(), 2 * (KEY_BYTES + srtp.saltBytes));
    const salts = 2 * KEY_BYTES;
    const client = {
      key: material.subarray(0, KEY_BYTES),
      salt: material.subarray(salts, salts + srtp.saltBytes),
    };
    const server = { key: material.subarray(KEY_BYTES, salts), salt: material.subarray(salts + srtp.saltBytes) };
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
    this.#sendFlight([this.#message(HANDSHAKE.clientHello, body)], now);
  }

  #sendFlight(flight: readonly FlightItem[], now: number): void {
    this.#flight = flight;
    this.#sentAt = now;
    this.#patience = FIRST_PATIENCE_MS;
    this.#retransmissions = 0;
    this.#waits = true;
    this.#records.sendFlight(flight);
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

  #randoms(): { client: Buffer; server: Buffer } {
    const [local, remote] = [this.#localRandom, this.#remoteRandom];
    return this.#options.role === 'client' ? { client: local, server: remote } : { client: remote, server: local };
  }

  #close(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#options.closed(reason);
  }
}

function shareBytes({ group, publicKey }: KeyShare): Buffer {
  return Buffer.concat([Buffer.from([NAMED_CURVE]), uint16(group), vector(1, publicKey)]);
}
