import { encodeFlvTag, flvFileHeader } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { markAccessUnit } from '../sei-mark.js';
import { FlvWalker } from './flv-walker.js';

type Frame = readonly [sequence: number, keyframe: boolean];

const key = Buffer.from('17010000000000000265aa', 'hex');
const inter = Buffer.from('2701000000000000024101', 'hex');

const stream = Buffer.concat([
  flvFileHeader({ audio: true, video: true }),
  encodeFlvTag(18, 0, Buffer.from('0200', 'hex')),
  encodeFlvTag(9, 0, Buffer.from('1700000000', 'hex')),
  encodeFlvTag(9, 0, markAccessUnit(key, 1)),
  encodeFlvTag(8, 10, Buffer.alloc(300, 0xaf)),
  encodeFlvTag(8, 11, Buffer.alloc(0)),
  encodeFlvTag(9, 20, inter, Buffer.alloc(40)),
  encodeFlvTag(9, 33, markAccessUnit(Buffer.concat([inter, Buffer.alloc(1000)]), 2)),
]);
const FRAMES: readonly Frame[] = [
  [1, true],
  [2, false],
];

function walk(pieces: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const walker = new FlvWalker({ frame: (sequence, keyframe) => frames.push([sequence, keyframe]) });
  for (const piece of pieces) walker.feed(piece, 0, piece.length);
  return frames;
}

describe('FlvWalker', () => {
  test('reports marked frames and nothing else', () => {
    expect(walk([stream])).toEqual(FRAMES);
  });

  test('split at every byte', () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(walk([stream.subarray(0, at), stream.subarray(at)])).toEqual(FRAMES);
    }
  });

  test('byte by byte, from a buffer that is used again', () => {
    const frames: Frame[] = [];
    const walker = new FlvWalker({ frame: (sequence, keyframe) => frames.push([sequence, keyframe]) });
    const buffer = Buffer.alloc(3);
    for (const byte of stream) {
      buffer.fill(byte);
      walker.feed(buffer, 1, 2);
    }
    expect(frames).toEqual(FRAMES);
  });

  test('in any pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length })), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const pieces = places.slice(1).map((end, index) => stream.subarray(places[index], end));
        expect(walk(pieces)).toEqual(FRAMES);
      }),
    );
  });

  test('a frame counts when its last byte is there', () => {
    expect(walk([stream.subarray(0, -1)])).toEqual(FRAMES.slice(0, 1));
  });

  test('any bytes come to an end', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => void walk([Buffer.from(bytes)])));
  });
});
