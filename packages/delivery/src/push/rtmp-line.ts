import { type FanOutContext, type Logger, plainAddress } from '@sluice/core';
import { encodeAmf0 } from '@sluice/media';
import { RtmpClient, type RtmpError } from '@sluice/rtmp';
import { rtmpFraming, type TagFraming } from '../tags/framing.js';
import { TagOutputs } from '../tags/tag-outputs.js';
import type { OpenPushLine } from './push-line.js';

const EVERYTHING = { audio: true, video: true };
const SCRIPT = 18;
/** What servers take metadata by from who publishes: they keep it for who joins. */
const SET_DATA_FRAME = encodeAmf0('@setDataFrame');

/**
 * Publishes to RTMP servers, with the codecs of Enhanced RTMP where a stream has them. All that take a stream on the
 * same message stream, as nearly all do, share the same bytes.
 */
export function rtmpPushLines(options: { context: FanOutContext; log: Logger }): OpenPushLine {
  const outputs = new Map<string, TagOutputs>();
  const outputsOf = (chunkSize: number, messageStreamId: number): TagOutputs => {
    const key = `${chunkSize} ${messageStreamId}`;
    const known = outputs.get(key);
    if (known !== undefined) return known;
    const framing = publishFraming(rtmpFraming({ chunkSize, messageStreamId }));
    const made = new TagOutputs({ ...options, name: 'rtmp-push', framing });
    outputs.set(key, made);
    return made;
  };
  return async (url, signal) => {
    let over: (reason: string) => void = () => undefined;
    const closed = new Promise<string>((resolve) => {
      over = resolve;
    });
    const onClose = (error: RtmpError | undefined) => over(error?.message ?? 'the server closed the connection');
    const client = await RtmpClient.connect(url.reveal(), { signal, onClose });
    try {
      await client.publish();
    } catch (error) {
      client.destroy();
      throw error;
    }
    const { socket, chunkSize, messageStreamId } = client.line;
    return {
      protocol: url.scheme === 'rtmps' ? 'rtmps' : 'rtmp',
      address: plainAddress(client.remoteAddress ?? ''),
      socket,
      outputOf: (stream) => stream.output(outputsOf(chunkSize, messageStreamId).kind(EVERYTHING)),
      close: (reason) => {
        over(reason);
        void client.close();
      },
      over: closed,
    };
  };
}

function publishFraming(framing: TagFraming): TagFraming {
  return {
    header: framing.header,
    encode: (type, timestamp, ...bodyParts) =>
      type === SCRIPT
        ? framing.encode(type, timestamp, SET_DATA_FRAME, ...bodyParts)
        : framing.encode(type, timestamp, ...bodyParts),
  };
}
