import { encodeMessage } from '@sluice/rtmp';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { markAccessUnit } from '../sei-mark.js';
import { RtmpWalker } from './rtmp-walker.js';

type Seen = readonly [sequence: number, keyframe: boolean] | readonly [type: number, body: string];

const key = Buffer.from('17010000000000000265aa', 'hex');
const inter = Buffer.from('2701000000000000024101', 'hex');
const video = (sequence: number, body: Buffer) => markAccessUnit(Buffer.concat([body, Buffer.alloc(500)]), sequence);

function message(type: number, chunkStreamId: number, timestamp: number, chunkSize: number, payload: Buffer): Buffer {
  return encodeMessage({ chunkStreamId, type, timestamp, messageStreamId: 1 }, chunkSize, payload);
}

/** Two messages whose chunks take turns, as chunks of different chunk streams may. RTMP §5.3. */
function interleaved(): Buffer {
  const audio = message(8, 4, 0, 128, Buffer.alloc(200, 1));
  const frame = message(9, 6, 0, 128, video(3, inter).subarray(0, 200));
  return Buffer.concat([audio.subarray(0, 140), frame.subarray(0, 140), audio.subarray(140), frame.subarray(140)]);
}

/** A message of one chunk with the given format, and a chunk stream id of two or three bytes. RTMP §5.3.1.1. */
function chunk(basicHeader: string, header: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(basicHeader + header, 'hex'), payload]);
}

const small = markAccessUnit(key, 5);
const length = small.length.toString(16).padStart(6, '0');

const stream = Buffer.concat([
  message(20, 3, 0, 128, Buffer.alloc(300, 7)),
  message(9, 6, 0, 128, video(1, key)),
  message(1, 2, 0, 128, Buffer.from('00000200', 'hex')),
  message(9, 6, 0x1000000, 512, video(2, inter)),
  message(1, 2, 0, 512, Buffer.from('00000080', 'hex')),
  interleaved(),
  message(18, 5, 0, 128, Buffer.alloc(200)),
  message(9, 6, 0, 128, Buffer.from('1700000000', 'hex')),
  message(8, 4, 0, 128, Buffer.alloc(0)),
  chunk('00' + '10', `000000${length}0901000000`, small),
  chunk('40' + '10', `000021${length}09`, markAccessUnit(key, 6)),
  chunk('80' + '10', '000021', markAccessUnit(inter, 7)),
  chunk('c0' + '10', '', markAccessUnit(inter, 8)),
  chunk('01' + '0001', `000000${length}0901000000`, markAccessUnit(key, 9)),
  message(4, 2, 0, 128, Buffer.from('000600000001', 'hex')),
]);
const SEEN: readonly Seen[] = [
  [20, '07'.repeat(300)],
  [1, true],
  [2, false],
  [3, false],
  [5, true],
  [6, true],
  [7, false],
  [8, false],
  [9, true],
  [4, '000600000001'],
];

function walk(pieces: readonly Buffer[]): Seen[] {
  const seen: Seen[] = [];
  const walker = new RtmpWalker({ frame: (sequence, keyframe) => seen.push([sequence, keyframe]) }, (type, body) =>
    seen.push([type, body.toString('hex')]),
  );
  for (const piece of pieces) walker.feed(piece, 0, piece.length);
  return seen;
}

describe('RtmpWalker', () => {
  test('reports marked frames, and messages that are no media', () => {
    expect(walk([stream])).toEqual(SEEN);
  });

  test('split at every byte', () => {
    for (let at = 0; at <= stream.length; at++) {
      expect(walk([stream.subarray(0, at), stream.subarray(at)])).toEqual(SEEN);
    }
  });

  test('byte by byte', () => {
    expect(walk(Array.from(stream, (byte) => Buffer.of(byte)))).toEqual(SEEN);
  });

  test('any bytes come to an end', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => void walk([Buffer.from(bytes)])));
  });
});
