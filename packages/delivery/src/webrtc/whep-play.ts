import { randomBytes, randomInt } from 'node:crypto';
import type { AccessRequest, Admission, Gate, Logger, OutputKind, Stream, StreamRouter } from '@sluice/core';
import { type Offer, type Peer, readOffer, WebRtcError, type WebRtcServer } from '@sluice/webrtc';
import type { SdpHandler } from '../http/sdp-exchange.js';
import { join } from '../tags/join.js';
import { type RtpOutput, rtpTracks } from './rtp-output.js';
import { RtpViewer } from './rtp-viewer.js';
import { chooseMedia } from './whep-media.js';

export interface WhepOptions {
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly server: WebRtcServer;
  readonly kind: OutputKind<RtpOutput>;
  /** Whether sound can be turned into Opus. */
  readonly canConvert: boolean;
  readonly log: Logger;
  /** ms since 1970. */
  readonly wallClock: () => number;
}

/** Plays streams over WebRTC. */
export class WhepPlay implements SdpHandler {
  readonly #options: WhepOptions;
  /** By a name that only the player knows. */
  readonly #peers = new Map<string, Peer>();

  constructor(options: WhepOptions) {
    this.#options = options;
  }

  async offer(sdp: string, asked: AccessRequest, signal: AbortSignal): Promise<{ id: string; answer: string }> {
    const offer = readOffer(sdp);
    const { admission, stream } = await join(asked, this.#options, signal);
    try {
      return this.#open(offer, admission, stream);
    } catch (error) {
      admission.close('nothing to play');
      throw error;
    }
  }

  has(id: string): boolean {
    return this.#peers.has(id);
  }

  end(id: string): boolean {
    const peer = this.#peers.get(id);
    peer?.close('the player has left');
    return peer !== undefined;
  }

  #open(offer: Offer, admission: Admission, stream: Stream): { id: string; answer: string } {
    const { server, kind, canConvert, log, wallClock } = this.#options;
    const { session } = admission;
    const { answered, legs } = chooseMedia(offer, rtpTracks(stream.description, canConvert), randomInt);
    if (legs.length === 0) {
      const codecs = stream.description.tracks.map(({ codec }) => codec).join(' and ') || 'nothing yet';
      const message = `h264 and opus can be played by WebRTC, if the offer has them; the stream is ${codecs}`;
      throw new WebRtcError('unsupported', message);
    }
    const id = randomBytes(16).toString('hex');
    let viewer: RtpViewer | undefined;
    let output: RtpOutput | undefined;
    const peer = server.open(offer, answered, {
      rtp: () => undefined,
      rtcp: (packets) => viewer?.receive(packets),
      connected: () => {
        log.debug({ session: session.id, path: session.path }, 'WebRTC viewer is connected');
        if (stream.ended || viewer === undefined) {
          peer.close('the stream has ended');
          return;
        }
        output = stream.output(kind);
        output.attach(viewer);
      },
      closed: (reason) => {
        this.#peers.delete(id);
        if (viewer !== undefined) output?.detach(viewer);
        admission.close(reason);
      },
    });
    const watching = new RtpViewer({ peer, legs, random: randomInt, wallClock, onEnd: (reason) => peer.close(reason) });
    viewer = watching;
    admission.bind({
      cut: (reason) => peer.close(reason),
      traffic: () => ({ received: 0, sent: watching.bytes }),
      transport: () => watching.figures(),
    });
    this.#peers.set(id, peer);
    return { id, answer: peer.answer };
  }
}
