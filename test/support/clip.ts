import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FlvDemuxer, type MediaEvent, type Sample, TsDemuxer } from '@sluice/media';
import { ffmpeg, testPicture, testSound } from './ffmpeg.js';

/** Media made by ffmpeg, as its samples. */
export interface Clip {
  readonly events: readonly MediaEvent[];
  readonly samples: readonly Sample[];
}

const VIDEO_ENCODERS = {
  h264: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '0'],
  'h264-b': ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '3'],
  // 23.976 pictures a second.
  'h264-film': ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '24', '-bf', '0', '-r', '24000/1001'],
  // Pictures that last 20 to 60 ms.
  'h264-uneven': [
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '1000',
      '-bf',
      '0',
      '-force_key_frames',
      'expr:gte(t,n_forced)',
    ],
    ...['-vf', "fps=50,select='not(eq(mod(n,7),3))*not(eq(mod(n,7),4))*not(eq(mod(n,5),1))'", '-fps_mode', 'vfr'],
  ],
  'h264-silent': ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-bf', '0', '-an'],
  hevc: [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:keyint=25:min-keyint=25:bframes=0',
  ],
} as const;

/** What a clip has for a picture. */
export type ClipVideo = keyof typeof VIDEO_ENCODERS | 'none';

/**
 * Makes a clip with a picture of 320x180 at 25 fps, a keyframe each second, and AAC sound.
 *
 * @param options.bitrate of the picture, in bit/s; else what the encoder takes
 */
export async function makeClip(
  video: ClipVideo,
  seconds: number,
  { bitrate }: { bitrate?: number } = {},
): Promise<Clip> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-clip-'));
  try {
    const container = video === 'hevc' ? 'mpegts' : 'flv';
    const file = join(directory, `clip.${container}`);
    const picture = video === 'none' ? [] : testPicture({ seconds });
    const codec = video === 'none' ? [] : VIDEO_ENCODERS[video];
    const rate = ['-b:v', '-maxrate', '-bufsize'].flatMap((option) =>
      bitrate === undefined ? [] : [option, `${bitrate}`],
    );
    await ffmpeg([...picture, ...testSound(seconds), ...codec, ...rate, '-c:a', 'aac', '-f', container, file]);
    const bytes = await readFile(file);
    const events = container === 'flv' ? new FlvDemuxer().push(bytes) : demuxTs(bytes);
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    return { events, samples: samples.sort((a, b) => a.dts - b.dts) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function demuxTs(bytes: Buffer): MediaEvent[] {
  const demuxer = new TsDemuxer();
  const events = [...demuxer.push(bytes), ...demuxer.flush()];
  return events.filter(
    (event): event is MediaEvent => event.type !== 'discontinuity' && event.type !== 'unsupported-track',
  );
}
