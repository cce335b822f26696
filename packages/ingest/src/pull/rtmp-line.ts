import { plainAddress } from '@sluice/core';
import { RtmpClient, RtmpError } from '@sluice/rtmp';
import { FlvMessages } from './flv-messages.js';
import { EarlyEvents, type OpenPullLine, OriginRefusal } from './pull-line.js';

/** Sluice itself lets who comes before the encoder wait for ten seconds. */
const TIMEOUT_MS = 15_000;

/** Plays a stream of an RTMP server. */
export const openRtmpLine: OpenPullLine = async (url, signal) => {
  const messages = new FlvMessages();
  const early = new EarlyEvents();
  try {
    const client = await RtmpClient.connect(url.reveal(), { timeoutMs: TIMEOUT_MS, signal });
    await client.play(({ type, timestamp, payload }) => early.events(messages.read(type, timestamp, payload)), {
      onEnd: (reason) => early.over(reason),
    });
    return {
      protocol: url.scheme === 'rtmps' ? 'rtmps' : 'rtmp',
      address: plainAddress(client.remoteAddress ?? ''),
      get received() {
        return client.bytesReceived;
      },
      run: (sink) => early.run(sink),
      close: (reason) => {
        early.over(reason);
        client.destroy();
      },
    };
  } catch (error) {
    throw refusalOf(error) ?? error;
  }
};

function refusalOf(error: unknown): OriginRefusal | undefined {
  if (!(error instanceof RtmpError) || error.code !== 'refused') return undefined;
  const kind = error.status === 'NetStream.Play.StreamNotFound' ? 'not-found' : 'denied';
  return new OriginRefusal(kind, error.message, { cause: error });
}
