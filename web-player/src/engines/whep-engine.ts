import type { Engine, EngineSource } from './engine.js';

/** Browsers on the same network find each other at once; through a relay it takes a little. */
const CONNECT_TIMEOUT_MS = 10_000;

/** WebRTC by WHEP: less than a second behind. */
export class WhepEngine implements Engine {
  readonly latencyBasis = 'buffered-edge';
  readonly followsEdge = true;
  /** The server begins with the next keyframe. */
  readonly patience = { firstPicture: 15_000, nextPicture: 6000 };
  readonly qualities = [];
  readonly #video: HTMLVideoElement;
  readonly #peer = new RTCPeerConnection();
  readonly #abort = new AbortController();
  readonly #events: EngineSource['events'];
  readonly #timeout: number;
  #resource: string | undefined;

  constructor({ video, url, tracks, events }: EngineSource) {
    this.#video = video;
    this.#events = events;
    const stream = new MediaStream();
    for (const { kind } of tracks) this.#peer.addTransceiver(kind, { direction: 'recvonly' });
    this.#peer.addEventListener('track', ({ track }) => stream.addTrack(track));
    this.#peer.addEventListener('connectionstatechange', () => this.#stateChanged());
    this.#timeout = window.setTimeout(() => this.#fail('no connection came about'), CONNECT_TIMEOUT_MS);
    video.srcObject = stream;
    void this.#connect(url);
  }

  chooseQuality(): void {}

  /** What is played is what has just come; how long it was under way, nobody tells. */
  latency(): number | undefined {
    return undefined;
  }

  livePosition(): number | undefined {
    return undefined;
  }

  destroy(): void {
    clearTimeout(this.#timeout);
    this.#abort.abort();
    this.#peer.close();
    this.#video.srcObject = null;
    const resource = this.#resource;
    if (resource !== undefined) void fetch(resource, { method: 'DELETE', keepalive: true }).catch(() => undefined);
  }

  async #connect(url: string): Promise<void> {
    try {
      await this.#peer.setLocalDescription(await this.#peer.createOffer());
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/sdp' },
        body: this.#peer.localDescription?.sdp ?? '',
        signal: this.#abort.signal,
      });
      if (response.status !== 201) {
        this.#fail('the server refused', response.status);
        return;
      }
      const location = response.headers.get('Location');
      this.#resource = location === null ? undefined : new URL(location, url).href;
      await this.#peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    } catch (error) {
      if (!this.#abort.signal.aborted) this.#fail(error instanceof Error ? error.message : String(error));
    }
  }

  #stateChanged(): void {
    const { connectionState } = this.#peer;
    if (connectionState === 'connected') clearTimeout(this.#timeout);
    if (connectionState === 'failed' || connectionState === 'closed') this.#fail('the connection was closed');
  }

  #fail(reason: string, httpStatus?: number): void {
    clearTimeout(this.#timeout);
    if (!this.#abort.signal.aborted) this.#events.failed({ reason, httpStatus });
  }
}
