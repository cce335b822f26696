import {
  aacTrackConfig,
  buildOpusHead,
  h264TrackConfig,
  type MediaEvent,
  micros,
  millis,
  opusTrackConfig,
  type Sample,
  type TimedMetadata,
} from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.js';
import { parseStreamPath } from '../stream-path.js';
import type { ConvertSound } from './converted-sound.js';
import type { Output, OutputKind } from './output.js';
import { Stream } from './stream.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO: MediaEvent = { type: 'config', config: h264TrackConfig(0, Buffer.from(AVCC, 'hex')) };
const AUDIO: MediaEvent = { type: 'config', config: aacTrackConfig(1, Buffer.from('1190', 'hex')) };

const picture = (ms: number, keyframe = false): MediaEvent => ({
  type: 'sample',
  sample: { track: 0, kind: 'video', dts: micros(ms * 1000), pts: micros(ms * 1000), keyframe, data: Buffer.alloc(9) },
});

/** Notes what it is told. */
class Recorder implements Output {
  readonly told: string[] = [];
  readonly samples: Sample[] = [];
  viewers = 1;
  idleSince = undefined as Output['idleSince'];

  configure({ tracks }: { readonly tracks: readonly { readonly codec: string }[] }): void {
    this.told.push(`configure ${tracks.map(({ codec }) => codec).join('+')}`);
  }
  sample(sample: Sample): void {
    this.told.push(sample.keyframe ? 'K' : 'f');
    this.samples.push(sample);
  }
  timedMetadata({ kind, at }: TimedMetadata): void {
    this.told.push(`${kind} ${at - (this.samples[0]?.dts ?? 1_000_000)}`);
  }
  discontinuity(): void {
    this.told.push('discontinuity');
  }
  end(reason: string): void {
    this.told.push(`end ${reason}`);
  }
  sweep(): void {}
}

function streamOf(convertSound: ConvertSound = () => undefined) {
  const time = { wall: 1_000_000 };
  const clock = { monotonic: () => millis(0), wall: () => millis(time.wall) };
  const stream = new Stream({
    path: parseStreamPath('live/show'),
    settings: loadConfig({}),
    clock,
    requestKeyframe: () => {},
    convertSound,
  });
  const kind: OutputKind<Recorder> = { name: 'recorder', create: () => new Recorder() };
  const write = (...events: readonly MediaEvent[]) => {
    for (const event of events) stream.write(event);
  };
  return { stream, kind, write, time };
}

describe('Stream', () => {
  it('makes one output of a kind, which begins with the current GOP', () => {
    const { stream, kind, write } = streamOf();
    write(VIDEO, picture(0, true), picture(40), picture(80, true), picture(120));
    const output = stream.output(kind);
    write(picture(160));
    expect(output.told).toEqual(['configure h264', 'K', 'f', 'f']);
    expect(stream.output(kind)).toBe(output);
    expect(stream.output({ name: 'recorder', create: () => new Recorder() })).not.toBe(output);
  });

  it('gives all outputs the very same sample, and its bytes as they came', () => {
    const { stream, kind, write } = streamOf();
    const [a, b] = [stream.output(kind), stream.output({ ...kind })];
    const event = picture(0, true);
    write(VIDEO, event);
    expect(a.samples[0]).toBe(b.samples[0]);
    expect(a.samples[0]?.data).toBe(event.type === 'sample' ? event.sample.data : undefined);
  });

  it('keeps pictures back until one that decoding can begin with, after each start and each new configuration', () => {
    const { stream, kind, write } = streamOf();
    const output = stream.output(kind);
    write(VIDEO, picture(0), picture(40, true), picture(80));
    stream.pause();
    write(picture(120, true));
    stream.resume();
    write(VIDEO, picture(0), picture(40, true));
    expect(output.told).toEqual(['configure h264', 'K', 'f', 'discontinuity', 'K']);
  });

  it('says a configuration again only if it differs, with its tracks in order', () => {
    const { stream, kind, write } = streamOf();
    const output = stream.output(kind);
    write(AUDIO, AUDIO, VIDEO, VIDEO, AUDIO);
    expect(output.told).toEqual(['configure aac', 'configure h264+aac']);
  });

  it('puts timed metadata where the samples around it go, and keeps what comes before the first of them', () => {
    const { stream, kind, write } = streamOf();
    const output = stream.output(kind);
    const silent: Output = { ...output, configure() {}, sample() {}, discontinuity() {}, end() {}, sweep() {} };
    stream.output({ name: 'silent', create: () => silent });
    const said = (ms: number): MediaEvent => ({
      type: 'timed-metadata',
      kind: 'id3',
      at: micros(ms * 1000),
      data: Buffer.from('ID3'),
    });
    write(VIDEO, said(7000), picture(5000, true), said(5020));
    stream.pause();
    write(said(5100));
    stream.resume();
    write(said(0));
    expect(output.told.slice(1)).toEqual(['id3 2000000', 'K', 'id3 20000', 'discontinuity']);
    write(picture(0, true));
    const second = (output.samples[1]?.dts ?? 0) - (output.samples[0]?.dts ?? 0);
    expect(second).toBeGreaterThan(0);
    expect(output.told.slice(-2)).toEqual([`id3 ${second}`, 'K']);
  });

  it('tells an output that is made later of a break that is to come or runs, and of none that is over', () => {
    const { stream, kind, write } = streamOf();
    // SCTE 35 §14.2: a break of 60.3 s.
    const data = Buffer.from('/DAvAAAAAAAA///wFAVIAACPf+/+c2nALv4AUsz1AAAAAAAKAAhDVUVJAAABNWLbowo=', 'base64');
    const told = () => stream.output({ ...kind }).told;
    write(VIDEO, picture(0, true), { type: 'timed-metadata', kind: 'scte35', at: micros(8_000_000), data });
    write(picture(4000, true), picture(4040));
    // Relative to the first picture that the output has.
    expect(told()).toEqual(['configure h264', 'K', 'scte35 4000000', 'f']);
    stream.resume();
    write(picture(90_000, true));
    expect(told()).toEqual(['configure h264', 'K', expect.stringMatching(/^scte35 39\d{5}$/)]);
    for (let second = 92; second < 160; second += 4) write(picture(second * 1000, true));
    expect(told()).toEqual(['configure h264', 'K']);
  });

  it('goes on upward in time when an encoder comes back with a clock of its own', () => {
    const { stream, kind, write } = streamOf();
    const output = stream.output(kind);
    write(VIDEO, picture(5000, true), picture(5040));
    stream.resume();
    write(picture(0, true), picture(40));
    const times = output.samples.map(({ dts }) => dts);
    expect(times).toHaveLength(4);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(new Set(times).size).toBe(4);
  });

  it('drops a track that the encoder came back without', () => {
    const { stream, kind, write } = streamOf();
    const output = stream.output(kind);
    write(VIDEO, AUDIO, picture(0, true));
    stream.resume();
    write(VIDEO, picture(0, true), picture(500));
    expect(stream.description.tracks.map(({ kind: of }) => of)).toEqual(['video', 'audio']);
    write(picture(1000), picture(1040));
    expect(output.told.slice(2)).toEqual(['K', 'discontinuity', 'K', 'f', 'configure h264', 'f', 'f']);
  });

  it('drops an output that nobody uses, and makes another one when it is asked for', () => {
    const { stream, kind } = streamOf();
    const output = stream.output(kind);
    stream.sweep(millis(100_000));
    output.idleSince = millis(100_000);
    stream.sweep(millis(129_999));
    expect(output.told).toEqual([]);
    stream.sweep(millis(130_000));
    expect(output.told).toEqual(['end idle']);
    expect(stream.output(kind)).not.toBe(output);
  });

  it('ends once, and takes nothing in afterwards', () => {
    const { stream, kind, write } = streamOf();
    const output = stream.output(kind);
    expect(stream.viewers).toBe(1);
    stream.end('over');
    stream.end('twice');
    write(VIDEO, picture(0, true));
    expect(output.told).toEqual(['end over']);
    expect([stream.state, stream.viewers, stream.received.frames]).toEqual(['ended', 0, 0]);
  });

  it('tells wall time by the timeline, and sets it anew only when they are a second apart', () => {
    const { stream, kind, write, time } = streamOf();
    const { samples } = stream.output(kind);
    write(VIDEO, picture(0, true));
    const first = samples[0]?.dts ?? micros(-1);
    expect(stream.wallTimeOf(first)).toBe(1_000_000);
    time.wall += 540;
    write(picture(40));
    expect(stream.wallTimeOf(first)).toBe(1_000_000);
    time.wall += 1000;
    write(picture(80));
    expect(stream.wallTimeOf(samples[2]?.dts ?? micros(-1))).toBe(time.wall);
  });
});

describe('Sound in another codec', () => {
  const OPUS: MediaEvent = {
    type: 'config',
    config: opusTrackConfig(2, buildOpusHead({ channels: 2, preSkip: 0, inputSampleRate: 48_000 })),
  };
  const sound = (ms: number): MediaEvent => {
    const time = micros(ms * 1000);
    const data = Buffer.from([ms]);
    return { type: 'sample', sample: { track: 2, kind: 'audio', dts: time, pts: time, keyframe: true, data } };
  };

  it('is made once, for the outputs that need it, while there are some', () => {
    const emits: ((sample: Sample) => void)[] = [];
    const written: number[] = [];
    let closed = 0;
    const { stream, kind, write } = streamOf(({ emit }) => {
      emits.push(emit);
      return { write: ({ data }) => written.push(data[0] ?? 0), close: () => (closed += 1) };
    });
    write(OPUS, sound(0));
    const plain = stream.output(kind);
    expect(emits).toHaveLength(0);
    const needy = [1, 2].map(() => stream.output({ ...kind, sound: { to: 'aac', from: ['opus'] } }));
    expect(emits).toHaveLength(1);
    write(sound(20));
    expect(written).toEqual([20]);
    const event = sound(20);
    if (event.type === 'sample') emits[0]?.(event.sample);
    expect(plain.told[0]).toBe('configure opus');
    for (const output of needy) {
      expect(output.told[0]).toBe('configure aac');
      // Both codecs come by; which of them is its own, an output knows by the track.
      expect(output.samples.map(({ track }) => track)).toEqual([2, 2, 0x1_0002]);
    }
    stream.resume();
    expect([closed, emits.length]).toEqual([1, 2]);
    stream.end('over');
    expect(closed).toBe(2);
  });

  it('stays as it is where nothing can convert it', () => {
    const { stream, kind, write } = streamOf(() => undefined);
    write(OPUS);
    expect(stream.output({ ...kind, sound: { to: 'aac', from: ['opus'] } }).told).toEqual(['configure opus']);
  });

  it('takes the times of the stream that it follows, and tells its newest keyframe', () => {
    const { stream: source, time } = streamOf();
    source.write(VIDEO);
    source.write(picture(5000, true));
    const first = source.keyframe?.sample.dts ?? 0;
    const rendition = new Stream({
      path: parseStreamPath('live/show/small'),
      settings: loadConfig({}),
      clock: { monotonic: () => millis(0), wall: () => millis(time.wall + 700) },
      requestKeyframe: () => {},
      convertSound: () => undefined,
      follows: source,
    });
    rendition.write(VIDEO);
    expect(rendition.keyframe).toBeUndefined();
    rendition.write(picture(77_000, true));
    rendition.write(picture(77_040));
    expect(rendition.keyframe).toMatchObject({ config: { codec: 'h264' }, sample: { dts: 77_000_000 } });
    expect(rendition.wallTimeOf(micros(first))).toBe(source.wallTimeOf(micros(first)));
  });
});
