import { randomBytes, randomInt } from 'node:crypto';
import {
  type AccessRequest,
  type Admission,
  type Gate,
  type Logger,
  messageOf,
  type Publication,
  Refusal,
  type StreamRouter,
} from '@sluice/core';
import type { Ssrc } from '@sluice/rtp';
import {
  type AnsweredMedia,
  type Offer,
  type OfferedCodec,
  type OfferedMedia,
  type Peer,
  readOffer,
  WebRtcError,
  type WebRtcServer,
} from '@sluice/webrtc';
import { RtpIngest } from './rtp-ingest.js';
import type { RtpLegTerms } from './rtp-leg.js';

export interface WhipOptions {
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly server: WebRtcServer;
  readonly log: Logger;
}

const TICK_MS = 20;
/** As the other ways in number them. */
const TRACK = { video: 1, audio: 2 } as const;

/** Takes streams over WebRTC: WHIP, RFC 9725. */
export class WhipPublish {
  readonly #options: WhipOptions;
  /** By a name that only the publisher knows. */
  readonly #peers = new Map<string, Peer>();

  constructor(options: WhipOptions) {
    this.#options = options;
  }

  /**
   * Answers an offer. The stream begins when the peer has connected.
   *
   * @throws {WebRtcError} `malformed`, or `unsupported` where nothing of it is possible
   * @throws {Refusal}
   */
  async offer(sdp: string, asked: AccessRequest): Promise<{ id: string; answer: string }> {
    const offer = readOffer(sdp);
    const { answered, legs } = chooseMedia(offer);
    if (legs.length === 0)
      throw new WebRtcError('unsupported', 'h264 and opus can be published; the offer sends neither');
    const admission = await this.#options.gate.admit(asked);
    try {
      this.#checkFree(admission);
      return this.#open(offer, answered, legs, admission);
    } catch (error) {
      admission.close(messageOf(error));
      throw error;
    }
  }

  has(id: string): boolean {
    return this.#peers.has(id);
  }

  /** @returns false where there is no such session */
  end(id: string): boolean {
    const peer = this.#peers.get(id);
    peer?.close('the publisher has left');
    return peer !== undefined;
  }

  /** Who would be refused in the end is told at once. */
  #checkFree({ session: { path } }: Admission): void {
    const { router } = this.#options;
    const holder = router.publisherOf(path);
    if (holder !== undefined && router.find(path)?.settings.publish.takeover === 'refuse') {
      throw new Refusal('already-publishing', `${path} is being published from ${holder.ip}`);
    }
  }

  #open(
    offer: Offer,
    answered: readonly (AnsweredMedia | undefined)[],
    legs: readonly RtpLegTerms[],
    admission: Admission,
  ): { id: string; answer: string } {
    const { server, router, log } = this.#options;
    const { session } = admission;
    const began = performance.now();
    const now = () => performance.now() - began;
    let publication: Publication | undefined;
    const ingest = new RtpIngest({
      legs,
      ownSsrc: randomInt(1, 0xffff_ffff) as Ssrc,
      emit: (event) => publication?.write(event),
      sendRtcp: (packets) => peer.sendRtcp(packets),
    });
    let timer: NodeJS.Timeout | undefined;
    const id = randomBytes(16).toString('hex');
    const peer = server.open(offer, answered, {
      rtp: (packet) => ingest.rtp(packet, now()),
      rtcp: (packets) => ingest.rtcp(packets, now()),
      connected: () => {
        try {
          publication = router.publish(session, (reason) => peer.close(reason));
        } catch (error) {
          peer.close(messageOf(error));
          return;
        }
        timer = setInterval(() => ingest.tick(now()), TICK_MS);
        log.info({ session: session.id, path: session.path, ip: session.ip }, 'publishing began');
      },
      closed: (reason) => {
        clearInterval(timer);
        this.#peers.delete(id);
        ingest.end();
        publication?.end(reason);
        admission.close(reason);
      },
    });
    admission.bind({
      cut: (reason) => peer.close(reason),
      traffic: () => ({ received: ingest.bytes, sent: 0 }),
    });
    this.#peers.set(id, peer);
    return { id, answer: peer.answer };
  }
}

/** The first picture and the first sound that are offered in a codec that is understood. */
function chooseMedia(offer: Offer): { answered: (AnsweredMedia | undefined)[]; legs: RtpLegTerms[] } {
  const legs: RtpLegTerms[] = [];
  const answered = offer.media.map((offered): AnsweredMedia | undefined => {
    const kind = offered.kind === 'video' || offered.kind === 'audio' ? offered.kind : undefined;
    const isTaken = legs.some((leg) => leg.kind === kind);
    const codec = offered.codecs.find((candidate) => isUnderstood(candidate, kind));
    if (kind === undefined || isTaken || codec === undefined || !gives(offered)) return undefined;
    const { payloadType, retransmission: retransmissionType, clockRate } = codec;
    legs.push({ kind, track: TRACK[kind], payloadType, retransmissionType, clockRate });
    return { offered, direction: 'recvonly', codec, extensions: [] };
  });
  return { answered, legs };
}

const gives = ({ direction, rtcpMux }: OfferedMedia): boolean =>
  rtcpMux && (direction === 'sendonly' || direction === 'sendrecv');

function isUnderstood({ name, parameters, clockRate }: OfferedCodec, kind: 'video' | 'audio' | undefined): boolean {
  if (kind === 'audio') return name.toLowerCase() === 'opus' && clockRate === 48_000;
  return name.toUpperCase() === 'H264' && parameters.get('packetization-mode') === '1' && clockRate === 90_000;
}
