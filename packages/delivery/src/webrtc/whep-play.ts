import { randomInt } from 'node:crypto';
import {
  type AccessRequest,
  type Admission,
  type Doorkeeper,
  type Logger,
  messageOf,
  type OutputKind,
  type Session,
  type StreamRouter,
} from '@sluice/core';
import {
  type AnnouncedAddress,
  type Offer,
  type Peer,
  type PeerHandler,
  readOffer,
  WebRtcError,
  type WebRtcServer,
} from '@sluice/webrtc';
import type { SdpHandler } from '../http/sdp/sdp-handler.js';
import { type RtpOutput, rtpCodecOf, rtpTracks } from './rtp-output.js';
import { RtpViewer } from './rtp-viewer.js';
import { chooseMedia, type WhepMedia, wantedMedia } from './whep-media.js';

export interface WhepOptions {
  readonly gate: Doorkeeper;
  readonly router: StreamRouter;
  readonly server: WebRtcServer;
  readonly kind: OutputKind<RtpOutput>;
  /** Whether sound can be turned into Opus. */
  readonly canConvert: boolean;
  readonly log: Logger;
  /** ms since 1970. */
  readonly wallClock: () => number;
  /** ms of a clock that only goes forward. */
  readonly now: () => number;
}

/** Plays streams over WebRTC. Who comes before the encoder is connected, and waits for it. */
export class WhepPlay implements SdpHandler {
  readonly #options: WhepOptions;

  constructor(options: WhepOptions) {
    this.#options = options;
  }

  async offer(sdp: string, asked: AccessRequest, announce?: readonly AnnouncedAddress[]): Promise<Peer> {
    const offer = readOffer(sdp);
    const admission = await this.#options.gate.admit(asked);
    try {
      await this.#fetched(admission);
      return this.#open(offer, this.#agree(offer, admission.session), admission, announce);
    } catch (error) {
      admission.close('nothing to play');
      throw error;
    }
  }

  /**
   * A stream that comes from elsewhere is waited for, so that the answer can be made for what it has.
   *
   * @throws {Refusal} where it doesn't come
   */
  async #fetched({ session }: Admission): Promise<void> {
    const { router } = this.#options;
    if (router.find(session.path) !== undefined || !router.canFetch(session.path)) return;
    await router.waitFor(session.path, new AbortController().signal, { viewer: session });
  }

  /** @throws {WebRtcError} `unsupported` */
  #agree(offer: Offer, { path }: Session): WhepMedia {
    const stream = this.#options.router.find(path);
    const tracks = stream === undefined ? [] : rtpTracks(stream.description, this.#options.canConvert);
    const media = chooseMedia(offer, wantedMedia(tracks), randomInt);
    const codecs = tracks.map(rtpCodecOf);
    const hasOwn = media.legs.some(({ codec }) => codecs.includes(codec));
    const isUnknown = stream === undefined || stream.description.tracks.length === 0;
    if (hasOwn || (isUnknown && media.legs.length > 0)) return media;
    const has = stream?.description.tracks.map(({ codec }) => codec).join(' and ') || 'not known yet';
    const message = `nothing of the stream is in the offer: the stream is ${has}`;
    throw new WebRtcError('unsupported', message);
  }

  #open(
    offer: Offer,
    { answered, legs }: WhepMedia,
    admission: Admission,
    announce: readonly AnnouncedAddress[] | undefined,
  ): Peer {
    const { server, log, wallClock, now } = this.#options;
    const { session } = admission;
    const left = new AbortController();
    let output: RtpOutput | undefined;
    const handler: PeerHandler = {
      rtp: () => undefined,
      rtcp: (packets) => viewer.receive(packets),
      connected: () => {
        log.debug({ session: session.id, path: session.path }, 'WebRTC viewer is connected');
        this.#watch(session, left.signal).then(
          (found) => {
            if (left.signal.aborted) return;
            output = found;
            found.attach(viewer);
          },
          (error: unknown) => peer.close(messageOf(error)),
        );
      },
      closed: (reason) => {
        left.abort();
        output?.detach(viewer);
        admission.close(reason);
      },
    };
    const peer: Peer = server.open(offer, answered, handler, announce);
    const viewer = new RtpViewer({
      peer,
      legs,
      random: randomInt,
      wallClock,
      now,
      onEnd: (reason) => peer.close(reason),
      onPictureLost: () => output?.requestKeyframe(),
    });
    admission.bind({
      cut: (reason) => peer.close(reason),
      traffic: () => ({ received: 0, sent: viewer.bytes }),
      transport: () => viewer.figures(),
    });
    return peer;
  }

  /** The stream's packets, as soon as there is a stream. Who waits costs next to nothing, and may wait for ever. */
  async #watch(viewer: Session, signal: AbortSignal): Promise<RtpOutput> {
    const { router, kind } = this.#options;
    const stream = await router.waitFor(viewer.path, signal, { forSeconds: Number.POSITIVE_INFINITY, viewer });
    return stream.output(kind);
  }
}
