import { credentialsOf, type Doorkeeper, type Logger, type Publishing, Refusal } from '@sluice/core';
import { FlvSampleReader } from '@sluice/media';
import {
  type RtmpConnectionControl,
  type RtmpPublisher,
  RtmpRefusal,
  type RtmpRefusalCode,
  type RtmpStreamRequest,
} from '@sluice/rtmp';

/** Answers RTMP `publish`: admits the encoder and turns its messages into samples. */
export class RtmpPublish {
  readonly #gate: Doorkeeper;
  readonly #router: Publishing;
  readonly #log: Logger;

  constructor(options: { gate: Doorkeeper; router: Publishing; log: Logger }) {
    this.#gate = options.gate;
    this.#router = options.router;
    this.#log = options.log;
  }

  /** @throws {RtmpRefusal} when the gate or the router says no */
  async publish(request: RtmpStreamRequest, control: RtmpConnectionControl): Promise<RtmpPublisher> {
    const { connection, app, stream: name, query } = request;
    const admission = await this.#gate
      .admit({
        action: 'publish',
        protocol: connection.encrypted ? 'rtmps' : 'rtmp',
        path: `${app}/${name}`,
        ip: connection.remoteAddress,
        userAgent: connection.flashVer,
        credentials: credentialsOf(query),
        query,
        client: { tcUrl: connection.tcUrl, pageUrl: connection.pageUrl, swfUrl: connection.swfUrl },
      })
      .catch((error: unknown) => refuse(error, connection.encrypted));
    const { session } = admission;
    admission.bind({
      cut: (reason) => control.end(reason),
      traffic: () => ({ received: control.bytesReceived(), sent: 0 }),
      move: (baseUrl, reason) => control.reconnect(reason, baseUrl === undefined ? undefined : `${baseUrl}/${app}`),
    });
    try {
      const publication = await this.#router.publish(session, { cut: (reason) => control.end(reason) });
      const reader = new FlvSampleReader();
      this.#log.info(
        {
          session: session.id,
          connection: connection.id,
          path: session.path,
          ip: session.ip,
          encoder: connection.flashVer,
        },
        'publishing began',
      );
      return {
        message: ({ type, timestamp, payload }) => {
          for (const event of reader.read(type, timestamp, payload)) publication.write(event);
        },
        closed: (reason) => {
          publication.end(reason);
          admission.close(reason);
        },
      };
    } catch (error) {
      admission.close('refused');
      return refuse(error, connection.encrypted);
    }
  }
}

function refuse(error: unknown, encrypted: boolean): never {
  if (!(error instanceof Refusal)) throw error;
  const code: RtmpRefusalCode =
    error.code === 'bad-name' || error.code === 'already-publishing'
      ? 'NetStream.Publish.BadName'
      : 'NetStream.Publish.Denied';
  const redirect = encrypted ? error.elsewhere('rtmps') : error.elsewhere('rtmp', 'rtmps');
  throw new RtmpRefusal(code, error.message, { redirect });
}
