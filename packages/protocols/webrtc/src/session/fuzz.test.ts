import { randomBytes } from 'node:crypto';
import { RtpError, readRtcp, SrtpSender, type Ssrc, writeRtcp, writeRtpHeader } from '@sluice/rtp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DtlsEndpoint, type DtlsKeys } from '../dtls/index.js';
import { CERTIFICATES, chance } from '../dtls/testing/virtual-line.js';
import { WebRtcError } from '../errors.js';
import { readFragment } from '../sdp/fragment.js';
import { type Offer, readOffer } from '../sdp/offer.js';
import { isStun, STUN_TYPE, writeStun } from '../wire/stun.js';
import { PeerSession } from './peer-session.js';

/** A million in `npm run test:fuzz`. */
const PACKETS = Number(process.env.SLUICE_FUZZ_PACKETS ?? 50_000);
/** A session is worn out by what it has borne: a new one bears other things. */
const PACKETS_PER_SESSION = 1000;

const ICE = { ufrag: 'ours', password: 'a password that nobody guesses' };
const FROM = { protocol: 'udp', address: '192.0.2.1', port: 5000 } as const;
const OFFER: Offer = {
  ufrag: 'theirs',
  password: 'another',
  fingerprint: { algorithm: 'sha-256', value: CERTIFICATES.client.fingerprint },
  setup: 'active',
  media: [],
};

/** Changes a few bytes, cuts something off, or puts something behind. */
function mutate(original: Buffer, random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  const kind = random();
  if (kind < 0.1) return original.subarray(0, below(original.length + 1));
  const mutated = kind < 0.2 ? Buffer.concat([original, randomBytes(below(64))]) : Buffer.from(original);
  for (let change = 0; change <= below(4) && mutated.length > 0; change++) {
    const at = random() < 0.7 ? below(Math.min(48, mutated.length)) : below(mutated.length);
    mutated[at] = random() < 0.5 ? below(256) : (mutated[at] ?? 0) ^ (1 << below(8));
  }
  return mutated;
}

/** A session with a peer that has connected, and all that the peer has sent for it. */
class Connection {
  readonly session: PeerSession;
  readonly seen: Buffer[] = [];
  readonly closed: string[] = [];
  got = 0;
  now = 0;
  readonly #keys: DtlsKeys[] = [];
  readonly #sender: SrtpSender;

  constructor() {
    const toPeer: Buffer[] = [];
    this.session = new PeerSession({
      offer: OFFER,
      ice: ICE,
      certificate: CERTIFICATES.server,
      random: randomBytes,
      now: 0,
      output: {
        datagram: (pieces) => toPeer.push(Buffer.concat(pieces)),
        rtp: () => (this.got += 1),
        rtcp: () => (this.got += 1),
        connected: () => undefined,
        closed: (reason) => this.closed.push(reason),
      },
    });
    const peer = new DtlsEndpoint({
      role: 'client',
      certificate: CERTIFICATES.client,
      remoteFingerprint: { algorithm: 'sha-256', value: CERTIFICATES.server.fingerprint },
      random: randomBytes,
      send: (datagram) => this.#send(datagram),
      connected: (keys) => this.#keys.push(keys),
      closed: (reason) => this.closed.push(reason),
    });
    this.#send(this.check());
    peer.start(0);
    for (let next = toPeer.shift(); next !== undefined; next = toPeer.shift()) {
      if (!isStun(next)) peer.receive(next, 0);
    }
    const [keys] = this.#keys;
    if (keys === undefined) throw new Error(`not connected: ${this.closed.join()}`);
    this.#sender = new SrtpSender({ profile: keys.profile, key: keys.localKey, salt: keys.localSalt });
  }

  /** A connectivity check as browsers send it. */
  check(): Buffer {
    const username = `${ICE.ufrag}:${OFFER.ufrag}`;
    const role = { kind: 'controlling', tieBreaker: 7n } as const;
    const fields = { type: STUN_TYPE.bindingRequest, transaction: randomBytes(12), username, useCandidate: true };
    return writeStun({ ...fields, priority: 5, role }, ICE.password);
  }

  /** Sealed as it should be: what is wrong in it is inside. */
  rtp(header: Buffer, payload: Buffer): Buffer {
    return Buffer.concat([header, ...this.#sender.protect(header, [payload])]);
  }

  rtcp(packets: Buffer): Buffer {
    return this.#sender.protectRtcp(packets);
  }

  #send(datagram: Buffer): void {
    this.seen.push(Buffer.from(datagram));
    this.session.receive(datagram, FROM, this.now);
  }
}

const RTCP = writeRtcp([
  { type: 'receiver-report', ssrc: 5 as Ssrc, reports: [] },
  { type: 'nack', sender: 5 as Ssrc, media: 6 as Ssrc, lost: [1, 2, 99] },
  { type: 'pli', sender: 5 as Ssrc, media: 6 as Ssrc },
  { type: 'remb', sender: 5 as Ssrc, bitrate: 1_000_000, ssrcs: [6 as Ssrc] },
]);

describe('mutated datagrams of WebRTC', () => {
  it(`are borne, ${PACKETS} of them, of every kind, sealed and not, within the memory`, () => {
    const random = chance(3);
    const header = Buffer.alloc(12);
    let connection = new Connection();
    let got = 0;
    const before = process.memoryUsage();
    for (let count = 0; count < PACKETS; count++) {
      if (count % PACKETS_PER_SESSION === 0) {
        got += connection.got;
        connection = new Connection();
      }
      const { session, seen } = connection;
      writeRtpHeader(header, { marker: false, payloadType: 96, sequence: count & 0xffff, timestamp: count, ssrc: 6 });
      const kinds = [
        () => mutate(seen[Math.floor(random() * seen.length)] ?? header, random),
        () => mutate(connection.check(), random),
        () => mutate(connection.rtp(header, randomBytes(40)), random),
        // The first byte must say what it is, or it is not looked at; the rest is anything.
        () =>
          connection.rtp(
            Buffer.concat([Buffer.from([0x80 | Math.floor(random() * 64)]), header.subarray(1)]),
            randomBytes(30),
          ),
        () => {
          const packets = mutate(RTCP, random);
          if (packets.length < 8) return RTCP;
          packets[0] = 0x80 | ((packets[0] ?? 0) & 0x3f);
          return connection.rtcp(packets);
        },
      ];
      const datagram = kinds[count % kinds.length]?.() ?? RTCP;
      // A check that is good after all would take the session along to where it came from.
      const from = random() < 0.9 || isStun(datagram) ? FROM : { ...FROM, port: 7 };
      session.receive(datagram, from, connection.now);
      connection.now += 1;
      if (count % 50 === 0) session.tick(connection.now);
    }
    // Some of what was sealed is taken, or this would show nothing.
    expect(got + connection.got).toBeGreaterThan(PACKETS / 20);
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(256 * 1024 * 1024);
  }, 3_600_000);

  it('are borne before anybody has connected', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 30 }), fc.nat(3), (datagrams, first) => {
        const connection = new Connection();
        for (const bytes of datagrams) {
          const datagram = Buffer.from(bytes);
          if (datagram.length > 0) datagram[0] = ([0, 20, 22, 128][first] ?? 0) | ((datagram[0] ?? 0) & 3);
          connection.session.receive(datagram, FROM, 1);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are borne as RTCP and as descriptions, with no other error than their own', () => {
    const random = chance(9);
    const sdp = Buffer.from(
      [
        ...['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0 1', 'a=setup:actpass'],
        ...['m=video 9 UDP/TLS/RTP/SAVPF 96 97', 'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=recvonly', 'a=rtcp-mux'],
        ...['a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901', 'a=fingerprint:sha-256 AA:BB', 'a=extmap:3 urn:x'],
        ...['a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1', 'a=rtpmap:97 rtx/90000', 'a=fmtp:97 apt=96'],
        ...['a=rtcp-fb:96 nack pli', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:1', 'a=rtpmap:111 opus/48000/2', ''],
      ].join('\r\n'),
    );
    for (let count = 0; count < PACKETS / 10; count++) {
      for (const act of [
        () => readRtcp(mutate(RTCP, random)),
        () => readOffer(mutate(sdp, random).toString('latin1')),
        () => readFragment(mutate(sdp, random).toString('latin1')),
      ]) {
        try {
          act();
        } catch (error) {
          if (!(error instanceof RtpError) && !(error instanceof WebRtcError)) throw error;
        }
      }
    }
  }, 3_600_000);
});
