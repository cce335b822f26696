import { askIceServers, endSession, SdpExchangeError, sendOffer, takeAnswer } from '../webrtc/sdp-exchange.js';
import type { Engine, EngineFigures, EngineSource } from './engine.js';
import { type PeerCounts, type PeerFigures, peerCounts, peerFigures } from './peer-figures.js';

/** Browsers on the same network find each other at once; through a relay it takes a little. */
const CONNECT_TIMEOUT_MS = 6000;
const LOOK_MS = 1000;

/** WebRTC by WHEP: less than a second behind. */
export class WhepEngine implements Engine {
  readonly latencyBasis = 'network';
  readonly followsEdge = true;
  /** The server begins with the next keyframe. */
  readonly patience = { firstPicture: 15_000, nextPicture: 6000 };
  readonly qualities = [];
  readonly #video: HTMLVideoElement;
  readonly #source: EngineSource;
  readonly #stream = new MediaStream();
  readonly #abort = new AbortController();
  readonly #timeout: number;
  #peer: RTCPeerConnection | undefined;
  #resource: string | undefined;
  #counts: PeerCounts | undefined;
  #figures: PeerFigures | undefined;
  #latencySeconds: number | undefined;
  #look: number | undefined;

  constructor(source: EngineSource) {
    this.#video = source.video;
    this.#source = source;
    this.#timeout = window.setTimeout(() => this.#fail('no connection came about'), CONNECT_TIMEOUT_MS);
    this.#video.srcObject = this.#stream;
    void this.#connect();
  }

  chooseQuality(): void {}

  /** The media time goes on by itself, also when nothing comes. Pages that nobody sees are shown no pictures. */
  progress(): number {
    const hasPicture = this.#source.tracks.some(({ kind }) => kind === 'video');
    if (!hasPicture || document.hidden) return this.#video.currentTime;
    // The first picture may be a still, to look at until the stream's next keyframe.
    return Math.max(1, this.#video.getVideoPlaybackQuality().totalVideoFrames);
  }

  latency(): number | undefined {
    return this.#latencySeconds;
  }

  figures(): EngineFigures {
    return this.#figures ?? {};
  }

  livePosition(): number | undefined {
    return undefined;
  }

  destroy(): void {
    clearTimeout(this.#timeout);
    clearInterval(this.#look);
    this.#abort.abort();
    this.#video.srcObject = null;
    const peer = this.#peer;
    if (this.#resource === undefined) peer?.close();
    // Closed first, there would be nothing left to end.
    else void endSession(this.#resource, { url: this.#source.url }).finally(() => peer?.close());
  }

  async #connect(): Promise<void> {
    const { url, tracks } = this.#source;
    const { signal } = this.#abort;
    try {
      const iceServers = await askIceServers({ url }, signal);
      signal.throwIfAborted();
      const peer = new RTCPeerConnection({ iceServers });
      this.#peer = peer;
      for (const { kind } of tracks) peer.addTransceiver(kind, { direction: 'recvonly' });
      peer.addEventListener('track', ({ track }) => this.#stream.addTrack(track));
      peer.addEventListener('connectionstatechange', () => this.#stateChanged(peer));
      const answer = await sendOffer(peer, { url }, signal);
      this.#resource = answer.resource;
      await takeAnswer(peer, answer.sdp);
      signal.throwIfAborted();
      this.#look = window.setInterval(() => void this.#measure(peer), LOOK_MS);
    } catch (error) {
      this.#fail(
        error instanceof Error ? error.message : String(error),
        error instanceof SdpExchangeError ? error.status : undefined,
      );
    }
  }

  async #measure(peer: RTCPeerConnection): Promise<void> {
    const counts = peerCounts((await peer.getStats()).values(), performance.now());
    if (this.#counts !== undefined) this.#figures = peerFigures(this.#counts, counts);
    // Without a picture in that second, the last one tells.
    this.#latencySeconds = this.#figures?.latencySeconds ?? this.#latencySeconds;
    this.#counts = counts;
  }

  #stateChanged({ connectionState }: RTCPeerConnection): void {
    if (connectionState === 'connected') clearTimeout(this.#timeout);
    if (connectionState === 'failed' || connectionState === 'closed') this.#fail('the connection was closed');
  }

  #fail(reason: string, httpStatus?: number): void {
    clearTimeout(this.#timeout);
    if (!this.#abort.signal.aborted) this.#source.events.failed({ reason, httpStatus });
  }
}
