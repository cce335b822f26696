import { malformed } from '../errors.js';

/** RFC 6347 §4.1. */
export const RECORD_HEADER_BYTES = 13;

export const CONTENT = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** DTLS 1.2 on the wire: the one's complement of its numbers. */
export const DTLS_1_2 = 0xfefd;
const MAJOR = 0xfe;
/** RFC 5246 §6.2.3 */
const LONGEST_FRAGMENT = 2 ** 14 + 2048;

export interface DtlsRecord {
  readonly type: number;
  readonly epoch: number;
  /** 48 bits. */
  readonly sequence: number;
  /** The datagram's own memory. */
  readonly fragment: Buffer;
  /** Epoch and sequence number as they stand there, 8 bytes. */
  readonly number: Buffer;
}

/** RFC 7983 §7: the first byte of a datagram tells what it is. */
export function isDtls(datagram: Buffer): boolean {
  const first = datagram[0] ?? 0;
  return first >= 20 && first <= 63 && datagram.length >= RECORD_HEADER_BYTES;
}

/** Reads the records of a datagram. @throws {WebRtcError} `malformed` */
export function readRecords(datagram: Buffer): DtlsRecord[] {
  const records: DtlsRecord[] = [];
  for (let at = 0; at < datagram.length; ) {
    if (datagram.length - at < RECORD_HEADER_BYTES) throw malformed('a DTLS record without a header');
    if (datagram.readUInt8(at + 1) !== MAJOR) throw malformed(`DTLS version ${datagram.readUInt16BE(at + 1)}`);
    const length = datagram.readUInt16BE(at + 11);
    const end = at + RECORD_HEADER_BYTES + length;
    if (end > datagram.length) throw malformed(`a DTLS record of ${length} bytes is cut off`);
    if (length > LONGEST_FRAGMENT) throw malformed(`a DTLS record of ${length} bytes`);
    records.push({
      type: datagram.readUInt8(at),
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + 5, 6),
      fragment: datagram.subarray(at + RECORD_HEADER_BYTES, end),
      number: datagram.subarray(at + 3, at + 11),
    });
    at = end;
  }
  return records;
}

/** Epoch and sequence number, 8 bytes. */
export function recordNumber(epoch: number, sequence: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeUInt16BE(epoch, 0);
  number.writeUIntBE(sequence, 2, 6);
  return number;
}

export function writeRecord(type: number, number: Buffer, fragment: Buffer): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  header.writeUInt8(type, 0);
  header.writeUInt16BE(DTLS_1_2, 1);
  number.copy(header, 3);
  header.writeUInt16BE(fragment.length, 11);
  return Buffer.concat([header, fragment]);
}
