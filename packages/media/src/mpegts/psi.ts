import { crc32Mpeg } from './crc32.js';

const TABLE_ID = { pat: 0, pmt: 2 } as const;
const SECTION_HEADER = 3;
const CRC_SIZE = 4;

/** One elementary stream of a programme. */
export interface ProgramStream {
  readonly streamType: number;
  readonly pid: number;
  readonly descriptors: Buffer;
}

/** A section with its checksum, behind a pointer field. ISO 13818-1 §2.4.4. */
function section(tableId: number, id: number, version: number, body: Buffer): Buffer {
  const length = 5 + body.length + CRC_SIZE;
  const bytes = Buffer.alloc(1 + SECTION_HEADER + length);
  bytes[1] = tableId;
  bytes.writeUInt16BE(0xb000 | length, 2);
  bytes.writeUInt16BE(id, 4);
  bytes[6] = 0xc1 | (version << 1);
  body.copy(bytes, 9);
  bytes.writeUInt32BE(crc32Mpeg(bytes.subarray(1, bytes.length - CRC_SIZE)), bytes.length - CRC_SIZE);
  return bytes;
}

const pidField = (pid: number): Buffer => Buffer.from([0xe0 | (pid >> 8), pid & 0xff]);

/** Programme Association Table with one programme. ISO 13818-1 §2.4.4.3. */
export function encodePat(programNumber: number, pmtPid: number): Buffer {
  const body = Buffer.concat([Buffer.from([programNumber >> 8, programNumber & 0xff]), pidField(pmtPid)]);
  return section(TABLE_ID.pat, 1, 0, body);
}

/**
 * Programme Map Table. ISO 13818-1 §2.4.4.8.
 *
 * @param options.info descriptors of the programme as a whole
 * @param options.version of the table, 0 to 31: another one each time it changes
 */
export function encodePmt(
  programNumber: number,
  pcrPid: number,
  streams: readonly ProgramStream[],
  { info = Buffer.alloc(0), version = 0 }: { info?: Buffer; version?: number } = {},
): Buffer {
  const parts = [pidField(pcrPid), Buffer.from([0xf0 | (info.length >> 8), info.length & 0xff]), info];
  for (const { streamType, pid, descriptors } of streams) {
    const length = Buffer.from([0xf0 | (descriptors.length >> 8), descriptors.length & 0xff]);
    parts.push(Buffer.from([streamType]), pidField(pid), length, descriptors);
  }
  return section(TABLE_ID.pmt, programNumber, version, Buffer.concat(parts));
}
