import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isRtcp, type RtpPacket, SrtpReceiver, SrtpSender, writeRtpHeader } from '@sluice/rtp';
import { DtlsEndpoint, isDtls, isStun, makeCertificate, STUN_TYPE, writeStun } from '@sluice/webrtc';
import { until } from './until.js';

const PAYLOAD_TYPE = 96;
const TICK_MS = 50;
const DAY_MS = 86_400_000;

/** A WebRTC peer for codecs that the browser of these tests lacks: one picture, one way. */
export class RtpPeer {
  readonly answer: string;
  readonly got: RtpPacket[] = [];
  readonly #socket: Socket;
  readonly #send: (datagram: Buffer) => void;
  readonly #resource: string;
  #timer: NodeJS.Timeout | undefined;
  #sender: SrtpSender | undefined;
  #receiver: SrtpReceiver | undefined;
  #sequence = 65_000;

  private constructor(socket: Socket, resource: string, answer: string) {
    this.answer = answer;
    this.#socket = socket;
    this.#resource = resource;
    const [, , , , address = '127.0.0.1', port = '0'] = this.#field('candidate').split(' ');
    this.#send = (datagram) => socket.send(datagram, Number(port), address);
  }

  /** @param codec lines of SDP for payload type 96, after `a=` */
  static async connect(url: string, direction: 'sendonly' | 'recvonly', codec: readonly string[]): Promise<RtpPeer> {
    const certificate = makeCertificate({
      commonName: 'peer',
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      serial: randomBytes(8),
    });
    const ufrag = randomBytes(4).toString('hex');
    const lines = [
      ...['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0'],
      ...[`m=video 9 UDP/TLS/RTP/SAVPF ${PAYLOAD_TYPE}`, 'c=IN IP4 0.0.0.0', 'a=mid:0', `a=${direction}`],
      ...['a=rtcp-mux', `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${randomBytes(12).toString('hex')}`, 'a=setup:active'],
      ...[`a=fingerprint:sha-256 ${certificate.fingerprint}`, ...codec.map((line) => `a=${line}`)],
    ];
    const headers = { 'Content-Type': 'application/sdp' };
    const response = await fetch(url, { method: 'POST', headers, body: `${lines.join('\r\n')}\r\n` });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${url}: ${response.status} ${answer}`);
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const peer = new RtpPeer(socket, new URL(response.headers.get('Location') ?? '', url).href, answer);
    peer.#shakeHands(ufrag, certificate);
    await until('the peer is connected', () => peer.#sender !== undefined);
    return peer;
  }

  send(pieces: readonly Buffer[], marker: boolean, timestamp: number): void {
    const header = Buffer.alloc(12);
    const sequence = this.#sequence++ & 0xffff;
    writeRtpHeader(header, { marker, payloadType: PAYLOAD_TYPE, sequence, timestamp, ssrc: 5 });
    this.#send(Buffer.concat([header, ...(this.#sender?.protect(header, pieces) ?? [])]));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await fetch(this.#resource, { method: 'DELETE' });
    this.#socket.close();
  }

  #field(name: string): string {
    return new RegExp(`^a=${name}:(.*)$`, 'm').exec(this.answer)?.[1]?.trim() ?? '';
  }

  #shakeHands(ufrag: string, certificate: ReturnType<typeof makeCertificate>): void {
    const [algorithm = '', value = ''] = this.#field('fingerprint').split(' ');
    const request = {
      type: STUN_TYPE.bindingRequest,
      username: `${this.#field('ice-ufrag')}:${ufrag}`,
      useCandidate: true,
      priority: 1,
      role: { kind: 'controlling', tieBreaker: 1n },
    } as const;
    const ask = () => this.#send(writeStun({ ...request, transaction: randomBytes(12) }, this.#field('ice-pwd')));
    const dtls = new DtlsEndpoint({
      role: 'client',
      certificate,
      remoteFingerprint: { algorithm, value },
      random: randomBytes,
      send: this.#send,
      connected: ({ profile, localKey, localSalt, remoteKey, remoteSalt }) => {
        this.#receiver = new SrtpReceiver({ profile, key: remoteKey, salt: remoteSalt });
        this.#sender = new SrtpSender({ profile, key: localKey, salt: localSalt });
      },
      closed: () => undefined,
    });
    this.#timer = setInterval(() => {
      if (dtls.state === 'new') ask();
      dtls.tick(performance.now());
    }, TICK_MS);
    this.#socket.on('message', (datagram) => {
      if (isStun(datagram)) dtls.start(performance.now());
      else if (isDtls(datagram)) dtls.receive(datagram, performance.now());
      else if (!isRtcp(datagram) && this.#receiver !== undefined) this.got.push(this.#receiver.open(datagram));
    });
    ask();
  }
}
