import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.js';
import { parseStreamPath } from '../stream-path.js';
import { pullFor } from './pull-settings.js';
import { RelayUrl } from './relay-url.js';

const PATH = parseStreamPath('live/show/one');
const of = (template: string) => {
  const url = RelayUrl.of(template, PATH);
  if (url === undefined) throw new Error('no URL');
  return url;
};

describe('RelayUrl', () => {
  it.each([
    ['rtmp://host/{app}/{name}', '', 'rtmp://host/live/show/one'],
    ['rtmp://host/{app}/{name}', 'token=a', 'rtmp://host/live/show/one?token=a'],
    ['https://host/{app}/{name}.flv?x=1', 'token=a&b=2', 'https://host/live/show/one.flv?x=1&token=a&b=2'],
    ['http://host/x.flv#part', 'token=a', 'http://host/x.flv?token=a#part'],
  ])('has the path and a query put in: %s %s', (template, query, expected) => {
    expect(of(template).withQuery(query).reveal()).toBe(expected);
  });

  it.each([
    ['srt://host:1?streamid=read:{app}/{name}&latency=60', 'read:live/show/one?token=a&b=c d'],
    ['srt://host:1?latency=60&streamid=%23!::r={app}/{name},m=request', '#!::r=live/show/one,m=request,token=a,b=c d'],
  ])('has it in the stream id over SRT: %s', (template, expected) => {
    const { searchParams } = new URL(of(template).withQuery('token=a&b=c%20d').reveal());
    expect([searchParams.get('latency'), decodeURIComponent(searchParams.get('streamid') ?? '')]).toEqual([
      '60',
      expected,
    ]);
  });

  it('shows itself without its secrets, and takes them out of what others say', () => {
    const url = of('rtmp://anna:password@host:1936/app/streamkey?auth=hush%20hush').withQuery('token=secret1');
    expect([`${url}`, JSON.stringify({ url }), url.name]).toEqual([
      'rtmp://host:1936',
      '{"url":"rtmp://host:1936"}',
      'rtmp://host:1936',
    ]);
    const told = url.redact(`no ${url.reveal()}, and no streamkey?auth=hush%20hush&token=secret1, hush hush, password`);
    for (const secret of ['streamkey', 'hush', 'secret1', 'password', 'anna']) expect(told).not.toContain(secret);
    expect(of('rtmp://host/{app}/{name}').redact('nobody publishes live/show/one')).toBe(
      'nobody publishes live/show/one',
    );
    expect(of('srt://h:1?streamid=read:live/show/one?key=hush1').redact('hush1 of live/show/one')).toBe(
      '(hidden) of live/show/one',
    );
  });

  it('is of no other scheme', () => {
    expect([RelayUrl.of('rtsp://host/x', PATH), RelayUrl.of('host', PATH)]).toEqual([undefined, undefined]);
  });
});

describe('pullFor', () => {
  const config = loadConfig({
    file: {
      name: 'x.yml',
      text: `
paths:
  "live/*": { pull: { url: "rtmp://one/{app}/{name}", idleSeconds: 5 }, transcode: { renditions: { small: { height: 180, videoBitrate: 300 } } } }
  "live/special*": { hls: { segmentSeconds: 4 } }
  "live/sp*": { pull: { url: "http://two/{name}.flv", passQuery: true } }
  "studio/one": { pull: { url: "srt://three:1" } }
  "studio/two": { pull: { url: "srt://three:1", mode: onDemand } }
`,
    },
  });
  const pull = (path: string) => pullFor(config, parseStreamPath(path));

  it('is that of the longest pattern that pulls', () => {
    expect(pull('live/a')).toMatchObject({ mode: 'onDemand', idleSeconds: 5, stallSeconds: 10, passQuery: false });
    expect(pull('live/a')?.url.reveal()).toBe('rtmp://one/live/a');
    expect(pull('live/special')?.url.reveal()).toBe('http://two/special.flv');
    expect([pull('studio/one')?.mode, pull('studio/two')?.mode]).toEqual(['always', 'onDemand']);
    expect([pull('live/a/small'), pull('other/a')]).toEqual([undefined, undefined]);
  });
});
