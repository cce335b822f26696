/** How the picture is to be taken and sent. */
export interface PictureSettings {
  /** Lines. */
  readonly height: number;
  /** Pictures per second. */
  readonly frameRate: number;
  /** Bits per second at most; undefined takes what suits size and rate. */
  readonly bitrate: number | undefined;
}

/** Lines of a 16:9 picture, with the bits per second that suit it at 30 pictures per second. */
export const PICTURE_SIZES: readonly { readonly height: number; readonly bitrate: number }[] = [
  { height: 1080, bitrate: 4_500_000 },
  { height: 720, bitrate: 2_500_000 },
  { height: 540, bitrate: 1_500_000 },
  { height: 360, bitrate: 800_000 },
];
export const FRAME_RATES: readonly number[] = [60, 30, 25, 15];
export const BITRATES: readonly number[] = [8_000_000, 6e6, 4_500_000, 3e6, 2_500_000, 1_500_000, 8e5, 4e5];

const ASPECT = 16 / 9;
/** Above 30 pictures per second each differs less from the one before, and below they differ more. */
const RATE_EXPONENT = 0.7;
const USUAL_RATE = 30;
const STEP = 100_000;
/** Above what speech needs: music, in stereo. Bits per second. */
const MUSIC_BITRATE = 160_000;

export function widthOf(height: number): number {
  return Math.round(height * ASPECT);
}

/** Bits per second that suit a size and rate. */
export function suitableBitrate(height: number, frameRate: number): number {
  const size = PICTURE_SIZES.find((candidate) => candidate.height <= height) ?? PICTURE_SIZES.at(-1);
  const bits = (size?.bitrate ?? 0) * (frameRate / USUAL_RATE) ** RATE_EXPONENT;
  return Math.round(bits / STEP) * STEP;
}

/** What the browser's encoder may spend on the picture. */
export function pictureEncoding({ height, frameRate, bitrate }: PictureSettings): RTCRtpEncodingParameters {
  return { maxBitrate: bitrate ?? suitableBitrate(height, frameRate), maxFramerate: frameRate };
}

/** What the browser's encoder may spend on the sound. */
export function soundEncoding(music: boolean): RTCRtpEncodingParameters {
  return music ? { maxBitrate: MUSIC_BITRATE } : {};
}

type Codec = RTCRtpCodec;

/** H.264 in packets of any size, which is what is published. */
function isH264({ mimeType, sdpFmtpLine = '' }: Codec): boolean {
  return mimeType.toLowerCase() === 'video/h264' && /(^|;)\s*packetization-mode=1(;|$)/.test(sdpFmtpLine);
}

/**
 * What the browser can send, H.264 first: Sluice takes nothing else, other servers may.
 *
 * @returns undefined where the browser can't send H.264
 */
export function preferH264<T extends Codec>(codecs: readonly T[]): T[] | undefined {
  const first = codecs.filter(isH264);
  return first.length === 0 ? undefined : [...first, ...codecs.filter((codec) => !isH264(codec))];
}

/**
 * Asks for music: Opus in stereo, without pauses in silence (RFC 7587 §6.1). A browser sends what the answer says that
 * the other side likes; the offer says so too, for servers that answer with what they were offered.
 */
export function preferStereo(sdp: string): string {
  const wanted: readonly (readonly [string, string])[] = [
    ['stereo', '1'],
    ['sprop-stereo', '1'],
    ['usedtx', '0'],
    ['maxaveragebitrate', String(MUSIC_BITRATE)],
  ];
  const payloadTypes = [...sdp.matchAll(/^a=rtpmap:(\d+) opus\/48000\b/gim)].flatMap(([, type]) => type ?? []);
  return payloadTypes.reduce((text, type) => {
    const line = new RegExp(`^a=fmtp:${type} (.*)$`, 'm');
    const [, present = ''] = line.exec(text) ?? [];
    const own = new Set(wanted.map(([name]) => name));
    const kept = present
      .trim()
      .split(/\s*;\s*/)
      .filter((parameter) => parameter !== '' && !own.has(parameter.split('=')[0] ?? ''));
    const fmtp = `a=fmtp:${type} ${[...kept, ...wanted.map((pair) => pair.join('='))].join(';')}`;
    if (line.test(text)) return text.replace(line, () => `${fmtp}${present.endsWith('\r') ? '\r' : ''}`);
    const map = new RegExp(`^(a=rtpmap:${type} [^\r\n]*)(\r?\n)`, 'm');
    return text.replace(map, (_whole, mapLine: string, end: string) => `${mapLine}${end}${fmtp}${end}`);
  }, sdp);
}
