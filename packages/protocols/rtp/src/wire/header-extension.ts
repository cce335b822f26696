import { malformed } from '../errors.js';
import { ONE_BYTE_PROFILE, type RtpPacket } from './rtp.js';

/** RFC 8285 §4.2: the low 4 bits of the first byte may be anything. */
const TWO_BYTE_PROFILE = 0x1000;

/** URIs of the extensions that are understood here. */
export const EXTENSION_URI = {
  mid: 'urn:ietf:params:rtp-hdrext:sdes:mid',
  absoluteSendTime: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  transportSequence: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
} as const;

/**
 * An element of a header extension, RFC 8285.
 *
 * @returns undefined where it isn't there
 * @throws {RtpError} `malformed`
 */
export function readHeaderExtension(extension: RtpPacket['extension'], id: number): Buffer | undefined {
  if (extension === undefined) return undefined;
  const { profile, content } = extension;
  const isTwoByte = (profile & 0xfff0) === TWO_BYTE_PROFILE;
  if (profile !== ONE_BYTE_PROFILE && !isTwoByte) return undefined;
  for (let at = 0; at < content.length; ) {
    const first = content.readUInt8(at);
    if (first === 0) {
      at += 1;
      continue;
    }
    const found = isTwoByte ? first : first >>> 4;
    // RFC 8285 §4.2: 15 ends them.
    if (!isTwoByte && found === 15) return undefined;
    if (isTwoByte && at + 1 >= content.length) throw malformed('a header extension has no length');
    const length = isTwoByte ? content.readUInt8(at + 1) : (first & 0x0f) + 1;
    const begin = at + (isTwoByte ? 2 : 1);
    if (begin + length > content.length) throw malformed(`a header extension of ${length} bytes is cut off`);
    if (found === id) return content.subarray(begin, begin + length);
    at = begin + length;
  }
  return undefined;
}

/** Writes one-byte elements, of 1 to 16 bytes each, padded to a multiple of four bytes. */
export function writeHeaderExtension(elements: readonly { readonly id: number; readonly content: Buffer }[]): Buffer {
  const total = elements.reduce((sum, { content }) => sum + 1 + content.length, 0);
  const bytes = Buffer.alloc(Math.ceil(total / 4) * 4);
  let at = 0;
  for (const { id, content } of elements) {
    bytes.writeUInt8((id << 4) | (content.length - 1), at);
    content.copy(bytes, at + 1);
    at += 1 + content.length;
  }
  return bytes;
}
