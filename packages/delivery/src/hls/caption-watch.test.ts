import { aacTrackConfig, h264TrackConfig, micros, type Sample, type TrackConfig } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { type CaptionConstruct, captioned, cea608, construct, HELLO } from '../../../../test/support/captions.js';
import { CaptionWatch } from './caption-watch.js';
import { renderMultivariant } from './multivariant-playlist.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const SOUND = aacTrackConfig(1, Buffer.from('1190', 'hex'));
const VP9: TrackConfig = { ...VIDEO, codec: 'vp9', codecString: 'vp09.00.10.08' };
const PADDING = cea608(0, 0);
/** A packet of service 3 alone. CEA-708 §5 */
const SERVICE_3 = [construct(3, 0x02, (3 << 5) | 1), construct(2, 0x41, 0)];

/** Looks at a picture a second. @param captions of each; undefined for one without a place for them */
function servicesAfter(tracks: readonly TrackConfig[], captions: readonly (readonly CaptionConstruct[] | undefined)[]) {
  const watch = new CaptionWatch();
  watch.configure(tracks);
  captions.forEach((constructs, second) => {
    const time = micros(second * 1_000_000);
    const data = Buffer.from([0, 0, 0, 2, 0x65, 0x88]);
    const sample: Sample = { track: 0, kind: 'video', dts: time, pts: time, keyframe: true, data };
    watch.sample(constructs === undefined ? sample : captioned(sample, constructs));
    // Encoders say again what they send.
    watch.configure(tracks);
  });
  return watch.services;
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('CaptionWatch', () => {
  it('names channels and services, in their order', () => {
    const field2 = cea608(0x15, 0x25, 1);
    const pictures = [SERVICE_3, ...HELLO.map((pair) => [pair]), [field2], undefined];
    expect(servicesAfter([VIDEO, SOUND], pictures)).toEqual(['CC1', 'CC3', 'SERVICE3']);
  });

  it('says that there are none only when that is certain', () => {
    expect(servicesAfter([VIDEO], times(10, undefined))).toBeUndefined();
    expect(servicesAfter([VIDEO], times(11, undefined))).toEqual([]);
    expect(servicesAfter([SOUND], [])).toEqual([]);
    // Nobody has spoken yet, but somebody may.
    expect(servicesAfter([VIDEO], times(60, [PADDING]))).toBeUndefined();
    expect(servicesAfter([VP9], times(60, undefined))).toBeUndefined();
    expect(servicesAfter([VIDEO], [...times(11, undefined), HELLO.slice(0, 1)])).toEqual(['CC1']);
  });

  it('bears pictures that can not be read', () => {
    const watch = new CaptionWatch();
    watch.configure([VIDEO]);
    const broken = Buffer.from([0, 0, 0, 3, 6, 4, 200]);
    watch.sample({ track: 0, kind: 'video', dts: micros(0), pts: micros(0), keyframe: true, data: broken });
    expect(watch.services).toBeUndefined();
  });
});

describe('renderMultivariant', () => {
  const variant = { uri: 'a.m3u8', bandwidth: 1, codecs: undefined, size: undefined, frameRate: undefined };
  const rendered = (captions: readonly string[] | undefined) =>
    renderMultivariant({ variants: [variant, { ...variant, uri: 'b.m3u8' }], independent: false, captions }).split(
      '\n',
    );

  it('lists captions once, and has all versions refer to them', () => {
    expect(rendered(['CC1', 'SERVICE2'])).toEqual([
      ...['#EXTM3U', '#EXT-X-VERSION:7'],
      '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",INSTREAM-ID="CC1"',
      '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="SERVICE2",INSTREAM-ID="SERVICE2"',
      ...['#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS="cc"', 'a.m3u8'],
      ...['#EXT-X-STREAM-INF:BANDWIDTH=1,CLOSED-CAPTIONS="cc"', 'b.m3u8', ''],
    ]);
  });

  it('says of all versions that there are none, or nothing where that is not known', () => {
    expect(rendered([]).filter((line) => line.endsWith(',CLOSED-CAPTIONS=NONE'))).toHaveLength(2);
    expect(rendered(undefined).join()).not.toContain('CAPTIONS');
  });
});
