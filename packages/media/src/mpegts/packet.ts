/** ISO 13818-1 §2.4.3.2. */
export const TS_PACKET_SIZE = 188;
export const TS_SYNC_BYTE = 0x47;
export const PAT_PID = 0;
export const NULL_PID = 0x1fff;

const HEADER_SIZE = 4;
const PAYLOAD_SIZE = TS_PACKET_SIZE - HEADER_SIZE;
const PAYLOAD_UNIT_START = 0x40;
const HAS_PAYLOAD = 0x10;
const HAS_ADAPTATION = 0x20;
const DISCONTINUITY = 0x80;
const RANDOM_ACCESS = 0x40;
const PCR_FLAG = 0x10;
const PCR_SIZE = 6;

/** What the first packet of a payload carries in its adaptation field. */
export interface PacketFlags {
  /** 90 kHz ticks, 33 bits. */
  readonly pcr?: number | undefined;
  readonly randomAccess: boolean;
  /** The PCR doesn't go on from the one before, ISO 13818-1 §2.4.3.5. */
  readonly discontinuity?: boolean;
}

/** Numbers the packets of one PID, ISO 13818-1 §2.4.3.3. */
export class ContinuityCounter {
  #next = 0;

  take(): number {
    const value = this.#next;
    this.#next = (value + 1) & 0xf;
    return value;
  }

  /** A packet without payload repeats the number of the one before. */
  get last(): number {
    return (this.#next + 15) & 0xf;
  }
}

/** Payload as whole packets of a PID; the last one is stuffed. */
export function packetize(pid: number, counter: ContinuityCounter, payload: Buffer, flags: PacketFlags): Buffer {
  const firstAdaptation = adaptationSize(flags);
  const firstRoom = PAYLOAD_SIZE - firstAdaptation;
  const further = Math.max(0, Math.ceil((payload.length - firstRoom) / PAYLOAD_SIZE));
  const packets = Buffer.allocUnsafe((1 + further) * TS_PACKET_SIZE);
  let from = 0;
  for (let at = 0; at < packets.length; at += TS_PACKET_SIZE) {
    const isFirst = at === 0;
    const own = isFirst ? firstAdaptation : 0;
    const taken = Math.min(PAYLOAD_SIZE - own, payload.length - from);
    const adaptation = PAYLOAD_SIZE - taken;
    const control = HAS_PAYLOAD | (adaptation > 0 ? HAS_ADAPTATION : 0);
    writeHeader(packets, at, (isFirst ? PAYLOAD_UNIT_START << 8 : 0) | pid, control | counter.take());
    if (adaptation > 0) writeAdaptation(packets, at + HEADER_SIZE, adaptation, isFirst ? flags : undefined);
    payload.copy(packets, at + HEADER_SIZE + adaptation, from, from + taken);
    from += taken;
  }
  return packets;
}

/** A packet that carries a PCR and nothing else. */
export function pcrPacket(pid: number, counter: ContinuityCounter, pcr: number, discontinuity: boolean): Buffer {
  const packet = Buffer.allocUnsafe(TS_PACKET_SIZE);
  writeHeader(packet, 0, pid, HAS_ADAPTATION | counter.last);
  writeAdaptation(packet, HEADER_SIZE, PAYLOAD_SIZE, { pcr, randomAccess: false, discontinuity });
  return packet;
}

function adaptationSize(flags: PacketFlags): number {
  if (flags.pcr !== undefined) return 2 + PCR_SIZE;
  return flags.randomAccess ? 2 : 0;
}

function writeHeader(packets: Buffer, at: number, flagsAndPid: number, control: number): void {
  packets[at] = TS_SYNC_BYTE;
  packets.writeUInt16BE(flagsAndPid, at + 1);
  packets[at + 3] = control;
}

/** An adaptation field of `size` bytes in all, stuffed. ISO 13818-1 §2.4.3.4. */
function writeAdaptation(packets: Buffer, at: number, size: number, flags: PacketFlags | undefined): void {
  packets[at] = size - 1;
  if (size === 1) return;
  packets[at + 1] =
    (flags?.discontinuity ? DISCONTINUITY : 0) |
    (flags?.randomAccess ? RANDOM_ACCESS : 0) |
    (flags?.pcr === undefined ? 0 : PCR_FLAG);
  let position = at + 2;
  if (flags?.pcr !== undefined) {
    packets.writeUInt32BE(Math.floor(flags.pcr / 2), position);
    packets[position + 4] = ((flags.pcr & 1) << 7) | 0x7e;
    packets[position + 5] = 0;
    position += PCR_SIZE;
  }
  packets.fill(0xff, position, at + size);
}
