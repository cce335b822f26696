import { TS_PACKET_SIZE } from './packet.js';

/**
 * The header of a packet, ISO 13818-1 §2.4.3.2:
 *
 * ```
 * sync 8 | transport error 1 | unit start 1 | priority 1 | PID 13 | scrambling 2 | adaptation 1 | payload 1 | continuity 4
 * ```
 */
export interface PacketHeader {
  readonly pid: number;
  readonly transportError: boolean;
  readonly unitStart: boolean;
  readonly scrambled: boolean;
  readonly continuity: number;
  /** Where the payload begins; the packet's size where there is none. */
  readonly payloadAt: number;
  /** The sender says that counter or clock do not go on from what was before, §2.4.3.5. */
  readonly discontinuity: boolean;
  /** Programme clock reference: its 33 bits of 90 kHz. */
  readonly pcr: number | undefined;
}

const TRANSPORT_ERROR = 0x8000;
const UNIT_START = 0x4000;
const SCRAMBLING = 0xc0;
const HAS_ADAPTATION = 0x20;
const HAS_PAYLOAD = 0x10;
const DISCONTINUITY = 0x80;
const HAS_PCR = 0x10;
const HEADER_SIZE = 4;
/** The adaptation field's flags and a PCR. */
const FLAGS_AND_PCR = 7;

/** @param packet 188 bytes */
export function parsePacketHeader(packet: Buffer): PacketHeader {
  const word = packet.readUInt16BE(1);
  const control = packet[3] ?? 0;
  const adaptation = (control & HAS_ADAPTATION) === 0 ? 0 : (packet[4] ?? 0);
  const flags = adaptation > 0 ? (packet[5] ?? 0) : 0;
  const adaptationEnd = (control & HAS_ADAPTATION) === 0 ? HEADER_SIZE : HEADER_SIZE + 1 + adaptation;
  const hasPcr = adaptation >= FLAGS_AND_PCR && (flags & HAS_PCR) !== 0;
  return {
    pid: word & 0x1fff,
    transportError: (word & TRANSPORT_ERROR) !== 0,
    unitStart: (word & UNIT_START) !== 0,
    scrambled: (control & SCRAMBLING) !== 0,
    continuity: control & 0xf,
    payloadAt: (control & HAS_PAYLOAD) === 0 ? TS_PACKET_SIZE : Math.min(adaptationEnd, TS_PACKET_SIZE),
    discontinuity: (flags & DISCONTINUITY) !== 0,
    pcr: hasPcr ? packet.readUInt32BE(6) * 2 + ((packet[10] ?? 0) >> 7) : undefined,
  };
}
