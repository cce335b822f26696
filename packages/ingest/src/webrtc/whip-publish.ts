import { randomInt } from 'node:crypto';
import {
  type AccessRequest,
  type Admission,
  type Doorkeeper,
  type Logger,
  messageOf,
  type Publication,
  Refusal,
  type StreamRouter,
} from '@sluice/core';
import type { Ssrc } from '@sluice/rtp';
import {
  type AnnouncedAddress,
  type Offer,
  type Peer,
  type PeerHandler,
  readOffer,
  WebRtcError,
  type WebRtcServer,
} from '@sluice/webrtc';
import { RtpIngest } from './rtp-ingest.js';
import { chooseMedia, type WhipMedia } from './whip-media.js';

export interface WhipOptions {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly server: WebRtcServer;
  readonly log: Logger;
}

const TICK_MS = 20;

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
    const media = chooseMedia(offer, asked.query.get('vcodec') ?? undefined);
    if (media.legs.length === 0) {
      const possible = 'H.264, HEVC, VP8, VP9, AV1 and Opus can be published';
      throw new WebRtcError('unsupported', `${possible}; the offer sends none of them`);
    }
    const admission = await this.#options.gate.admit(asked);
    try {
      this.#checkFree(admission);
      return this.#open(offer, media, admission, announce);
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
      onUnreadable: ({ codec }, reason) =>
        log.warn({ session: session.id, path: session.path, codec, reason }, 'what is published can not be read'),
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
