import { RtmpError } from '../errors.js';
import { MESSAGE_TYPE, type RtmpMediaMessage, type RtmpMessage } from './message.js';

const TAG_HEADER = 11;
const BACK_POINTER = 4;
/** Servers put a fraction of a second into one; more would be objects without end for bytes that cost nothing. */
const MAX_MESSAGES = 4096;

/**
 * The messages inside an aggregate message, their timestamps moved to where the aggregate stands. RTMP §7.1.6.
 * Empty ones and those that are no media are left out.
 *
 * @throws {RtmpError} `malformed` or `too-large`
 */
export function splitAggregate({ payload, timestamp }: RtmpMessage): RtmpMediaMessage[] {
  const messages: RtmpMediaMessage[] = [];
  let position = 0;
  let base: number | undefined;
  while (position < payload.length) {
    if (position + TAG_HEADER > payload.length) throw new RtmpError('malformed', 'an aggregate message is cut off');
    const type = payload[position] ?? 0;
    const length = payload.readUIntBE(position + 1, 3);
    const time = payload.readUIntBE(position + 4, 3) + (payload[position + 7] ?? 0) * 0x100_0000;
    const start = position + TAG_HEADER;
    if (start + length > payload.length) throw new RtmpError('malformed', 'an aggregate message is cut off');
    base ??= time;
    if (length > 0 && (type === MESSAGE_TYPE.audio || type === MESSAGE_TYPE.video || type === MESSAGE_TYPE.dataAmf0)) {
      if (messages.length === MAX_MESSAGES)
        throw new RtmpError('too-large', `more than ${MAX_MESSAGES} in an aggregate`);
      const moved = (timestamp + time - base) >>> 0;
      messages.push({ type, timestamp: moved, payload: payload.subarray(start, start + length) });
    }
    position = start + length + BACK_POINTER;
  }
  return messages;
}
