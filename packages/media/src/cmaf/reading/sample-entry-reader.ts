import { aacTrackConfig } from '../../codecs/aac.js';
import { av1TrackConfig } from '../../codecs/av1.js';
import { h264TrackConfig, parseAvcC } from '../../codecs/h264.js';
import { hevcTrackConfig, parseHvcC } from '../../codecs/hevc.js';
import { withFourByteLengthSize } from '../../codecs/length-size.js';
import { opusTrackConfig } from '../../codecs/opus.js';
import { vp9TrackConfig } from '../../codecs/vp9.js';
import { MediaError } from '../../errors.js';
import type { AudioTrackConfig, TrackConfig, TrackId } from '../../track-config.js';
import { OBJECT_TYPE, parseElementaryStreamBox } from '../elementary-stream-descriptor.js';
import { opusHeadOf } from '../opus-box.js';
import { type FoundBox, fieldsOf, readBoxes, requireBox } from './boxes.js';

/** A track's configuration, and the size of its NAL unit lengths in the file: 4 where there are none. */
export interface DescribedTrack {
  readonly config: TrackConfig;
  readonly lengthSize: number;
}

/** Of a visual sample entry before its boxes. ISO 14496-12 §12.1.3 */
const VISUAL_FIELDS = 78;
/** What QuickTime's versions 1 and 2 of an audio entry add. QuickTime File Format, "Sound Sample Descriptions" */
const QUICKTIME_FIELDS: Readonly<Record<number, number>> = { 1: 16, 2: 36 };
/** objectTypeIndications of AAC: of MPEG-4, and of MPEG-2 in its three profiles. */
const AAC_TYPES: ReadonlySet<number> = new Set([OBJECT_TYPE.aac, 0x66, 0x67, 0x68]);
const MP3_TYPES: ReadonlySet<number> = new Set([OBJECT_TYPE.mp3OfMpeg1, OBJECT_TYPE.mp3OfMpeg2]);

/**
 * What the first sample entry of an `stsd` box tells. ISO 14496-12 §8.5.2.
 *
 * @throws {MediaError} `unsupported` for codecs that we don't carry and for encrypted tracks; `malformed`, `truncated`
 */
export function readSampleDescription(stsd: FoundBox, track: TrackId): DescribedTrack {
  const fields = fieldsOf(stsd);
  fields.skip(8);
  const [entry] = readBoxes(fields.rest());
  if (entry === undefined) throw new MediaError('malformed', 'an stsd box without entries');
  switch (entry.type) {
    case 'avc1':
    case 'avc3':
    case 'hvc1':
    case 'hev1':
      return readNalEntry(entry, track);
    case 'av01':
      return plain(av1TrackConfig(track, Buffer.from(visualBox(entry, 'av1C').payload)));
    case 'vp09':
      return plain({ ...vp9TrackConfig(track, Buffer.from(visualBox(entry, 'vpcC').payload)), ...sizeOf(entry) });
    case 'mp4a':
      return plain(readMp4a(entry, track));
    case 'Opus':
      return plain(opusTrackConfig(track, opusHeadOf(readAudio(entry).box('dOps').payload)));
    case 'encv':
    case 'enca':
      throw new MediaError('unsupported', 'an encrypted track');
    default:
      throw new MediaError('unsupported', `a track of ${JSON.stringify(entry.type)}`);
  }
}

const plain = (config: TrackConfig): DescribedTrack => ({ config, lengthSize: 4 });

function readNalEntry(entry: FoundBox, track: TrackId): DescribedTrack {
  if (entry.type.startsWith('avc')) {
    const record = visualBox(entry, 'avcC').payload;
    const { lengthSize } = parseAvcC(record);
    return { config: h264TrackConfig(track, withFourByteLengthSize('h264', record)), lengthSize };
  }
  const record = visualBox(entry, 'hvcC').payload;
  const { lengthSize } = parseHvcC(record);
  return { config: hevcTrackConfig(track, withFourByteLengthSize('hevc', record)), lengthSize };
}

function visualBox(entry: FoundBox, type: string): FoundBox {
  const fields = fieldsOf(entry);
  fields.skip(VISUAL_FIELDS);
  return requireBox(boxesIn(fields.rest()), type, entry.type);
}

/** An entry may end in 4 zero bytes, which QuickTime has there. */
function boxesIn(bytes: Buffer): FoundBox[] {
  const isTerminated = bytes.length >= 4 && bytes.readUInt32BE(bytes.length - 4) === 0;
  try {
    return readBoxes(bytes);
  } catch (error) {
    if (!(error instanceof MediaError) || !isTerminated) throw error;
    return readBoxes(bytes.subarray(0, -4));
  }
}

function sizeOf(entry: FoundBox) {
  const fields = fieldsOf(entry);
  fields.skip(24);
  return { width: fields.u16(), height: fields.u16() };
}

function readAudio(entry: FoundBox) {
  const fields = fieldsOf(entry);
  fields.skip(8);
  const version = fields.u16();
  fields.skip(6);
  const channels = fields.u16();
  fields.skip(6);
  const sampleRate = fields.u32() >>> 16;
  fields.skip(QUICKTIME_FIELDS[version] ?? 0);
  const boxes = boxesIn(fields.rest());
  return { channels, sampleRate, box: (type: string) => requireBox(boxes, type, entry.type) };
}

/** Of MP3 only the entry tells the channels, where some writers always say 2. */
function readMp4a(entry: FoundBox, track: TrackId): AudioTrackConfig {
  const { channels, sampleRate, box } = readAudio(entry);
  const { objectType, specific } = parseElementaryStreamBox(box('esds').payload);
  if (AAC_TYPES.has(objectType)) return aacTrackConfig(track, Buffer.from(specific));
  if (!MP3_TYPES.has(objectType)) {
    throw new MediaError('unsupported', `a track of mp4a with object type 0x${objectType.toString(16)}`);
  }
  if (sampleRate === 0 || channels === 0) {
    throw new MediaError('malformed', `an MP3 track of ${sampleRate} Hz and ${channels} channels`);
  }
  return { kind: 'audio', track, codec: 'mp3', codecString: 'mp3', description: Buffer.alloc(0), sampleRate, channels };
}
