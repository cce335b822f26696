import { describe, expect, it } from 'vitest';
import type { Engine } from './engines/engine.js';
import type { PlayerProtocol } from './protocol.js';
import { QualityChoice } from './quality-choice.js';
import type { StreamStatus } from './status-client.js';

function choiceOf(protocol: PlayerProtocol, qualities: readonly { name: string }[]) {
  const asked: number[] = [];
  const engine = { qualities, chooseQuality: (index: number) => asked.push(index) };
  const status: StreamStatus = { path: 'a/b', state: 'live', viewers: 0, tracks: [], renditions: ['720p', '240p'] };
  let restarts = 0;
  const choice = new QualityChoice({
    engine: () => engine as unknown as Engine,
    protocol: () => protocol,
    status: () => status,
    restart: () => {
      restarts += 1;
    },
  });
  return { choice, asked, restarts: () => restarts };
}

describe('QualityChoice', () => {
  it('is the engine’s over HLS, or left to it', () => {
    const { choice, asked, restarts } = choiceOf('ll-hls', [{ name: '1080p' }, { name: '720p' }]);
    expect([choice.canBeLeft, choice.chosen]).toEqual([true, -1]);
    choice.choose(1);
    expect([choice.chosen, asked, restarts(), choice.pathOf('a/b')]).toEqual([1, [1], 0, 'a/b']);
    choice.engineEnded();
    expect(choice.chosen).toBe(-1);
  });

  it('is a stream of its own by other protocols, until none comes', () => {
    const { choice, restarts } = choiceOf('webrtc', []);
    expect([choice.canBeLeft, choice.list.length, choice.chosen]).toEqual([false, 2, -1]);
    choice.choose(1);
    expect([choice.chosen, restarts(), choice.pathOf('a/b')]).toEqual([1, 1, 'a/b/240p']);
    choice.failed();
    expect(choice.pathOf('a/b')).toBe('a/b');
  });

  it('is none over HLS that has one quality', () => {
    expect(choiceOf('hls', []).choice.list).toEqual([]);
  });
});
