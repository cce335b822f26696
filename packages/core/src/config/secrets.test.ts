import { describe, expect, it } from 'vitest';
import { ConfigSecrets } from './secrets.js';

const secrets = new ConfigSecrets();

describe('secrets of a configuration', () => {
  it.each([
    [['api', 'token'], 'not for everybody'],
    [['paths'], { 'live/*': { srt: { playPassphrase: 'not for everybody' }, hls: { segments: 3 } } }],
  ])('of %s are hidden, and in force again when what was shown is given back', (path, value) => {
    const shown = secrets.hidden(path, value);
    expect(JSON.stringify(shown)).not.toContain('not for');
    expect(secrets.restored(path, shown, value)).toEqual(value);
  });

  it('are replaced by what is given in their place, and are what is given where there was none', () => {
    expect(secrets.restored(['api', 'token'], 'another', 'before')).toBe('another');
    expect(secrets.restored(['api', 'token'], '(set)', undefined)).toBe('(set)');
    const path = (playPassphrase: string) => ({ 'live/*': { srt: { playPassphrase } } });
    expect(secrets.restored(['paths'], { ...path('(set)'), 'vod/*': {} }, path('before'))).toEqual({
      ...path('before'),
      'vod/*': {},
    });
  });

  it('leave what is none as it is, also where it says the same', () => {
    expect(secrets.restored(['bbb', 'profiles'], { a: { locale: '(set)' } }, { a: { locale: 'en' } })).toEqual({
      a: { locale: '(set)' },
    });
    expect(secrets.restored(['hls', 'segments'], 4, 6)).toBe(4);
  });
});
