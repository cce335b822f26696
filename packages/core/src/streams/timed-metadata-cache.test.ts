import { micros, type Sample, type TimedMetadata } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { crc32Mpeg } from '../../../media/src/mpegts/crc32.js';
import { TimedMetadataCache } from './timed-metadata-cache.js';

/** The sample messages of SCTE 35 §14: a break of 60.3 s, and a placement opportunity of 307 s with its end. */
const BREAK = '/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=';
const OPPORTUNITY = '/DA0AAAAAAAA///wBQb+cr0AUAAeAhxDVUVJSAAAjn/PAAGlmbAICAAAAAAsoKGKNAIAmsnRfg==';
const OPPORTUNITY_END = '/DAvAAAAAAAA///wBQb+dGKQoAAZAhdDVUVJSAAAjn+fCAgAAAAALKChijUCAKnMZ1g=';

const cue = (base64: string, second: number): TimedMetadata => ({
  type: 'timed-metadata',
  kind: 'scte35',
  at: micros(second * 1_000_000),
  data: Buffer.from(base64, 'base64'),
});
const tag = (second: number, size = 3): TimedMetadata => ({
  ...{ type: 'timed-metadata', kind: 'id3', at: micros(second * 1_000_000) },
  data: Buffer.alloc(size),
});

/** A stream of two pictures a second and a keyframe each two seconds, of which an output begins with the last GOP. */
function stream() {
  const cache = new TimedMetadataCache();
  let gop: Sample[] = [];
  let next = 0;
  return {
    cache,
    say: (metadata: TimedMetadata) => cache.push(metadata, gop),
    /** Up to a time, which is included. */
    run: (seconds: number) => {
      for (; next <= seconds; next += 0.5) {
        const keyframe = next % 2 === 0;
        const time = micros(next * 1_000_000);
        const sample: Sample = { track: 0, kind: 'video', dts: time, pts: time, keyframe, data: Buffer.alloc(1) };
        gop = keyframe ? [sample] : [...gop, sample];
        cache.note(sample);
      }
    },
    /** What an output that is made now is told: seconds of pictures, and of what is said by its kind. */
    told: (begin: readonly Sample[] = gop) =>
      [...cache.withSamples(begin)].map((event) =>
        'type' in event ? `${event.kind} ${event.at / 1_000_000}` : event.dts / 1_000_000,
      ),
  };
}

describe('TimedMetadataCache', () => {
  it('keeps tags as long as the pictures around them, in their order', () => {
    const { run, say, told } = stream();
    run(1);
    say(tag(1));
    run(1.5);
    say(tag(1.5));
    expect(told()).toEqual([0, 0.5, 1, 'id3 1', 1.5, 'id3 1.5']);
    run(2.5);
    expect(told()).toEqual([2, 2.5]);
  });

  it('keeps a cue until its break is over, and tells it right after the first picture', () => {
    const { run, say, told } = stream();
    run(1);
    say(cue(BREAK, 5));
    say(cue(BREAK, 5.1));
    run(3);
    expect(told()).toEqual([2, 'scte35 5', 2.5, 3]);
    run(64);
    expect(told()).toEqual([64, 'scte35 5']);
    expect(told([])).toEqual(['scte35 5']);
    run(66);
    expect([told(), told([])]).toEqual([[66], []]);
  });

  it('forgets both cues of a break when its end has come', () => {
    const { run, say, told } = stream();
    run(1);
    say(cue(OPPORTUNITY, 3));
    run(9);
    say(cue(OPPORTUNITY_END, 11));
    expect(told()).toEqual([8, 'scte35 3', 8.5, 9, 'scte35 11']);
    run(11);
    expect(told()).toEqual([10, 'scte35 3', 'scte35 11', 10.5, 11]);
    run(12);
    expect(told()).toEqual([12]);
  });

  it('forgets what is called off', () => {
    const { run, say, told } = stream();
    const { data } = cue(BREAK, 3);
    // `splice_event_cancel_indicator`
    data[18] = 0xff;
    data.writeUInt32BE(crc32Mpeg(data.subarray(0, -4)), data.length - 4);
    run(1);
    say(cue(BREAK, 9));
    run(3);
    say({ ...cue(BREAK, 3), data });
    run(4);
    expect(told()).toEqual([4]);
  });

  it('keeps what it can not read no longer than a tag', () => {
    const { run, say, told } = stream();
    run(1);
    say(cue('/DAWAAAA', 1));
    expect(told()).toEqual([0, 0.5, 1, 'scte35 1']);
    run(2);
    expect(told()).toEqual([2]);
  });

  it('is bounded in number and in bytes, and gives tags up first', () => {
    const { run, say, told } = stream();
    run(1);
    say(cue(BREAK, 9));
    for (let count = 0; count < 200; count++) say(tag(1));
    expect(told().filter((event) => event === 'id3 1')).toHaveLength(99);
    for (let count = 0; count < 10; count++) say(tag(1, 400_000));
    expect(told().slice(2)).toEqual([1, 'scte35 9', 'id3 1', 'id3 1']);
    for (let count = 0; count < 200; count++) say(cue(BREAK, 20 + count));
    expect(told().filter((event) => String(event).startsWith('scte35'))).toHaveLength(100);
  });
});
