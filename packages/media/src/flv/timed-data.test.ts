import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AmfValue, EcmaArray, encodeAmf0 } from '../amf/index.js';
import { readId3 } from '../id3/tag.js';
import { FlvSampleReader } from './sample-reader.js';
import { FLV_AUDIO, FLV_SCRIPT } from './tag.js';

const SPLICE = '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=';

/** A reader that has had a second of sound, up to 5 s. */
function reader(): FlvSampleReader {
  const made = new FlvSampleReader();
  made.read(FLV_AUDIO, 0, Buffer.from('af001190', 'hex'));
  made.read(FLV_AUDIO, 5000, Buffer.from('af01211004', 'hex'));
  return made;
}
const said = (timestamp: number, ...values: readonly (AmfValue | EcmaArray)[]) =>
  reader().read(FLV_SCRIPT, timestamp, encodeAmf0(...(values as AmfValue[])));
const text = (description: string, value: AmfValue) => [{ id: 'TXXX', description, value: JSON.stringify(value) }];

describe('timed data in FLV and RTMP', () => {
  it.each([
    [
      'onAdCue',
      'as the legacy signalling of ads has it',
      { cue: SPLICE, type: 'scte35', id: 'a', duration: 60, time: 7.5 },
      7_500_000,
    ],
    ['onCuePoint', 'in its parameters', { name: 'scte35', type: 'event', parameters: { message: SPLICE } }, 5_020_000],
    ['onAdCue', 'with a time of another clock', { cue: SPLICE, time: 86_400 }, 5_020_000],
    ['onMetaData', 'as metadata', { scte35: SPLICE }, 5_020_000],
  ])('brings SCTE 35 by %s, %s', (name, _how, value, at) => {
    expect(said(5020, name, value)).toEqual([
      { type: 'timed-metadata', kind: 'scte35', at, data: Buffer.from(SPLICE, 'base64') },
    ]);
  });

  it('brings everything else for viewers as ID3', () => {
    for (const [name, value] of [
      ['onTextData', { text: 'Größe', language: 'eng' }],
      ['onCuePoint', { name: 'goal', parameters: { by: 'nine' } }],
      ['onMetaData', { title: 'another song' }],
    ] as const) {
      const [event] = said(5020, name, value);
      expect(event).toMatchObject({ type: 'timed-metadata', kind: 'id3', at: 5_020_000 });
      expect(event?.type === 'timed-metadata' && readId3(event.data)).toEqual(text(name, value));
    }
  });

  it('leaves the description of the stream what it is', () => {
    expect(said(5020, '@setDataFrame', 'onMetaData', new EcmaArray({ width: 640, title: 'x' }))).toEqual([
      { type: 'metadata', metadata: { width: 640, title: 'x' } },
    ]);
    const first = new FlvSampleReader().read(FLV_SCRIPT, 0, encodeAmf0('onMetaData', { title: 'x' }));
    expect(first).toEqual([{ type: 'metadata', metadata: { title: 'x' } }]);
  });

  it('passes over what is for others, too long, or broken', () => {
    expect(said(5020, 'onFI', { tc: '10:00:00:00' })).toEqual([]);
    expect(said(5020, 'onTextData')).toEqual([]);
    expect(said(5020, 'onTextData', { text: 'x'.repeat(20_000) })).toEqual([]);
    const broken = encodeAmf0('onTextData', { text: 'cut off' }).subarray(0, -8);
    expect(reader().read(FLV_SCRIPT, 5020, broken)).toEqual([]);
    const wrong = SPLICE.replace('AUsz1', 'AUsz2');
    expect(said(5020, 'onAdCue', { cue: wrong })).toMatchObject([{ kind: 'id3' }]);
  });

  it('follows the timestamps over their wrap', () => {
    const made = new FlvSampleReader();
    made.read(FLV_AUDIO, 0, Buffer.from('af001190', 'hex'));
    made.read(FLV_AUDIO, 0xffff_ff00, Buffer.from('af01211004', 'hex'));
    expect(made.read(FLV_SCRIPT, 20, encodeAmf0('onTextData', { text: 'x' }))).toMatchObject([
      { at: (2 ** 32 + 20) * 1000 },
    ]);
  });

  it('bears anything', () => {
    const value = fc.dictionary(
      fc.string({ maxLength: 8 }),
      fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.constant(SPLICE)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('onTextData', 'onAdCue', 'onCuePoint'),
        value,
        fc.nat(60),
        fc.nat(255),
        (name, object, at, byte) => {
          const body = encodeAmf0(name, object as AmfValue);
          if (at + 15 < body.length) body[at + 15] = byte;
          reader().read(FLV_SCRIPT, 5020, body);
        },
      ),
    );
  });
});
