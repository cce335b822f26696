import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type DtlsCertificate, DtlsEndpoint, isDtls, isStun, STUN_TYPE, writeStun } from '@sluice/webrtc';

/** What a viewer has got. */
export interface WhepCounts {
  readonly packets: number;
  readonly bytes: number;
  /** Gaps in the numbers of the video's packets. */
  readonly lost: number;
}

const REPEAT_MS = 100;
const CONNECT_TIMEOUT_MS = 10_000;
/** Consent is asked for as browsers do, every few seconds. */
const CONSENT_MS = 4000;

/** A viewer of the bench: connects as a browser does, and then only counts what comes. */
export class WhepClient {
  readonly #socket: Socket;
  readonly #resource: string;
  #packets = 0;
  #bytes = 0;
  #lost = 0;
  #last: number | undefined;
  #consent: NodeJS.Timeout | undefined;

  private constructor(socket: Socket, resource: string) {
    this.#socket = socket;
    this.#resource = resource;
  }

  /** @throws where the server refuses, or the connection doesn't come about */
  static async connect(url: string, certificate: DtlsCertificate): Promise<WhepClient> {
    const ufrag = randomBytes(4).toString('hex');
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp' },
      body: offerOf(ufrag, certificate.fingerprint),
    });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${url}: ${response.status} ${answer}`);
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const client = new WhepClient(socket, new URL(response.headers.get('Location') ?? '', url).href);
    try {
      await client.#shakeHands(answer, ufrag, certificate);
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  get counts(): WhepCounts {
    return { packets: this.#packets, bytes: this.#bytes, lost: this.#lost };
  }

  async close(): Promise<void> {
    clearInterval(this.#consent);
    await fetch(this.#resource, { method: 'DELETE' }).catch(() => undefined);
    this.#socket.close();
  }

  async #shakeHands(answer: string, ufrag: string, certificate: DtlsCertificate): Promise<void> {
    const field = (name: string) => new RegExp(`^a=${name}:(.*)$`, 'm').exec(answer)?.[1]?.trim() ?? '';
    const [, , , , address = '127.0.0.1', port = '0'] = field('candidate').split(' ');
    const [algorithm = '', value = ''] = field('fingerprint').split(' ');
    const send = (datagram: Buffer) => this.#socket.send(datagram, Number(port), address);
    const ask = () =>
      send(
        writeStun(
          {
            type: STUN_TYPE.bindingRequest,
            transaction: randomBytes(12),
            username: `${field('ice-ufrag')}:${ufrag}`,
            useCandidate: true,
            priority: 1,
            role: { kind: 'controlling', tieBreaker: 1n },
          },
          field('ice-pwd'),
        ),
      );
    let repeat: NodeJS.Timeout | undefined;
    await new Promise<void>((connected, failed) => {
      const began = performance.now();
      const dtls = new DtlsEndpoint({
        role: field('setup') === 'active' ? 'server' : 'client',
        certificate,
        remoteFingerprint: { algorithm, value },
        random: randomBytes,
        send,
        connected: () => connected(),
        closed: (reason) => failed(new Error(reason)),
      });
      repeat = setInterval(() => {
        if (dtls.state === 'new') ask();
        dtls.tick(performance.now());
        const waited = performance.now() - began;
        if (waited > CONNECT_TIMEOUT_MS) failed(new Error(`no connection in ${waited} ms; DTLS is ${dtls.state}`));
      }, REPEAT_MS);
      this.#socket.on('message', (datagram) => {
        if (isStun(datagram)) dtls.start(performance.now());
        else if (isDtls(datagram)) dtls.receive(datagram, performance.now());
        else this.#count(datagram);
      });
      ask();
    }).finally(() => clearInterval(repeat));
    this.#consent = setInterval(ask, CONSENT_MS);
  }

  #count(datagram: Buffer): void {
    const type = (datagram[1] ?? 0) & 0x7f;
    if (type !== VIDEO_TYPE) return;
    this.#packets += 1;
    this.#bytes += datagram.length;
    const sequence = datagram.readUInt16BE(2);
    const ahead = this.#last === undefined ? 1 : (sequence - this.#last) & 0xffff;
    if (ahead > 1 && ahead < 0x8000) this.#lost += ahead - 1;
    if (ahead < 0x8000) this.#last = sequence;
  }
}

/** Viewers that join one after the other. @param clients where they go */
export async function joinAll(
  clients: WhepClient[],
  viewers: number,
  url: string,
  certificate: DtlsCertificate,
): Promise<void> {
  while (clients.length < viewers) clients.push(await WhepClient.connect(url, certificate));
}

/** What all of them have got. */
export function totalOf(clients: readonly WhepClient[]): WhepCounts {
  const sums = { packets: 0, bytes: 0, lost: 0 };
  for (const { counts } of clients) {
    sums.packets += counts.packets;
    sums.bytes += counts.bytes;
    sums.lost += counts.lost;
  }
  return sums;
}

const VIDEO_TYPE = 96;

/** Video only: the sound would cost an ffmpeg, which is not what is measured. */
function offerOf(ufrag: string, fingerprint: string): string {
  const lines = [
    ...['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=group:BUNDLE 0'],
    ...[`m=video 9 UDP/TLS/RTP/SAVPF ${VIDEO_TYPE}`, 'c=IN IP4 0.0.0.0', 'a=mid:0', 'a=recvonly', 'a=rtcp-mux'],
    ...[`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${randomBytes(12).toString('hex')}`, 'a=setup:actpass'],
    ...[`a=fingerprint:sha-256 ${fingerprint}`, `a=rtpmap:${VIDEO_TYPE} H264/90000`],
    `a=fmtp:${VIDEO_TYPE} packetization-mode=1;profile-level-id=4d001f`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}
