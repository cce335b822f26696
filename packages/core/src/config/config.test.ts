import { describe, expect, it } from 'vitest';
import { configEntries } from './entries.js';
import { ConfigError, loadConfig, settingsFor } from './load.js';

describe('configuration', () => {
  it('has one name for each setting in the environment, and every one of them works', () => {
    const entries = configEntries().filter((entry) => entry.environment !== undefined);
    expect(new Set(entries.map((entry) => entry.environment)).size).toBe(entries.length);
    expect(entries.length).toBeGreaterThan(30);
    for (const { environment = '', type, default: value, key } of entries) {
      // Each default, said again by its variable, comes to the same configuration.
      if (value === undefined) continue;
      const config = loadConfig({ environment: { [environment]: String(value) } });
      expect([key, config]).toEqual([key, loadConfig({})]);
      if (type === 'number') expect(() => loadConfig({ environment: { [environment]: 'x' } })).toThrow(ConfigError);
    }
  });

  it('describes every setting', () => {
    expect(configEntries().filter((entry) => entry.description === '')).toEqual([]);
  });

  it('lets a path differ, the longest pattern winning', () => {
    const text = `
publish: { graceSeconds: 1 }
paths:
  "*/*": { publish: { graceSeconds: 2 }, hls: { segmentSeconds: 5 } }
  "live/*": { publish: { takeover: refuse } }
  "live/show": { publish: { graceSeconds: 0 } }
`;
    const config = loadConfig({ file: { name: 'x.yml', text } });
    const of = (path: string) => {
      const { publish, hls } = settingsFor(config, path);
      return [publish.graceSeconds, publish.takeover, hls.segmentSeconds];
    };
    expect(of('live/show')).toEqual([0, 'refuse', 5]);
    expect(of('live/other')).toEqual([2, 'refuse', 5]);
    expect(of('studio/one')).toEqual([2, 'replace', 5]);
    expect(of('a/b/c')).toEqual([1, 'replace', 2]);
  });

  it.each([
    ['hls: { encryption: sample-aes, container: mpegts }', ['hls']],
    ['hls: { container: mpegts }\npaths: { "live/*": { hls: { encryption: sample-aes } } }', ['paths.live/*.hls']],
    [
      'paths: { "live/*": { hls: { container: mpegts } }, "live/show": { hls: { encryption: sample-aes } } }',
      ['paths.live/show.hls'],
    ],
    ['hls: { encryption: aes-128, container: mpegts }', []],
    ['hls: { encryption: sample-aes, container: fmp4 }', []],
  ])('has no encryption of samples in MPEG-TS: %s', (text, wrong) => {
    let problems: readonly string[] = [];
    try {
      loadConfig({ file: { name: 'x.yml', text } });
    } catch (error) {
      ({ problems } = error as ConfigError);
    }
    expect(problems).toEqual(
      wrong.map(
        (key) =>
          `${key}.encryption: "sample-aes" is not valid with container "mpegts"; allowed: aes-128, or container fmp4 or auto`,
      ),
    );
  });

  it('names all faults at once', () => {
    const text = 'rtmp: { port: x, chunkSize: 1 }\nhsl: {}\nhttp: { prot: 1 }';
    try {
      loadConfig({ file: { name: 'x.yml', text } });
      expect.unreachable();
    } catch (error) {
      expect((error as ConfigError).problems.map((problem) => problem.split(':')[0])).toEqual([
        'rtmp.port',
        'rtmp.chunkSize',
        'http.prot',
        'hsl',
      ]);
    }
  });

  it.each([
    { push: { urls: ['http://hush.example'] } },
    { api: { token: 'hush' } },
    { paths: { 'live/*': { pull: { url: 'srt://h:1?passphrase=hush', mode: 'always' } } } },
    { paths: { 'live/a': { pull: { url: 'rtsp://h:1?passphrase=hush' } } } },
    { paths: { '*/a': { pull: { url: 'rtmp://{app}.example/hush/{name}' } } } },
    { paths: { 'live/a': { push: { urls: ['http://h:1?passphrase=hush'] } } } },
    { paths: { 'live/a': { srt: { playPassphrase: 'hush' } } } },
  ])('says what is wrong without what is secret: %j', (tree) => {
    const load = () => loadConfig({ file: { name: 'sluice.yml', text: JSON.stringify(tree) } });
    expect(load).toThrow(ConfigError);
    expect(load).not.toThrow('hush');
  });
});
