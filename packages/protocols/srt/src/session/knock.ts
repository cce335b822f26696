import { SrtError } from '../errors.js';
import { HANDSHAKE_TYPE, handshakeAddress, readHandshake, SRT_MAGIC, writeHandshake } from '../wire/handshake.js';
import { CONTROL, readPacket, type SocketId, writeControl } from '../wire/packet.js';
import { sequence } from '../wire/sequence.js';
import { timestampOf } from '../wire/timestamp.js';
import { DEFAULT_OPTIONS } from './terms.js';

/**
 * The first packet of a caller (induction, §4.3.1.1), to see whether a listener answers. It keeps nothing of it.
 *
 * @param id comes back in the answer: 1 to 2^30
 */
export function writeKnock(id: number): Buffer {
  const { mtu, flowWindow } = DEFAULT_OPTIONS;
  const content = writeHandshake({
    version: 4,
    encryption: 0,
    // A version 4 socket of datagrams.
    extensionField: 2,
    initialSequence: sequence(0),
    mtu,
    flowWindow,
    type: HANDSHAKE_TYPE.induction,
    socketId: id as SocketId,
    cookie: 0,
    peerAddress: handshakeAddress(''),
    extensions: [],
  });
  const [timestamp, destination] = [timestampOf(0), 0 as SocketId];
  return writeControl({ type: CONTROL.handshake, info: 0, timestamp, destination, content });
}

/** Whether a datagram is a listener's answer to `writeKnock(id)`. */
export function isKnockAnswer(datagram: Buffer, id: number): boolean {
  try {
    const packet = readPacket(datagram);
    if (packet.kind !== 'control' || packet.type !== CONTROL.handshake || packet.destination !== id) return false;
    const { type, extensionField } = readHandshake(packet.content);
    return type === HANDSHAKE_TYPE.induction && extensionField === SRT_MAGIC;
  } catch (error) {
    if (error instanceof SrtError) return false;
    throw error;
  }
}
