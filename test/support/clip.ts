import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FlvDemuxer, type MediaEvent, type Sample, TsDemuxer } from '@sluice/media';
import { ffmpeg, testPicture, testSound } from './ffmpeg.js';

/** Clips that were made, for the tests to come. */
const MADE = fileURLToPath(new URL('../../node_modules/.cache/sluice/clips', import.meta.url));

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
  const container = video === 'hevc' ? 'mpegts' : 'flv';
  const picture = video === 'none' ? [] : testPicture({ seconds });
  const codec = video === 'none' ? [] : VIDEO_ENCODERS[video];
  const rate = ['-b:v', '-maxrate', '-bufsize'].flatMap((option) =>
    bitrate === undefined ? [] : [option, `${bitrate}`],
  );
  const bytes = await madeOnce([...picture, ...testSound(seconds), ...codec, ...rate, '-c:a', 'aac', '-f', container]);
  const events = container === 'flv' ? new FlvDemuxer().push(bytes) : demuxTs(bytes);
  const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
  return { events, samples: samples.sort((a, b) => a.dts - b.dts) };
}

/** What ffmpeg makes by these arguments: many tests want the same, and encoding is most of their work. */
async function madeOnce(args: readonly string[]): Promise<Buffer> {
  const file = join(MADE, createHash('sha256').update(args.join('\n')).digest('hex').slice(0, 32));
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await mkdir(MADE, { recursive: true });
  // Others may make it at the same time; each puts a whole one in place.
  const own = `${file}.${randomUUID()}`;
  await ffmpeg([...args, own]);
  await rename(own, file);
  return readFile(file);
}

function demuxTs(bytes: Buffer): MediaEvent[] {
  const demuxer = new TsDemuxer();
  const events = [...demuxer.push(bytes), ...demuxer.flush()];
  return events.filter(
    (event): event is MediaEvent => event.type !== 'discontinuity' && event.type !== 'unsupported-track',
  );
}
