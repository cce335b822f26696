import { H264_NAL, h264NalType } from '../codecs/h264/nal-unit.js';
import { HEVC_NAL, hevcNalType } from '../codecs/hevc/nal-unit.js';
import { removeEmulationPrevention } from '../codecs/nal.js';
import { MediaError } from '../errors.js';

/** One message of supplemental enhancement information, H.264 §7.3.2.3.1, H.265 §7.3.5. */
interface SeiMessage {
  /** `payloadType`; 4 is user data registered by ITU-T T.35. */
  readonly type: number;
  readonly payload: Buffer;
}

const HEADER_SIZE = { h264: 1, hevc: 2 } as const;
/** `rbsp_trailing_bits`, and nothing else. */
const TRAILING = 0x80;

/** Whether a NAL unit is one of SEI messages. */
export function isSei(unit: Buffer, codec: 'h264' | 'hevc'): boolean {
  if (codec === 'h264') return h264NalType(unit) === H264_NAL.sei;
  const type = hevcNalType(unit);
  return type === HEVC_NAL.prefixSei || type === HEVC_NAL.suffixSei;
}

/**
 * The messages of an SEI NAL unit.
 *
 * @throws {MediaError} `truncated` where a message is longer than the unit
 */
export function readSei(unit: Buffer, codec: 'h264' | 'hevc'): SeiMessage[] {
  const bytes = removeEmulationPrevention(unit.subarray(HEADER_SIZE[codec]));
  const messages: SeiMessage[] = [];
  let at = 0;
  const readNumber = (): number => {
    let value = 0;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new MediaError('truncated', 'the head of an SEI message is cut off');
      value += byte;
      if (byte !== 0xff) return value;
    }
  };
  while (at < bytes.length && !(bytes[at] === TRAILING && at === bytes.length - 1)) {
    const type = readNumber();
    const size = readNumber();
    if (at + size > bytes.length) {
      throw new MediaError('truncated', `an SEI message of ${size} bytes in ${bytes.length - at} that are left`);
    }
    messages.push({ type, payload: bytes.subarray(at, at + size) });
    at += size;
  }
  return messages;
}
