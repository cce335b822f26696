import type { RenditionSettings } from '../config/transcode-schema.js';

/** Rows: level as the codec string has it, most luma samples of a picture, most luma samples a second. */
type Levels = readonly (readonly [level: number, picture: number, rate: number])[];

/** ITU-T H.264 Table A-1, in macroblocks; with the bitrate in kbit/s that High profile allows. */
const H264_LEVELS = [
  [30, 1620, 40_500, 12_500],
  [31, 3600, 108_000, 17_500],
  [32, 5120, 216_000, 25_000],
  [40, 8192, 245_760, 25_000],
  [41, 8192, 245_760, 62_500],
  [42, 8704, 522_240, 62_500],
  [50, 22_080, 589_824, 168_750],
  [51, 36_864, 983_040, 300_000],
  [52, 36_864, 2_073_600, 300_000],
] as const;
/** ITU-T H.265 Table A.8 and A.9. */
const HEVC_LEVELS: Levels = [
  [90, 552_960, 16_588_800],
  [93, 983_040, 33_177_600],
  [120, 2_228_224, 66_846_720],
  [123, 2_228_224, 133_693_440],
  [150, 8_912_896, 267_386_880],
  [153, 8_912_896, 534_773_760],
  [156, 8_912_896, 1_069_547_520],
];

/**
 * What the picture of a rendition needs at the most, before an encoder has said what it makes: for players to know
 * beforehand whether they can show it. RFC 6381 §3.3; High profile of H.264, Main of HEVC.
 *
 * @param rate pictures a second
 * @returns undefined where there is no picture
 */
export function declaredCodec(
  { codec, videoBitrate = 0 }: Pick<RenditionSettings, 'codec' | 'videoBitrate'>,
  { width, height }: { readonly width: number; readonly height: number },
  rate: number,
): string | undefined {
  if (codec === 'none') return undefined;
  if (codec === 'hevc') {
    const [level] = HEVC_LEVELS.find(([, most, second]) => fits(width * height, most, second, rate)) ?? [156];
    return `hvc1.1.6.L${level}.B0`;
  }
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  const [level] = H264_LEVELS.find(
    ([, most, second, bits]) => fits(blocks, most, second, rate) && videoBitrate <= bits,
  ) ?? [52];
  return `avc1.6400${level.toString(16)}`;
}

const fits = (size: number, most: number, second: number, rate: number): boolean =>
  size <= most && size * rate <= second;
