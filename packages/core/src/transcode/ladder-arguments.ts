import type { RenditionSettings } from '../config/transcode-schema.js';
import { isHardwareEncoder, renditionSize, type SourcePicture } from './rendition-cost.js';

/** One output of a ladder. */
export interface LadderStep {
  readonly settings: RenditionSettings;
  /** Pictures up to here have been made already, in seconds of the transport stream that goes in. */
  readonly after?: number | undefined;
}

/** What one ffmpeg is to make of a stream. */
export interface LadderPlan {
  /** Undefined where the source has no picture. */
  readonly picture: SourcePicture | undefined;
  readonly hasSound: boolean;
  readonly steps: readonly LadderStep[];
  readonly threads: { readonly decoder: number; readonly encoder: number };
}

/** The first output; before it are stdin, progress and log. */
export const FIRST_OUTPUT_FD = 3;

const VAAPI_DEVICE = '/dev/dri/renderD128';
const GLOBAL = [
  ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'level+warning', '-stats_period', '1'],
  ...['-progress', 'pipe:1', '-copyts', '-filter_complex_threads', '1'],
];
/** It is known what comes: a few pictures are looked at, and not five seconds. */
const INPUT = [
  ...['-protocol_whitelist', 'pipe', '-probesize', '200000', '-analyzeduration', '500000', '-fpsprobesize', '0'],
  ...['-f', 'mpegts', '-i', 'pipe:0'],
];
const OUTPUT = [
  ...['-f', 'mpegts', '-mpegts_copyts', '1', '-muxdelay', '0', '-muxpreload', '0', '-pes_payload_size', '0'],
  ...['-omit_video_pes_length', '0', '-max_interleave_delta', '1000000', '-flush_packets', '1'],
];
/** Half of a picture's time at 500 a second: what has been made already is not made again for a rounding. */
const NEXT_PICTURE = 0.001;
const X265 = 'log-level=error:bframes=0:keyint=9999:min-keyint=1:scenecut=0:open-gop=0:repeat-headers=1';
const PLACE = {
  'top-left': '16:16',
  'top-right': 'main_w-overlay_w-16:16',
  'bottom-left': '16:main_h-overlay_h-16',
  'bottom-right': 'main_w-overlay_w-16:main_h-overlay_h-16',
} as const;

/**
 * ffmpeg's arguments for a ladder: decodes once, and writes each rendition as MPEG-TS to a file descriptor of its own,
 * with the times of the source and keyframes where the source has them. Nothing in it is read by a shell, and nothing
 * but pipes and watermarks is opened.
 */
export function ladderArguments({ picture, hasSound, steps, threads }: LadderPlan): string[] {
  const seen = steps.filter(({ settings }) => picture !== undefined && settings.codec !== 'none');
  const marks = seen.flatMap(({ settings }) => settings.watermark ?? []);
  const usesVaapi = seen.some(({ settings }) => isVaapi(settings));
  return [
    ...GLOBAL,
    ...(usesVaapi ? ['-vaapi_device', VAAPI_DEVICE] : []),
    ...['-threads', String(threads.decoder)],
    ...INPUT,
    ...marks.flatMap(({ file }) => ['-protocol_whitelist', 'file', '-f', 'png_pipe', '-i', `file:${file}`]),
    ...(picture === undefined || seen.length === 0 ? [] : ['-filter_complex', filterGraph(picture, seen)]),
    ...steps.flatMap((step, at) => [
      ...pictureArguments(seen.indexOf(step), step.settings, threads.encoder),
      ...soundArguments(step.settings, hasSound),
      ...OUTPUT,
      `pipe:${FIRST_OUTPUT_FD + at}`,
    ]),
  ];
}

/** Whether anything comes of a rendition: a source without sound gives no sound. */
export function hasOutput({ codec, audio }: RenditionSettings, hasPicture: boolean, hasSound: boolean): boolean {
  return (codec !== 'none' && hasPicture) || (audio !== 'none' && hasSound);
}

function filterGraph(picture: SourcePicture, steps: readonly LadderStep[]): string {
  const chains = [`[0:v:0]split=${steps.length}${steps.map((_, at) => `[in${at}]`).join('')}`];
  let mark = 0;
  steps.forEach(({ settings, after }, at) => {
    const { width, height } = renditionSize(picture, settings.height ?? picture.height);
    const filters = [
      ...(after === undefined ? [] : [`trim=start=${(after + NEXT_PICTURE).toFixed(6)}`]),
      ...(settings.deinterlace ? ['yadif=deint=interlaced'] : []),
      ...(settings.frameRate === undefined ? [] : [thinned(settings.frameRate)]),
      `scale=${width}:${height}:flags=bicubic`,
    ];
    const end = isVaapi(settings) ? 'format=nv12,hwupload' : 'format=yuv420p';
    if (settings.watermark === undefined) {
      chains.push(`[in${at}]${filters.join(',')},${end}[out${at}]`);
      return;
    }
    mark += 1;
    chains.push(`[in${at}]${filters.join(',')}[scaled${at}]`);
    chains.push(`[scaled${at}][${mark}:v:0]overlay=${PLACE[settings.watermark.position]},${end}[out${at}]`);
  });
  return chains.join(';');
}

/** Leaves pictures out, and never a keyframe, by which renditions and segments are aligned. */
function thinned(rate: number): string {
  return `select='key+isnan(prev_selected_t)+gte(t-prev_selected_t,${(0.9 / rate).toFixed(6)})'`;
}

function pictureArguments(at: number, settings: RenditionSettings, threads: number): string[] {
  if (at < 0) return [];
  const rate = `${settings.videoBitrate ?? 1000}k`;
  return [
    ...['-map', `[out${at}]`, '-fps_mode', 'passthrough', '-enc_time_base', '1:90000'],
    ...['-force_key_frames', 'source', '-g', '9999', '-bf', '0', '-threads', String(threads)],
    ...encoderArguments(settings),
    ...['-b:v', rate, '-maxrate', rate, '-bufsize', rate],
  ];
}

function encoderArguments({ codec, encoder, preset }: RenditionSettings): string[] {
  const name = encoder ?? (codec === 'hevc' ? 'libx265' : 'libx264');
  const own = ['-c:v', name];
  if (name === 'libx264') return [...own, '-preset', preset ?? 'veryfast', '-sc_threshold', '0', '-forced-idr', '1'];
  if (name === 'libx265') {
    return [...own, '-preset', preset ?? 'veryfast', '-x265-params', X265, '-forced-idr', '1'];
  }
  const chosen = preset === undefined ? [] : ['-preset', preset];
  return [...own, ...chosen, ...(name.endsWith('_nvenc') ? ['-forced-idr', '1'] : [])];
}

function soundArguments({ audio, audioBitrate }: RenditionSettings, hasSound: boolean): string[] {
  if (!hasSound || audio === 'none') return [];
  const map = ['-map', '0:a:0'];
  if (audio === 'copy') return [...map, '-c:a', 'copy'];
  const [name, rate] = audio === 'opus' ? ['libopus', ['-ar', '48000']] : ['aac', []];
  return [...map, '-c:a', name, '-b:a', `${audioBitrate}k`, '-ac', '2', ...rate];
}

function isVaapi({ encoder }: RenditionSettings): boolean {
  return isHardwareEncoder(encoder) && encoder?.endsWith('_vaapi') === true;
}
