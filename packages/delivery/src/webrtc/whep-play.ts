import { randomBytes, randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission, Gate, Logger, OutputKind, Stream, StreamRouter } from '@sluice/core';
import { MOST_SDP_BYTES, type Offer, type Peer, readOffer, WebRtcError, type WebRtcServer } from '@sluice/webrtc';
import { type MediaRequest, playRequestOf } from '../http/media-request.js';
import { sendError, sendRefusal } from '../http/responses.js';
import { join } from '../tags/join.js';
import { type RtpOutput, rtpTracks } from './rtp-output.js';
import { RtpViewer } from './rtp-viewer.js';
import { chooseMedia } from './whep-media.js';

export interface WhepOptions {
  readonly gate: Gate;
  readonly router: StreamRouter;
  readonly server: WebRtcServer;
  readonly kind: OutputKind<RtpOutput>;
  readonly log: Logger;
  /** ms since 1970. */
  readonly wallClock: () => number;
}

/** How long a body may take to come. */
const BODY_TIMEOUT_MS = 5000;

/** A body that can't be taken, with the status that says so. */
class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Plays streams over WebRTC: WHEP, by which a player's offer is answered in one request. */
export class WhepPlay {
  readonly #options: WhepOptions;
  /** By a name that only the player knows. */
  readonly #peers = new Map<string, Peer>();

  constructor(options: WhepOptions) {
    this.#options = options;
  }

  /**
   * Answers an offer. Never rejects for what a client does.
   *
   * @param locationOf the URL by which the session can be ended
   */
  async offer(
    request: MediaRequest,
    response: ServerResponse,
    path: string,
    locationOf: (id: string) => string,
  ): Promise<void> {
    const left = new AbortController();
    const leave = () => left.abort();
    request.message.socket.once('close', leave);
    try {
      const offer = readOffer(await readSdp(request.message));
      const { admission, stream } = await join(playRequestOf(request, 'webrtc', path), this.#options, left.signal);
      this.#answer(response, offer, admission, stream, locationOf);
    } catch (error) {
      if (error instanceof BodyError) sendError(response, error.status, 'bad-body', error.message);
      else if (error instanceof WebRtcError) sendError(response, 400, 'bad-sdp', error.message);
      else sendRefusal(response, error);
    } finally {
      request.message.socket.off('close', leave);
    }
  }

  /** Ends a session, by the name that its player was told. */
  end(response: ServerResponse, id: string): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) {
      sendError(response, 404, 'not-found', 'there is no such session (any more)');
      return;
    }
    peer.close('the player has left');
    response.writeHead(200).end();
  }

  /** A lite agent needs no candidates of its peer: they are taken note of by nobody. */
  trickle(response: ServerResponse, id: string): void {
    if (this.#peers.has(id)) response.writeHead(204).end();
    else sendError(response, 404, 'not-found', 'there is no such session (any more)');
  }

  #answer(
    response: ServerResponse,
    offer: Offer,
    admission: Admission,
    stream: Stream,
    locationOf: (id: string) => string,
  ): void {
    const { server, kind, log, wallClock } = this.#options;
    const { session } = admission;
    const { answered, legs } = chooseMedia(offer, rtpTracks(stream.description), randomInt);
    if (legs.length === 0) {
      admission.close('nothing to play');
      const codecs = stream.description.tracks.map(({ codec }) => codec).join(' and ') || 'nothing yet';
      sendError(response, 406, 'no-common-codec', `by WebRTC go h264 and opus; the stream has ${codecs}`);
      return;
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
    viewer = new RtpViewer({ peer, legs, random: randomInt, wallClock, onEnd: (reason) => peer.close(reason) });
    const watching = viewer;
    admission.bind({
      cut: (reason) => peer.close(reason),
      traffic: () => ({ received: 0, sent: watching.bytes }),
      transport: () => watching.figures(),
    });
    this.#peers.set(id, peer);
    response.writeHead(201, {
      'Content-Type': 'application/sdp',
      Location: locationOf(id),
      ETag: `"${id.slice(0, 8)}"`,
      'Access-Control-Expose-Headers': 'Location, ETag',
      'Cache-Control': 'no-store',
    });
    response.end(peer.answer);
  }
}

/** @throws {BodyError} */
async function readSdp(message: IncomingMessage): Promise<string> {
  const [type = ''] = (message.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/sdp') throw new BodyError(415, 'send an offer as application/sdp');
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => message.destroy(new BodyError(408, 'the offer took too long')), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MOST_SDP_BYTES) throw new BodyError(413, `an offer has at most ${MOST_SDP_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyError) throw error;
    throw new BodyError(400, 'the offer was cut off');
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
