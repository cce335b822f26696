import { afterEach, describe, expect, it, vi } from 'vitest';
import { ServerClock } from './server-clock.js';
import { StatusClient, sameCodecs, type TrackStatus } from './status-client.js';

const answer = (status: number, body: unknown = {}) =>
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(body), { status }));
const client = new StatusClient(new ServerClock());

describe('StatusClient', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('lists streams, and tells when it may not', async () => {
    const server = { name: 'Sluice', version: '0.1.0', rtmpPort: 1935 };
    answer(200, { server, streams: [] });
    expect(await client.streams()).toEqual({ kind: 'streams', server, streams: [] });
    answer(403);
    expect(await client.streams()).toEqual({ kind: 'hidden' });
  });

  it.each([400, 401, 403, 429])('tells that it may not know: %i', async (status) => {
    answer(status);
    expect(await client.stream('live/show')).toBe(status);
  });

  it("shows the page's credential", async () => {
    const asked: string[] = [];
    vi.stubGlobal('fetch', async (url: string) => {
      asked.push(url);
      return new Response('{}');
    });
    await new StatusClient(new ServerClock()).stream('live/show', 'token=t');
    await new StatusClient(new ServerClock(), 'https://host').stream('live/show');
    expect(asked).toEqual(['/status/streams/live/show?token=t', 'https://host/status/streams/live/show']);
  });

  it('throws what it has no word for', async () => {
    answer(500);
    await expect(client.stream('live/show')).rejects.toThrow('500');
    await expect(client.streams()).rejects.toThrow('500');
  });
});

describe('sameCodecs', () => {
  const track = (codec: string): TrackStatus => ({ kind: 'video', codec, codecString: codec });

  it('minds what there is, not its order', () => {
    expect(sameCodecs([track('h264'), track('aac')], [track('aac'), track('h264')])).toBe(true);
    expect(sameCodecs([track('h264'), track('aac')], [track('h264')])).toBe(false);
    expect(sameCodecs([track('h264')], [track('hevc')])).toBe(false);
  });
});
