import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BLOCK, HEIGHT, isWhite, STAMP_BITS, STAMP_ROWS, WIDTH } from './stamp.js';

const RATE = 30;
const [WHITE, BLACK, GREY] = [235, 16, 128];

/** ffmpeg, set up as an encoder that doesn't wait for anything. */
const ARGS = (url: string, gopSeconds: number): string[] => [
  ...['-v', 'error', '-fflags', 'nobuffer', '-f', 'rawvideo', '-pix_fmt', 'yuv420p'],
  ...['-video_size', `${WIDTH}x${HEIGHT}`, '-framerate', String(RATE), '-i', 'pipe:0'],
  ...[
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-tune',
    'zerolatency',
    '-profile:v',
    'baseline',
    '-g',
    String(RATE * gopSeconds),
  ],
  ...['-b:v', '2M', '-maxrate', '2M', '-bufsize', '1M', '-fps_mode', 'passthrough', '-flush_packets', '1'],
  ...['-f', 'flv', url],
];

export interface StampedPublisher {
  close(): Promise<void>;
}

/** Publishes pictures over RTMP that have in them when they were made. */
export function publishStamped(url: string, gopSeconds = 1): StampedPublisher {
  const encoder = spawn(process.env.FFMPEG_PATH ?? 'ffmpeg', ARGS(url, gopSeconds), {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const ended = once(encoder, 'exit');
  const began = performance.now();
  let count = 0;
  let timer = setTimeout(due, 0);
  // It ends before what is written to it does.
  encoder.stdin.on('error', () => undefined);

  function due(): void {
    encoder.stdin.write(pictureOf(Date.now(), count));
    count += 1;
    timer = setTimeout(due, Math.max(0, began + (count * 1000) / RATE - performance.now()));
  }

  return {
    close: async () => {
      clearTimeout(timer);
      encoder.stdin.end();
      await ended;
    },
  };
}

/** YUV 4:2:0, planar. */
function pictureOf(time: number, count: number): Buffer {
  const picture = Buffer.alloc((WIDTH * HEIGHT * 3) / 2, GREY);
  const block = (x: number, y: number, light: number) => {
    for (let line = y; line < y + BLOCK; line++) picture.fill(light, line * WIDTH + x, line * WIDTH + x + BLOCK);
  };
  // Something moves, so that there is something to encode.
  block((count * 7) % (WIDTH - BLOCK), HEIGHT / 2, WHITE);
  for (let row = 0; row < STAMP_ROWS; row++) {
    for (let column = 0; column < STAMP_BITS; column++) {
      block(column * BLOCK, row * BLOCK, isWhite(time, column, row) ? WHITE : BLACK);
    }
  }
  return picture;
}
