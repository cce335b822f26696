import { askIceServers, endSession, type SdpEndpoint, sendOffer, takeAnswer } from '../webrtc/sdp-exchange.js';
import { preferH264, preferStereo } from './encoding.js';

export type TrackKind = 'video' | 'audio';

/** One of the media that are sent. */
export interface SentTrack {
  readonly track: MediaStreamTrack;
  readonly encoding: RTCRtpEncodingParameters;
}

/** What is sent. */
export interface SentMedia {
  readonly video: SentTrack | undefined;
  readonly audio: SentTrack | undefined;
  /** Stereo without pauses. */
  readonly music: boolean;
}

/** Why a connection is of no use (any more), beside what `SdpExchangeError` tells. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: 'no-h264' | 'no-connection' | 'lost';

  constructor(code: ConnectionError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface ConnectionEvents {
  readonly connected: () => void;
  /** Comes once, and nothing after it. */
  readonly failed: (error: Error) => void;
}

/** Through a relay it takes a little. */
const CONNECT_TIMEOUT_MS = 15_000;
/** A path that is interrupted often comes back by itself. */
const INTERRUPTION_MS = 5000;

/** One session of WHIP (RFC 9725), from its offer to its end. */
export class WhipConnection {
  readonly #endpoint: SdpEndpoint;
  readonly #events: ConnectionEvents;
  readonly #abort = new AbortController();
  readonly #senders = new Map<TrackKind, RTCRtpSender>();
  #timer: ReturnType<typeof setTimeout>;
  #peer: RTCPeerConnection | undefined;
  #resource: string | undefined;

  constructor(endpoint: SdpEndpoint, media: SentMedia, events: ConnectionEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
    const tooLate = new ConnectionError('no-connection', `no connection came about in ${CONNECT_TIMEOUT_MS / 1000} s`);
    this.#timer = setTimeout(() => this.#fail(tooLate), CONNECT_TIMEOUT_MS);
    this.#open(media).catch((error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))));
  }

  /** Whether a track of this kind can be exchanged for another without a new session. */
  sends(kind: TrackKind): boolean {
    return this.#senders.has(kind);
  }

  /** Sends another track in place of the one before. Only of a kind that it `sends`. */
  async replace(kind: TrackKind, { track, encoding }: SentTrack): Promise<void> {
    const sender = this.#senders.get(kind);
    await sender?.replaceTrack(track);
    await this.encode(kind, encoding);
  }

  /** Changes what the encoder may spend. */
  async encode(kind: TrackKind, encoding: RTCRtpEncodingParameters): Promise<void> {
    const sender = this.#senders.get(kind);
    if (sender === undefined) return;
    const parameters = sender.getParameters();
    for (const own of parameters.encodings) Object.assign(own, encoding);
    await sender.setParameters(parameters);
  }

  /** @returns undefined before there is a connection */
  async statistics(): Promise<RTCStatsReport | undefined> {
    return this.#peer?.getStats();
  }

  /** Ends it, at the server too. Resolves when the server has been told. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    const told = this.#resource === undefined ? undefined : endSession(this.#resource, this.#endpoint);
    this.#peer?.close();
    await told;
  }

  async #open({ video, audio, music }: SentMedia): Promise<void> {
    const { signal } = this.#abort;
    const iceServers = await askIceServers(this.#endpoint, signal);
    signal.throwIfAborted();
    const peer = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' });
    this.#peer = peer;
    peer.addEventListener('connectionstatechange', () => this.#stateChanged(peer));
    const stream = new MediaStream();
    if (video !== undefined) this.#addVideo(peer, stream, video);
    if (audio !== undefined) this.#add(peer, stream, 'audio', audio);
    const adapt = music ? preferStereo : (sdp: string) => sdp;
    const answer = await sendOffer(peer, this.#endpoint, signal, adapt);
    this.#resource = answer.resource;
    await takeAnswer(peer, adapt(answer.sdp));
  }

  #add(peer: RTCPeerConnection, stream: MediaStream, kind: TrackKind, { track, encoding }: SentTrack) {
    const init: RTCRtpTransceiverInit = { direction: 'sendonly', streams: [stream], sendEncodings: [encoding] };
    const transceiver = peer.addTransceiver(track, init);
    this.#senders.set(kind, transceiver.sender);
    return transceiver;
  }

  #addVideo(peer: RTCPeerConnection, stream: MediaStream, sent: SentTrack): void {
    const codecs = preferH264(RTCRtpSender.getCapabilities('video')?.codecs ?? []);
    if (codecs === undefined) throw new ConnectionError('no-h264', 'this browser cannot send H.264');
    this.#add(peer, stream, 'video', sent).setCodecPreferences(codecs);
  }

  #stateChanged({ connectionState }: RTCPeerConnection): void {
    if (this.#abort.signal.aborted) return;
    const lost = new ConnectionError('lost', 'the connection was lost');
    if (connectionState === 'connected') {
      clearTimeout(this.#timer);
      this.#events.connected();
    } else if (connectionState === 'disconnected') {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#fail(lost), INTERRUPTION_MS);
    } else if (connectionState === 'failed' || connectionState === 'closed') this.#fail(lost);
  }

  #fail(error: Error): void {
    if (this.#abort.signal.aborted) return;
    void this.close();
    this.#events.failed(error);
  }
}
