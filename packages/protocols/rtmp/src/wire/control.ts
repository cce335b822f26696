import { encodeMessage } from './chunk-writer.js';
import { MESSAGE_TYPE } from './message.js';

/** Control messages travel on chunk stream 2 and message stream 0, RTMP §5.4. */
const CONTROL_CHUNK_STREAM = 2;

/** User control events, RTMP §7.1.7. */
export const USER_CONTROL = {
  streamBegin: 0,
  streamEof: 1,
  setBufferLength: 3,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** How a bandwidth limit is meant, RTMP §5.4.5. */
const LIMIT_DYNAMIC = 2;

function control(type: number, payload: Buffer): Buffer {
  const header = { chunkStreamId: CONTROL_CHUNK_STREAM, type, timestamp: 0, messageStreamId: 0 };
  return encodeMessage(header, payload.length, payload);
}

function u32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export const setChunkSize = (size: number): Buffer => control(MESSAGE_TYPE.setChunkSize, u32(size));
/** @param bytes received so far, modulo 2^32 */
export const acknowledgement = (bytes: number): Buffer => control(MESSAGE_TYPE.acknowledgement, u32(bytes));
export const windowAcknowledgementSize = (size: number): Buffer =>
  control(MESSAGE_TYPE.windowAcknowledgementSize, u32(size));
export const setPeerBandwidth = (size: number): Buffer =>
  control(MESSAGE_TYPE.setPeerBandwidth, Buffer.concat([u32(size), Buffer.from([LIMIT_DYNAMIC])]));

/** @param value a message stream id, or a ping's timestamp */
export function userControl(event: number, value: number): Buffer {
  return control(MESSAGE_TYPE.userControl, Buffer.concat([Buffer.from([event >> 8, event & 0xff]), u32(value)]));
}

/** The player's buffer, in ms. */
export function setBufferLength(messageStreamId: number, milliseconds: number): Buffer {
  const event = Buffer.from([0, USER_CONTROL.setBufferLength]);
  return control(MESSAGE_TYPE.userControl, Buffer.concat([event, u32(messageStreamId), u32(milliseconds)]));
}
