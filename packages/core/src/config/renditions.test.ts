import { describe, expect, it } from 'vitest';
import { loadConfig, renditionOf, settingsFor } from './load.js';

const load = (text: string) => loadConfig({ file: { name: 'x.yml', text } });
const SMALL = 'small: { height: 240, videoBitrate: 400 }';

describe('renditions in the configuration', () => {
  const config = load(`
transcode: { mode: always, renditions: { ${SMALL} } }
push: { urls: ["srt://example.org:9000"] }
paths:
  "live/*": { access: { play: credential }, transcode: { mode: on-demand, renditions: { ${SMALL}, sound: { codec: none } } } }
  "live/plain": { transcode: { renditions: {} } }
  "live/show/small": { access: { play: open } }
`);

  it.each([
    ['live/show/small', { source: 'live/show', name: 'small' }],
    ['live/show/sound', { source: 'live/show', name: 'sound' }],
    ['other/show/small', { source: 'other/show', name: 'small' }],
    ['other/show/sound', undefined],
    ['live/show', undefined],
    ['live/small', undefined],
    ['live/plain/small', undefined],
    ['live/show/small/small', undefined],
    ['live/show/constructor', undefined],
    ['live/show/__proto__', undefined],
  ])('knows what %s is', (path, expected) => {
    expect(renditionOf(config, path)).toEqual(expected);
  });

  it('have the settings of their source, and no renditions or relays of their own', () => {
    const settings = settingsFor(config, 'live/show/small');
    expect(settings.access.play).toBe('credential');
    expect(settings.transcode).toEqual({ mode: 'on-demand', renditions: {} });
    expect(settings.push.urls).toEqual([]);
    expect(settings.publish.graceSeconds).toBe(0);
    expect(settingsFor(config, 'live/show').push.urls).toHaveLength(1);
    expect(settingsFor(config, 'other/show').transcode.mode).toBe('always');
  });

  it.each([
    ['{ small: { height: 240 } }', /videoBitrate.*needed for a picture/],
    ['{ small: { videoBitrate: 240 } }', /height.*needed for a picture/],
    ['{ silent: { codec: none, audio: none } }', /without picture and without sound/],
    ['{ ../up: { height: 240, videoBitrate: 400 } }', /transcode\.renditions/],
    ['{ small: { height: 240, videoBitrate: 400, encoder: "libx264 -f x" } }', /letters, digits/],
    ['{ small: { height: 240, videoBitrate: 400, colour: red } }', /colour: no such key/],
  ])('says what is wrong with %s', (renditions, message) => {
    expect(() => load(`transcode: { renditions: ${renditions} }`)).toThrow(message);
  });
});
