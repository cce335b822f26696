import { expect, it } from 'vitest';
import { storyboardTrack } from './storyboard-track.js';

it('names the places of pictures in a sprite', () => {
  const times = Array.from({ length: 11 }, (_, at) => at * 400_000);
  const board = { jpeg: Buffer.alloc(0), columns: 10, width: 160, height: 90, times, end: 4_100_500 };
  const text = storyboardTrack(board, 'a.jpg');
  expect(text.startsWith('WEBVTT\n\n00:00:00.000 --> 00:06:40.000\na.jpg#xywh=0,0,160,90\n\n')).toBe(true);
  expect(text.endsWith('01:06:40.000 --> 01:08:20.500\na.jpg#xywh=0,90,160,90\n')).toBe(true);
});
