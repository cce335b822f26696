import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ffmpegLine, Lines, ProgressReader } from './ffmpeg-output.js';

const BLOCK = `frame=75
fps=25.02
stream_0_0_q=23.0
bitrate=N/A
out_time_us=3000000
dup_frames=0
drop_frames=2
speed=1.01x
progress=continue
`;

describe('ProgressReader', () => {
  it('gives the newest block that is complete, wherever it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: BLOCK.length }), { maxLength: 5 }), (cuts) => {
        const reader = new ProgressReader();
        const bytes = Buffer.from(BLOCK);
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const got = at.slice(1).map((end, index) => reader.push(bytes.subarray(at[index], end)));
        expect(got.at(-1) ?? got.find((progress) => progress !== undefined)).toEqual({
          frames: 75,
          fps: 25.02,
          speed: 1.01,
          dropped: 2,
        });
      }),
    );
  });

  it('tells no speed before there is one', () => {
    expect(new ProgressReader().push(Buffer.from('speed=N/A\nprogress=continue\n'))).toEqual({
      frames: 0,
      fps: 0,
      speed: undefined,
      dropped: 0,
    });
  });

  it('bears anything', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (chunks) => {
        const [reader, lines] = [new ProgressReader(), new Lines(8)];
        for (const chunk of chunks) {
          reader.push(Buffer.from(chunk));
          for (const line of lines.push(Buffer.from(chunk))) expect(line.length).toBeLessThanOrEqual(8);
        }
      }),
    );
  });
});

describe('ffmpegLine', () => {
  it.each([
    ['[mpegts @ 0x55d0] [warning] DTS is odd', { level: 'warning', text: '[mpegts] DTS is odd' }],
    ['[error] pipe:3: Broken pipe', { level: 'error', text: 'pipe:3: Broken pipe' }],
    ['[fatal] Error initializing', { level: 'error', text: 'Error initializing' }],
    ['[libx264 @ 0x1] [info] profile Main', { level: 'info', text: '[libx264] profile Main' }],
    ['x265 [info]: HEVC encoder', { level: 'other', text: 'x265 [info]: HEVC encoder' }],
  ])('reads %s', (line, expected) => {
    expect(ffmpegLine(line)).toEqual(expected);
  });
});
