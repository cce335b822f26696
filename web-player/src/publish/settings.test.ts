import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHintOf, readSettings } from './settings.js';

const defaults = readSettings({});

describe('readSettings', () => {
  it('has a default for all', () => {
    expect(defaults).toEqual({
      source: 'camera',
      camera: '',
      microphone: '',
      height: 720,
      frameRate: 30,
      bitrate: undefined,
      content: 'auto',
      music: false,
    });
  });

  it('takes the texts of a form', () => {
    const form = { source: 'screen', camera: 'abc', height: '1080', frameRate: '60', bitrate: '6000000', music: 'on' };
    expect(readSettings(form)).toMatchObject({
      ...form,
      height: 1080,
      frameRate: 60,
      bitrate: 6_000_000,
      music: true,
    });
    expect(readSettings({ bitrate: '' }).bitrate).toBeUndefined();
  });

  it('takes nothing that cannot be chosen', () => {
    expect(readSettings({ source: 'x', camera: 7, height: 721, frameRate: -1, bitrate: 1, content: {} })).toEqual(
      defaults,
    );
  });

  it('reads what it has written, and bears anything', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(defaults)), fc.jsonValue()), (stored) => {
        const settings = readSettings(stored);
        expect(readSettings(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
      }),
    );
  });
});

describe('contentHintOf', () => {
  it.each([
    ['camera', 'auto', 'motion'],
    ['screen', 'auto', 'detail'],
    ['screen', 'motion', 'motion'],
    ['camera', 'text', 'text'],
  ] as const)('of a %s and %s is %s', (source, content, hint) => {
    expect(contentHintOf({ ...defaults, source, content })).toBe(hint);
  });
});
