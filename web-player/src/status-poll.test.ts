import { describe, expect, it } from 'vitest';
import type { StatusClient, StreamStatus } from './status-client.js';
import { StatusPoll } from './status-poll.js';

const LIVE: StreamStatus = { path: 'live/show', state: 'live', viewers: 1, tracks: [] };

function pollOf(answer: () => Promise<StreamStatus | number>) {
  const told: unknown[] = [];
  let asked = 0;
  const client = {
    stream: (_path: string, query: string) => {
      asked += 1;
      told.push(query);
      return answer();
    },
  };
  const poll = new StatusPoll({
    path: 'live/show',
    client: client as unknown as StatusClient,
    query: () => `token=${asked + 1}`,
    heard: ({ state }) => told.push(state),
    refused: (status) => told.push(status),
    unreachable: () => told.push('unreachable'),
  });
  return { poll, told, settled: () => new Promise((resolve) => setTimeout(resolve)) };
}

describe('StatusPoll', () => {
  it('asks when it is time to, with the credential of then', async () => {
    const { poll, told, settled } = pollOf(async () => LIVE);
    poll.tick(0, 2000);
    poll.tick(0, 2000);
    await settled();
    poll.tick(1000, 2000);
    poll.soon(300);
    await settled();
    expect(told).toEqual(['token=1', 'live']);
    poll.tick(3000, 2000);
    await settled();
    poll.next();
    poll.tick(3001, 2000);
    await settled();
    expect(told).toEqual(['token=1', 'live', 'token=2', 'live', 'token=3', 'live']);
  });

  it('tells refusals from silence', async () => {
    let answer: Promise<number> = Promise.resolve(401);
    const { poll, told, settled } = pollOf(() => answer);
    poll.soon(0);
    await settled();
    answer = Promise.reject(new Error('no network'));
    poll.soon(10_000);
    await settled();
    expect(told).toEqual(['token=1', 401, 'token=2', 'unreachable']);
    expect(poll.isUnreachable).toBe(true);
  });

  it('tells nothing after its end', async () => {
    const { poll, told, settled } = pollOf(async () => LIVE);
    poll.soon(0);
    poll.close();
    await settled();
    expect(told).toEqual(['token=1']);
  });
});
