import type { ColourDescription, PixelAspect } from '../codecs/picture-format.js';
import { MediaError } from '../errors.js';
import type { AudioTrackConfig, Codec, TrackConfig, VideoTrackConfig } from '../track-config.js';
import { box, latin1, u8, u16, u32 } from './box.js';
import { elementaryStreamBox } from './elementary-stream-descriptor.js';
import { opusBox } from './opus-box.js';
import { pictureDescriptionOf } from './picture-description.js';

/** The codes of sample entries. ISO 14496-14, -15, and the bindings of AV1, VP9 and Opus. */
const SAMPLE_ENTRY: Readonly<Record<Exclude<Codec, 'vp8'>, string>> = {
  h264: 'avc1',
  hevc: 'hvc1',
  av1: 'av01',
  vp9: 'vp09',
  aac: 'mp4a',
  mp3: 'mp4a',
  opus: 'Opus',
};

/** @throws {MediaError} `unsupported` for VP8, which no player takes out of MP4 */
export function sampleEntryCode(codec: Codec): string {
  if (codec === 'vp8') throw new MediaError('unsupported', "MP4 can't carry vp8");
  return SAMPLE_ENTRY[codec];
}

export interface SampleEntryOptions {
  /** bit/s, where known. */
  readonly bitrate?: number;
  /** Of pictures whose configuration doesn't tell it: VP9, by `parseVp9FrameHeader` of a keyframe. */
  readonly size?: { readonly width: number; readonly height: number };
  /** The `sinf` box of a track that is encrypted. */
  readonly protection?: Buffer;
}

const RESERVED_AND_INDEX = Buffer.concat([Buffer.alloc(6), u16(1)]);
const DOTS_PER_INCH_72 = 0x48_0000;
/** The field has 16 bits for Hz; a higher rate stands in the codec's own configuration only. */
const MAX_ENTRY_RATE = 0xffff;
/** "Unspecified" in ISO 23091-2. */
const UNSPECIFIED = 2;

/**
 * The sample entry of a track, for its `stsd` box. ISO 14496-12 §8.5.2, §12.1.3, §12.2.3.
 *
 * @throws {MediaError} where the configuration can't be read; `unsupported` where the size of its pictures is unknown
 */
export function sampleEntry(config: TrackConfig, options: SampleEntryOptions): Buffer {
  const { bitrate, protection } = options;
  const isProtected = protection !== undefined;
  const contents = config.kind === 'video' ? visualEntry(config, options) : audioEntry(config, bitrate ?? 0);
  const type = isProtected ? (config.kind === 'video' ? 'encv' : 'enca') : sampleEntryCode(config.codec);
  const rate = bitrate === undefined ? [] : [box('btrt', u32(0, bitrate, bitrate))];
  return box(type, ...contents, ...rate, ...(isProtected ? [protection] : []));
}

/** The size of a track's pictures, from its configuration or else from `size`. */
export function pictureSizeOf(config: VideoTrackConfig, size: SampleEntryOptions['size']) {
  const known = config.width > 0 && config.height > 0 ? config : size;
  if (known === undefined) {
    const way = "give `size`, from a keyframe's header";
    throw new MediaError('unsupported', `${config.codec} track ${config.track} without a size; ${way}`);
  }
  return { width: known.width, height: known.height };
}

function visualEntry(config: VideoTrackConfig, options: SampleEntryOptions): Buffer[] {
  const { width, height } = pictureSizeOf(config, options.size);
  const { pixelAspect, colour } = pictureDescriptionOf(config);
  const fields = Buffer.concat([
    RESERVED_AND_INDEX,
    Buffer.alloc(16),
    u16(width, height),
    u32(DOTS_PER_INCH_72, DOTS_PER_INCH_72, 0),
    u16(1), // frame_count
    Buffer.alloc(32), // compressorname
    u16(0x18, 0xffff), // depth, pre_defined
  ]);
  return [fields, configurationBox(config), ...colourBox(colour), ...aspectBox(pixelAspect)];
}

function configurationBox({ codec, description }: VideoTrackConfig): Buffer {
  const types = { h264: 'avcC', hevc: 'hvcC', av1: 'av1C', vp9: 'vpcC', vp8: 'vpcC' } as const;
  return box(types[codec], description);
}

/** ISO 14496-12 §12.1.5. */
function colourBox(colour: ColourDescription | undefined): Buffer[] {
  if (colour === undefined) return [];
  const { primaries, transfer, matrix, fullRange } = colour;
  if ([primaries, transfer, matrix].every((value) => value === UNSPECIFIED)) return [];
  return [box('colr', latin1('nclx'), u16(primaries, transfer, matrix), u8(fullRange ? 0x80 : 0))];
}

/** ISO 14496-12 §12.1.4. */
function aspectBox(aspect: PixelAspect | undefined): Buffer[] {
  return aspect === undefined ? [] : [box('pasp', u32(aspect.horizontal, aspect.vertical))];
}

function audioEntry(config: AudioTrackConfig, bitrate: number): Buffer[] {
  const { sampleRate } = config;
  const fields = Buffer.concat([
    RESERVED_AND_INDEX,
    Buffer.alloc(8),
    u16(config.channels, 16, 0, 0), // channelcount, samplesize, pre_defined, reserved
    u16(sampleRate > MAX_ENTRY_RATE ? 0 : sampleRate, 0), // 16.16
  ]);
  return [fields, config.codec === 'opus' ? opusBox(config.description) : elementaryStreamBox(config, bitrate)];
}
