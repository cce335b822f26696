import { type AmfObject, type AmfValue, decodeAmf0, encodeAmf0, isAmfObject } from '@sluice/media';
import { RtmpError } from '../errors.js';
import { encodeMessage } from './chunk-writer.js';
import { MESSAGE_TYPE, type RtmpMessage } from './message.js';

/** Commands travel on chunk stream 3, as everybody has it. */
const COMMAND_CHUNK_STREAM = 3;
const DATA_CHUNK_STREAM = 5;

/** A remote call, RTMP §7.1.1. */
export interface RtmpCommand {
  readonly name: string;
  readonly transactionId: number;
  /** The command object; empty where there is none. */
  readonly object: AmfObject;
  readonly args: readonly AmfValue[];
  readonly messageStreamId: number;
}

const NO_OBJECT: AmfObject = {};

/**
 * Reads an AMF0 or AMF3 command message. The latter is AMF0 behind a byte of 0.
 *
 * @throws {RtmpError} or MediaError where it can't be read
 */
export function readCommand(message: RtmpMessage): RtmpCommand {
  const values = decodeAmf0(stripAmf3Marker(message.type === MESSAGE_TYPE.commandAmf3, message.payload));
  const [name, transactionId, object, ...args] = values;
  if (typeof name !== 'string') throw new RtmpError('malformed', 'a command without a name');
  return {
    name,
    transactionId: typeof transactionId === 'number' ? transactionId : 0,
    object: object !== undefined && isAmfObject(object) ? object : NO_OBJECT,
    args,
    messageStreamId: message.messageStreamId,
  };
}

/** AMF3 messages begin with a byte 0 that says "AMF0 follows". */
function stripAmf3Marker(isAmf3: boolean, payload: Buffer): Buffer {
  return isAmf3 && payload[0] === 0 ? payload.subarray(1) : payload;
}

/** @param values name, transaction id, command object, arguments */
export function encodeCommand(messageStreamId: number, chunkSize: number, ...values: readonly AmfValue[]): Buffer {
  const header = {
    chunkStreamId: COMMAND_CHUNK_STREAM,
    type: MESSAGE_TYPE.commandAmf0,
    timestamp: 0,
    messageStreamId,
  };
  return encodeMessage(header, chunkSize, encodeAmf0(...values));
}

export function encodeData(messageStreamId: number, chunkSize: number, ...values: readonly AmfValue[]): Buffer {
  const header = { chunkStreamId: DATA_CHUNK_STREAM, type: MESSAGE_TYPE.dataAmf0, timestamp: 0, messageStreamId };
  return encodeMessage(header, chunkSize, encodeAmf0(...values));
}

/**
 * A data message as AMF0: that of type 15 (AMF3) is read and written anew, since it may hold AMF3 values.
 *
 * @throws {MediaError} where it can't be read
 */
export function dataAsAmf0(message: RtmpMessage): Buffer {
  if (message.type !== MESSAGE_TYPE.dataAmf3) return message.payload;
  return encodeAmf0(...decodeAmf0(stripAmf3Marker(true, message.payload)));
}

/** `onStatus`, RTMP §7.2.2. */
export function encodeStatus(
  messageStreamId: number,
  chunkSize: number,
  status: { readonly level: 'status' | 'error'; readonly code: string; readonly description: string },
): Buffer {
  return encodeCommand(messageStreamId, chunkSize, 'onStatus', 0, null, { ...status });
}
