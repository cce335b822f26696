import { millis } from '@sluice/media';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../config/load.js';
import { parseStreamPath } from '../stream-path.js';
import { NamingError, NamingTemplate, type RecordingNameValues } from './naming-template.js';

const VALUES: RecordingNameValues = {
  path: parseStreamPath('live/studio/show'),
  startedAt: millis(Date.UTC(2026, 10, 21, 9, 5, 7, 42)),
  id: 'abcd',
  container: 'mp4',
};
const DEFAULT = '{app}/{name}/{yyyy}-{MM}-{dd}/{HH}-{mm}-{ss}.{ext}';

describe('the template of names', () => {
  it('puts in stream, time, id and extension', () => {
    const expand = (text: string) => NamingTemplate.parse(text).expand(VALUES);
    expect(expand(DEFAULT)).toBe('live/studio/show/2026-11-21/09-05-07.mp4');
    expect(expand('{unix}.{SSS}-{id}-{mm}{mm}')).toBe('1795251907.042-abcd-0505');
    expect(expand('all in one')).toBe('all in one');
  });

  it.each([
    ['', 'is no name'],
    ['/etc/{name}', 'begins with "/"'],
    ['a//{name}', 'is no name'],
    ['../{name}.mp4', '".." is no name'],
    ['a/./{name}', '"." is no name'],
    ['a\\{name}', 'backslash'],
    ['a\n{name}', 'control character'],
    ['a\0{name}', 'control character'],
    ['{title}.mp4', 'allowed: {app}, {name}'],
    ['{toString}', 'is no placeholder'],
    ['{name', 'is no placeholder'],
    ['name}', 'is no placeholder'],
    ['{{name}}', 'is no placeholder'],
    ['x'.repeat(300), 'over 240 bytes'],
    ['x/'.repeat(600), 'longer than 1024'],
  ])('refuses %j', (text, message) => {
    expect(() => NamingTemplate.parse(text)).toThrow(NamingError);
    expect(() => NamingTemplate.parse(text)).toThrow(message);
  });

  it('never leads out of the root, and says of what stream a file is', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,60}$/);
    const path = fc
      .array(segment, { minLength: 2, maxLength: 4 })
      .map((segments) => `x${segments.join('/')}`)
      .filter((text) => text.length <= 255);
    fc.assert(
      fc.property(path, fc.constantFrom(DEFAULT, '{name}/{app}.{ext}', '{name}-{app}-{unix}'), (text, template) => {
        const file = NamingTemplate.parse(template).expand({ ...VALUES, path: parseStreamPath(text) });
        for (const name of file.split('/')) {
          expect(['', '.', '..']).not.toContain(name);
          expect(name.length).toBeLessThanOrEqual(255);
        }
        if (template !== DEFAULT) return;
        expect(NamingTemplate.parse(DEFAULT).read(file)).toEqual({ path: text, container: 'mp4' });
      }),
    );
  });

  it('knows nothing of files with other names', () => {
    for (const file of ['notes.txt', 'live/show/today/x.mp4', 'live/show/2026-11-21/09-05-07.mkv', '']) {
      expect(NamingTemplate.parse(DEFAULT).read(file)).toBeUndefined();
    }
  });

  it('is checked with the configuration, which names the key', () => {
    const text = 'recording: { name: "../x" }\npaths: { "live/*": { recording: { name: "{nam}" } } }';
    expect(() => loadConfig({ file: { name: 'x.yml', text } })).toThrow(ConfigError);
    expect(() => loadConfig({ file: { name: 'x.yml', text } })).toThrow(
      /recording\.name: "\.\.\/x" is not valid; "\.\." is no name[\s\S]*paths\.live\/\*\.recording\.name: "\{nam\}" is not valid/,
    );
  });

  it('falls back to a short name where a stream has too long a one', () => {
    const path = parseStreamPath(`live/${'a/'.repeat(100)}${'n'.repeat(40)}`);
    const file = NamingTemplate.parse('{app}-{name}-{name}-{name}-{name}-{name}.{ext}').expand({ ...VALUES, path });
    expect(file).toBe(`${path}/abcd.mp4`);
  });
});
