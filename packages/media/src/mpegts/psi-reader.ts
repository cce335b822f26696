import { crc32Mpeg } from './crc32.js';

/** One elementary stream as a PMT announces it. */
export interface AnnouncedStream {
  readonly pid: number;
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];
  /** The descriptors' bytes: whether they are the same as before. */
  readonly info: Buffer;
}

/** ISO 13818-1 §2.6. */
export interface Descriptor {
  readonly tag: number;
  readonly data: Buffer;
}

/** One programme of a PAT. */
export interface Program {
  readonly number: number;
  readonly mapPid: number;
}

export interface ProgramMap {
  readonly programNumber: number;
  readonly pcrPid: number;
  /** Of the programme as a whole. */
  readonly descriptors: readonly Descriptor[];
  readonly streams: readonly AnnouncedStream[];
}

const PAT_TABLE = 0;
const PMT_TABLE = 2;
const CRC_SIZE = 4;
/** Table id, length, id, version, section numbers. */
const LONG_HEADER = 8;
/** ISO 13818-1 §2.4.4.1: a section has 1021 bytes behind its length at most, private ones 4093. */
const MAX_SECTION = 4096;
/** Stands for the network information table in a PAT. */
const NETWORK_PROGRAM = 0;
/** A programme of more streams than this is nothing that we could play. */
const MAX_STREAMS = 64;

/** Puts the sections of one PID together from packet payloads. ISO 13818-1 §2.4.4. */
export class SectionAssembler {
  #bytes: Buffer | undefined;

  /** @returns sections with a right checksum, and how many had a wrong one */
  push(payload: Buffer, unitStart: boolean): { sections: Buffer[]; broken: number } {
    if (unitStart) {
      const pointer = payload[0] ?? 0;
      const before = this.#append(payload.subarray(1, 1 + pointer));
      this.#bytes = Buffer.alloc(0);
      const after = this.#append(payload.subarray(1 + pointer));
      return { sections: [...before.sections, ...after.sections], broken: before.broken + after.broken };
    }
    return this.#append(payload);
  }

  reset(): void {
    this.#bytes = undefined;
  }

  #append(payload: Buffer): { sections: Buffer[]; broken: number } {
    const result = { sections: [] as Buffer[], broken: 0 };
    if (this.#bytes === undefined) return result;
    let bytes = Buffer.concat([this.#bytes, payload]);
    while (bytes.length >= 3 && bytes[0] !== 0xff) {
      const end = 3 + (bytes.readUInt16BE(1) & 0xfff);
      if (bytes.length < end) break;
      const section = bytes.subarray(0, end);
      if (crc32Mpeg(section) === 0) result.sections.push(section);
      else result.broken += 1;
      bytes = bytes.subarray(end);
    }
    this.#bytes = bytes[0] === 0xff || bytes.length > MAX_SECTION ? undefined : bytes;
    return result;
  }
}

/**
 * The programmes of a PAT, ISO 13818-1 §2.4.4.3. Undefined for another table, and for one that isn't in force yet.
 *
 * @param section whole, its checksum checked
 */
export function parsePat(section: Buffer): Program[] | undefined {
  if (section[0] !== PAT_TABLE || section.length < LONG_HEADER + CRC_SIZE || !isInForce(section)) return undefined;
  const programs: Program[] = [];
  for (let at = LONG_HEADER; at + 4 <= section.length - CRC_SIZE; at += 4) {
    const number = section.readUInt16BE(at);
    if (number !== NETWORK_PROGRAM) programs.push({ number, mapPid: section.readUInt16BE(at + 2) & 0x1fff });
  }
  return programs;
}

/**
 * ISO 13818-1 §2.4.4.8. Undefined for another table, and for one that isn't in force yet.
 *
 * @param section whole, its checksum checked
 */
export function parsePmt(section: Buffer): ProgramMap | undefined {
  if (section[0] !== PMT_TABLE || section.length < LONG_HEADER + 4 + CRC_SIZE || !isInForce(section)) return undefined;
  const end = section.length - CRC_SIZE;
  const streams: AnnouncedStream[] = [];
  const infoAt = LONG_HEADER + 4;
  const streamsAt = infoAt + (section.readUInt16BE(LONG_HEADER + 2) & 0xfff);
  let at = streamsAt;
  while (at + 5 <= end && streams.length < MAX_STREAMS) {
    const infoEnd = Math.min(end, at + 5 + (section.readUInt16BE(at + 3) & 0xfff));
    const info = section.subarray(at + 5, infoEnd);
    streams.push({
      streamType: section[at] ?? 0,
      pid: section.readUInt16BE(at + 1) & 0x1fff,
      descriptors: parseDescriptors(info),
      info,
    });
    at = infoEnd;
  }
  return {
    programNumber: section.readUInt16BE(3),
    pcrPid: section.readUInt16BE(LONG_HEADER) & 0x1fff,
    descriptors: parseDescriptors(section.subarray(infoAt, Math.min(streamsAt, end))),
    streams,
  };
}

/** current_next_indicator */
function isInForce(section: Buffer): boolean {
  return ((section[5] ?? 0) & 1) === 1;
}

function parseDescriptors(bytes: Buffer): Descriptor[] {
  const descriptors: Descriptor[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const end = at + 2 + (bytes[at + 1] ?? 0);
    if (end > bytes.length) break;
    descriptors.push({ tag: bytes[at] ?? 0, data: bytes.subarray(at + 2, end) });
    at = end;
  }
  return descriptors;
}
