import { MediaError } from '../errors.js';
import type { AudioTrackConfig } from '../track-config.js';
import { fullBox, u8, u16, u32 } from './box.js';
import { FieldReader } from './field-reader.js';

/** Descriptor tags, ISO 14496-1 table 1. */
const TAG = { stream: 3, decoder: 4, decoderSpecific: 5, syncLayer: 6 } as const;
/** objectTypeIndication, ISO 14496-1 table 5: AAC, and MP3 of MPEG-2 and MPEG-1. */
export const OBJECT_TYPE = { aac: 0x40, mp3OfMpeg2: 0x69, mp3OfMpeg1: 0x6b } as const;
/** The rates of MPEG-1 audio begin here; those below are MPEG-2's. */
const LOWEST_MPEG1_RATE = 32_000;
/** streamType 5 is audio; a reserved bit follows it, which is 1. ISO 14496-1 §7.2.6.6.2 */
const AUDIO_STREAM = (5 << 2) | 1;
/** SLConfigDescriptor: as MP4 files have it. ISO 14496-14 §3.1.2 */
const SYNC_LAYER_OF_MP4 = 2;

/** The `esds` box of AAC or MP3. ISO 14496-14 §5.6. */
export function elementaryStreamBox(config: AudioTrackConfig, bitrate: number): Buffer {
  const specific = config.description.length === 0 ? [] : [descriptor(TAG.decoderSpecific, config.description)];
  const objectType =
    config.codec === 'aac'
      ? OBJECT_TYPE.aac
      : config.sampleRate < LOWEST_MPEG1_RATE
        ? OBJECT_TYPE.mp3OfMpeg2
        : OBJECT_TYPE.mp3OfMpeg1;
  const decoder = descriptor(TAG.decoder, u8(objectType, AUDIO_STREAM, 0, 0, 0), u32(bitrate, bitrate), ...specific);
  const syncLayer = descriptor(TAG.syncLayer, u8(SYNC_LAYER_OF_MP4));
  return fullBox('esds', 0, 0, descriptor(TAG.stream, u16(0), u8(0), decoder, syncLayer));
}

/** Sizes in 4 bytes of 7 bits, which readers that know only this form can read. ISO 14496-1 §8.3.3 */
function descriptor(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = [21, 14, 7, 0].map((shift) => ((body.length >> shift) & 0x7f) | (shift === 0 ? 0 : 0x80));
  return Buffer.concat([u8(tag, ...size), body]);
}

/** What an `esds` box tells. */
export interface ElementaryStream {
  readonly objectType: number;
  /** DecoderSpecificInfo; empty where there is none. */
  readonly specific: Buffer;
}

/**
 * @param payload of an `esds` box
 * @throws {MediaError} `malformed` or `truncated`
 */
export function parseElementaryStreamBox(payload: Buffer): ElementaryStream {
  const fields = new FieldReader('an esds box', payload);
  fields.skip(4);
  const stream = readDescriptor(fields, TAG.stream);
  stream.skip(2);
  const flags = stream.u8();
  if ((flags & 0x80) !== 0) stream.skip(2); // dependsOn_ES_ID
  if ((flags & 0x40) !== 0) stream.skip(stream.u8()); // URL
  if ((flags & 0x20) !== 0) stream.skip(2); // OCR_ES_Id
  const decoder = readDescriptor(stream, TAG.decoder);
  const objectType = decoder.u8();
  decoder.skip(12);
  const specific = decoder.remaining > 0 ? readDescriptor(decoder, TAG.decoderSpecific).rest() : Buffer.alloc(0);
  return { objectType, specific };
}

function readDescriptor(fields: FieldReader, tag: number): FieldReader {
  const found = fields.u8();
  if (found !== tag) throw new MediaError('malformed', `an esds box with descriptor ${found} where ${tag} has to be`);
  let size = 0;
  for (let count = 0; count < 4; count++) {
    const byte = fields.u8();
    size = (size << 7) | (byte & 0x7f);
    if ((byte & 0x80) === 0) break;
  }
  return new FieldReader('an esds descriptor', fields.bytes(size));
}
