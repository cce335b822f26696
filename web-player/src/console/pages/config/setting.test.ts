import { describe, expect, it } from 'vitest';
import { I18n } from '../../i18n/i18n.js';
import { fits, grouped, type Setting, valueText } from './setting.js';
import { texts } from './texts.js';

const setting = (over: Partial<Setting> = {}): Setting => ({
  ...{ key: 'hls.segments', value: 6, source: 'default', environment: 'SLUICE_HLS_SEGMENTS', type: 'number' },
  ...{ allowed: 'whole number, 3 to 100', choices: null, default: 6, restart: false, secret: false },
  description: 'How many segments the playlist lists, at least.',
  ...over,
});

describe('settings in the console', () => {
  it('are found by name, variable and description, and by where they come from', () => {
    for (const search of ['', 'hls.', 'sluice_hls', 'playlist lists'])
      expect(fits(setting(), 'all', search)).toBe(true);
    expect(fits(setting(), 'all', 'rtmp')).toBe(false);
    expect(fits(setting(), 'set', '')).toBe(false);
    expect(fits(setting({ source: 'file' }), 'set', '')).toBe(true);
    expect(fits(setting({ source: 'file' }), 'api', '')).toBe(false);
    expect(fits(setting({ source: 'api' }), 'api', '')).toBe(true);
    expect(fits(setting({ pending: 7 }), 'pending', '')).toBe(true);
  });

  it.each([
    [null, 'nicht gesetzt'],
    ['', 'nicht gesetzt'],
    [false, 'nein'],
    [0, '0'],
    [[], 'keine'],
    [['a', 'b'], 'a, b'],
    [{}, 'keine'],
    [{ a: 1 }, '{"a":1}'],
    [[{ a: 1 }], '[{"a":1}]'],
  ])('say %j in words', (value, text) => {
    expect(valueText(value, setting(), new I18n('de').words(texts))).toBe(text);
  });

  it('never say a secret', () => {
    expect(valueText('(set)', setting({ secret: true }), new I18n('en').words(texts))).toBe('set, and never shown');
  });

  it('come in groups, in their order', () => {
    const groups = grouped([setting({ key: 'b.x' }), setting({ key: 'a' }), setting({ key: 'b.y.z' })]);
    expect([...groups].map(([name, own]) => [name, own.map(({ key }) => key)])).toEqual([
      ['b', ['b.x', 'b.y.z']],
      ['a', ['a']],
    ]);
  });
});
