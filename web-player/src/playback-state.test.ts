import { describe, expect, it } from 'vitest';
import { judge, type Situation, type Verdict } from './playback-state.js';

const standing: Situation = {
  status: 'live',
  paused: false,
  pausedFor: 0,
  moving: false,
  stillFor: 1000,
  hasMoved: true,
  patience: { firstPicture: 15_000, nextPicture: 6000 },
};

describe('judge', () => {
  it.each<[string, Partial<Situation>, Verdict]>([
    ['a moving picture plays, whatever the server says', { moving: true, status: 'waiting' }, { state: 'playing' }],
    ['it plays on between two looks', { stillFor: 300 }, { state: 'playing' }],
    ['a picture that stands buffers, and the server is asked', {}, { state: 'buffering', act: 'ask' }],
    ['one that stands too long is begun anew', { stillFor: 6001 }, { state: 'buffering', act: 'restart' }],
    ['but not while the encoder is gone', { stillFor: 60_000, status: 'waiting' }, { state: 'waiting' }],
    ['nor while nothing is known', { stillFor: 6001, status: undefined }, { state: 'buffering', act: 'ask' }],
    ['a first picture is waited for', { hasMoved: false, stillFor: 7000 }, { state: 'connecting' }],
    ['but not for ever', { hasMoved: false, stillFor: 15_001 }, { state: 'connecting', act: 'restart' }],
    ['a pause is a pause', { paused: true, stillFor: 60_000 }, { state: 'paused' }],
    ['a long one is not streamed to', { paused: true, pausedFor: 20_001 }, { state: 'paused', act: 'unload' }],
  ])('%s', (_what, change, verdict) => {
    expect(judge({ ...standing, ...change })).toEqual(verdict);
  });
});
