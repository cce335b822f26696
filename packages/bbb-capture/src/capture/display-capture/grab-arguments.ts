import type { CaptureProfile } from '@sluice/core';

/** The small copy of the picture that is looked at once a second: luma alone. */
export const LOOK = { width: 64, height: 36 } as const;
/** The sound that is listened to: one channel of 16 bits. */
export const LEVEL_RATE = 8000;

const KEYFRAME_SECONDS = 2;
/** A picture takes so much longer onto the screen than its sound into the sink: measured, between 45 and 65 ms. */
const SCREEN_SECONDS = 0.055;

export interface GrabOptions {
  readonly profile: Pick<CaptureProfile, 'width' | 'height' | 'fps' | 'videoKbps' | 'audioKbps'>;
  readonly display: string;
  readonly soundSource: string;
  /** Taken from the times, which are those of the wall clock: seconds since 1970. */
  readonly originSeconds: number;
}

/**
 * ffmpeg's arguments: a screen and a sound device in; FLV out by standard output, the small picture by descriptor 3 and
 * the sound to listen to by descriptor 4. Nothing in them is secret, and it opens no network connection.
 */
export function grabArguments({ profile, display, soundSource, originSeconds }: GrabOptions): string[] {
  const { width, height, fps, videoKbps, audioKbps } = profile;
  // 1080p takes twice the time of 720p: there a quicker preset holds the rate on two cores.
  const preset = width * height > 1280 * 720 ? 'superfast' : 'veryfast';
  return [
    ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-copyts'],
    ...['-thread_queue_size', '1024', '-f', 'x11grab', '-draw_mouse', '0', '-framerate', String(fps)],
    ...['-video_size', `${width}x${height}`, '-i', display],
    ...[
      '-itsoffset',
      String(SCREEN_SECONDS),
      '-thread_queue_size',
      '1024',
      '-f',
      'pulse',
      '-fragment_size',
      '3840',
      '-i',
      soundSource,
    ],
    ...['-map', '0:v', '-map', '1:a', '-c:v', 'libx264', '-preset', preset, '-tune', 'zerolatency'],
    ...['-pix_fmt', 'yuv420p', '-b:v', `${videoKbps}k`, '-maxrate', `${videoKbps}k`, '-bufsize', `${videoKbps}k`],
    ...['-g', String(fps * KEYFRAME_SECONDS), '-c:a', 'aac', '-b:a', `${audioKbps}k`, '-ar', '48000', '-ac', '2'],
    ...['-output_ts_offset', String(-originSeconds), '-flvflags', 'no_duration_filesize'],
    ...['-flush_packets', '1', '-f', 'flv', 'pipe:1'],
    ...['-map', '0:v', '-vf', `fps=1,scale=${LOOK.width}:${LOOK.height}`, '-pix_fmt', 'gray'],
    ...['-flush_packets', '1', '-f', 'rawvideo', 'pipe:3'],
    ...['-map', '1:a', '-ac', '1', '-ar', String(LEVEL_RATE), '-flush_packets', '1', '-f', 's16le', 'pipe:4'],
  ];
}
