import { crc32Mpeg } from './crc32.js';

/** One elementary stream as a PMT announces it. */
export interface AnnouncedStream {
  readonly pid: number;
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];
}

export interface Descriptor {
  readonly tag: number;
  readonly data: Buffer;
}

export interface ProgramMap {
  readonly version: number;
  readonly pcrPid: number;
  readonly streams: readonly AnnouncedStream[];
}

const PAT_TABLE = 0;
const PMT_TABLE = 2;
const CRC_SIZE = 4;
/** Table id, length, id, version, section numbers. */
const LONG_HEADER = 8;
/** ISO 13818-1 §2.4.4.1: a section has 1021 bytes behind its length at most, private ones 4093. */
const MAX_SECTION = 4096;
/** A programme of more streams than this is nothing that we could play. */
export const MAX_STREAMS = 64;

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

/** The PIDs of the programme maps. ISO 13818-1 §2.4.4.3. Undefined for another table. */
export function parsePat(section: Buffer): number[] | undefined {
  if (section[0] !== PAT_TABLE || section.length < LONG_HEADER + CRC_SIZE) return undefined;
  const pids: number[] = [];
  for (let at = LONG_HEADER; at + 4 <= section.length - CRC_SIZE; at += 4) {
    if (section.readUInt16BE(at) !== 0) pids.push(section.readUInt16BE(at + 2) & 0x1fff);
  }
  return pids;
}

/** ISO 13818-1 §2.4.4.8. Undefined for another table, and for one that isn't in force yet. */
export function parsePmt(section: Buffer): ProgramMap | undefined {
  if (section[0] !== PMT_TABLE || section.length < LONG_HEADER + 4 + CRC_SIZE) return undefined;
  const flags = section[5] ?? 0;
  if ((flags & 1) === 0) return undefined;
  const end = section.length - CRC_SIZE;
  const streams: AnnouncedStream[] = [];
  let at = LONG_HEADER + 4 + (section.readUInt16BE(LONG_HEADER + 2) & 0xfff);
  while (at + 5 <= end && streams.length < MAX_STREAMS) {
    const infoEnd = Math.min(end, at + 5 + (section.readUInt16BE(at + 3) & 0xfff));
    streams.push({
      streamType: section[at] ?? 0,
      pid: section.readUInt16BE(at + 1) & 0x1fff,
      descriptors: parseDescriptors(section.subarray(at + 5, infoEnd)),
    });
    at = infoEnd;
  }
  return { version: (flags >> 1) & 0x1f, pcrPid: section.readUInt16BE(LONG_HEADER) & 0x1fff, streams };
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
