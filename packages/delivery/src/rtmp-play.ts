import {
  type Admission,
  credentialsOf,
  type Doorkeeper,
  type FanOutContext,
  type Logger,
  Refusal,
  type Stream,
  type StreamRouter,
} from '@sluice/core';
import { type RtmpPlayer, type RtmpPlayOutput, RtmpRefusal, type RtmpStreamRequest } from '@sluice/rtmp';
import { rtmpFraming } from './tags/framing.js';
import { join } from './tags/join.js';
import { type Playback, play } from './tags/playback.js';
import { type MediaSelection, selectionOf } from './tags/selection.js';
import { TagOutputs } from './tags/tag-outputs.js';

/** Answers RTMP `play`: admits the viewer, waits for the stream, and attaches it to the shared RTMP output. */
export class RtmpPlay {
  readonly #context: { readonly gate: Doorkeeper; readonly router: StreamRouter };
  readonly #outputs: TagOutputs;

  constructor(options: {
    gate: Doorkeeper;
    router: StreamRouter;
    context: FanOutContext;
    chunkSize: number;
    log: Logger;
  }) {
    this.#context = options;
    this.#outputs = new TagOutputs({
      name: 'rtmp',
      framing: rtmpFraming({ chunkSize: options.chunkSize, messageStreamId: 1 }),
      context: options.context,
      log: options.log,
    });
  }

  /** @throws {RtmpRefusal} when the gate says no, or the stream isn't live and doesn't become so in time */
  async play(request: RtmpStreamRequest): Promise<RtmpPlayer> {
    const { connection, app, stream: name, query, signal } = request;
    const asked = {
      action: 'play',
      protocol: connection.encrypted ? 'rtmps' : 'rtmp',
      path: `${app}/${name}`,
      ip: connection.remoteAddress,
      userAgent: connection.flashVer,
      credentials: credentialsOf(query),
      query,
      client: { tcUrl: connection.tcUrl, pageUrl: connection.pageUrl, swfUrl: connection.swfUrl },
    } as const;
    try {
      const { admission, stream } = await join(asked, this.#context, signal);
      return this.#player(stream, selectionOf(query), admission);
    } catch (error) {
      return refuse(error, connection.encrypted);
    }
  }

  #player(stream: Stream, asked: MediaSelection, admission: Admission): RtmpPlayer {
    let playback: Playback | undefined;
    const output = (selection: MediaSelection) => stream.output(this.#outputs.kind(selection));
    return {
      start: (to: RtmpPlayOutput) => {
        playback = play(output(asked), to.socket, admission, (end) => {
          if (end.clean) to.end(end.reason);
          else to.socket.destroy();
        });
      },
      receive: (audio, video) =>
        playback?.switchTo(output({ audio: asked.audio && audio, video: asked.video && video })),
      closed: (reason) => {
        if (playback === undefined) admission.close(reason);
        else playback.stop(reason);
      },
    };
  }
}

function refuse(error: unknown, encrypted: boolean): never {
  if (!(error instanceof Refusal)) throw error;
  const code = error.code === 'not-live' ? 'NetStream.Play.StreamNotFound' : 'NetStream.Play.Failed';
  const redirect = encrypted ? error.elsewhere('rtmps') : error.elsewhere('rtmp', 'rtmps');
  throw new RtmpRefusal(code, error.message, { redirect });
}
