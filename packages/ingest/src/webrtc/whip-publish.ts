import { randomInt } from 'node:crypto';
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
import { EXTENSION_URI, type Ssrc } from '@sluice/rtp';
import {
  type AnnouncedAddress,
  type AnsweredMedia,
  type Offer,
  type OfferedCodec,
  type OfferedMedia,
  type Peer,
  type PeerHandler,
  readOffer,
  transportSequenceIdOf,
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

/** What of an offer is taken. */
interface WhipMedia {
  /** In the order of the offer. */
  readonly answered: readonly (AnsweredMedia | undefined)[];
  readonly legs: readonly RtpLegTerms[];
}

const TICK_MS = 20;
/** As the other ways in number them. */
const TRACK = { video: 1, audio: 2 } as const;

/** Takes streams over WebRTC: WHIP, RFC 9725. */
export class WhipPublish {
  readonly #options: WhipOptions;

  constructor(options: WhipOptions) {
    this.#options = options;
  }

  /**
   * Answers an offer. The stream begins when the peer has connected.
   *
   * @param announce addresses that the publisher is told instead of the usual ones
   * @throws {WebRtcError} `malformed`, or `unsupported` where nothing of it is possible
   * @throws {Refusal}
   */
  async offer(sdp: string, asked: AccessRequest, announce?: readonly AnnouncedAddress[]): Promise<Peer> {
    const offer = readOffer(sdp);
    const { answered, legs } = chooseMedia(offer);
    if (legs.length === 0)
      throw new WebRtcError('unsupported', 'h264 and opus can be published; the offer sends neither');
    const admission = await this.#options.gate.admit(asked);
    try {
      this.#checkFree(admission);
      return this.#open(offer, { answered, legs }, admission, announce);
    } catch (error) {
      admission.close(messageOf(error));
      throw error;
    }
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
    { answered, legs }: WhipMedia,
    admission: Admission,
    announce: readonly AnnouncedAddress[] | undefined,
  ): Peer {
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
    const handler: PeerHandler = {
      rtp: (packet) => ingest.rtp(packet, now()),
      rtcp: (packets) => ingest.rtcp(packets, now()),
      connected: () => {
        try {
          publication = router.publish(session, {
            cut: (reason) => peer.close(reason),
            requestKeyframe: () => ingest.requestKeyframe(),
          });
        } catch (error) {
          peer.close(messageOf(error));
          return;
        }
        timer = setInterval(() => ingest.tick(now()), TICK_MS);
        log.info({ session: session.id, path: session.path, ip: session.ip }, 'publishing began');
      },
      closed: (reason) => {
        clearInterval(timer);
        ingest.end();
        publication?.end(reason);
        admission.close(reason);
      },
    };
    const peer: Peer = server.open(offer, answered, handler, announce);
    admission.bind({
      cut: (reason) => peer.close(reason),
      traffic: () => ({ received: ingest.bytes, sent: 0 }),
    });
    return peer;
  }
}

/** The first picture and the first sound that are offered in a codec that is understood. */
function chooseMedia(offer: Offer): WhipMedia {
  const legs: RtpLegTerms[] = [];
  const answered = offer.media.map((offered): AnsweredMedia | undefined => {
    const kind = offered.kind === 'video' || offered.kind === 'audio' ? offered.kind : undefined;
    const isTaken = legs.some((leg) => leg.kind === kind);
    const codec = offered.codecs.find((candidate) => isUnderstood(candidate, kind));
    if (kind === undefined || isTaken || codec === undefined || !gives(offered)) return undefined;
    const { payloadType, retransmission: retransmissionType, clockRate } = codec;
    const transportSequenceId = transportSequenceIdOf(offered, codec);
    const extensions = transportSequenceId === undefined ? [] : [EXTENSION_URI.transportSequence];
    legs.push({ kind, track: TRACK[kind], payloadType, retransmissionType, clockRate, transportSequenceId });
    return { offered, direction: 'recvonly', codec, extensions };
  });
  return { answered, legs };
}

const gives = ({ direction, rtcpMux }: OfferedMedia): boolean =>
  rtcpMux && (direction === 'sendonly' || direction === 'sendrecv');

function isUnderstood({ name, parameters, clockRate }: OfferedCodec, kind: 'video' | 'audio' | undefined): boolean {
  if (kind === 'audio') return name.toLowerCase() === 'opus' && clockRate === 48_000;
  return name.toUpperCase() === 'H264' && parameters.get('packetization-mode') === '1' && clockRate === 90_000;
}
