import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aacTrackConfig } from '../codecs/aac.js';
import { buildAvcC, h264TrackConfig } from '../codecs/h264.js';
import { joinLengthPrefixed } from '../codecs/nal.js';
import { buildOpusHead, opusTrackConfig } from '../codecs/opus.js';
import { MediaError } from '../errors.js';
import type { Sample } from '../sample.js';
import { micros, microsFromTicks90k, ticks90k } from '../time.js';
import type { AudioTrackConfig, TrackConfig, VideoTrackConfig } from '../track-config.js';
import { TsDemuxer } from './demuxer.js';
import type { TsEvent } from './events.js';
import { TsMuxer } from './muxer.js';
import { ContinuityCounter, packetize } from './packet.js';
import { parsePacketHeader } from './packet-header.js';
import { encodePes } from './pes.js';
import { encodePat, encodePmt } from './psi.js';

const hex = (text: string) => Buffer.from(text, 'hex');
const SPS = hex('6742c00cda05067e7c0440000003004000000c83c50aa8');
const PPS = hex('68ce0fc8');
const VIDEO = h264TrackConfig(0, buildAvcC([SPS], [PPS]));
const AUDIO = aacTrackConfig(1, hex('1190'));
const FRAME = 40_000;
const MUX_DELAY = 700_000;

/** An IDR or another slice, with a payload that never looks like a start code. */
const slice = (isIdr: boolean, size: number) =>
  joinLengthPrefixed([Buffer.concat([Buffer.from([isIdr ? 0x65 : 0x41]), Buffer.alloc(size, 0x5a)])]);
const video = (index: number, size = 500): Sample => {
  const keyframe = index % 10 === 0;
  const dts = micros(index * FRAME);
  const pts = micros(dts + (keyframe ? 2 : index % 3) * FRAME);
  return { track: 0, kind: 'video', dts, pts, keyframe, data: slice(keyframe, size) };
};
const audio = (index: number): Sample => {
  const dts = microsFromTicks90k(ticks90k(index * 1920));
  return { track: 1, kind: 'audio', dts, pts: dts, keyframe: true, data: Buffer.alloc(150 + (index % 7), index) };
};
const interleaved = (seconds: number): Sample[] =>
  [
    ...Array.from({ length: seconds * 25 }, (_, i) => video(i, 100 + 37 * i)),
    ...Array.from({ length: Math.floor((seconds * 48_000) / 1024) }, (_, i) => audio(i)),
  ].sort((a, b) => a.dts - b.dts);
const moved = (sample: Sample, by: number): Sample => ({
  ...sample,
  dts: micros(sample.dts + by),
  pts: micros(sample.pts + by),
});
const mux = (samples: readonly Sample[], configs: readonly TrackConfig[] = [VIDEO, AUDIO]): Buffer => {
  const muxer = new TsMuxer(configs);
  return Buffer.concat([muxer.tables(), ...samples.map((sample) => muxer.sample(sample))]);
};
const demux = (bytes: Buffer) => {
  const demuxer = new TsDemuxer();
  const events = [...demuxer.push(bytes), ...demuxer.flush()];
  return { events, samples: samplesOf(events), stats: demuxer.stats };
};
const samplesOf = (events: readonly TsEvent[]): Sample[] =>
  events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
const byTrack = (samples: readonly Sample[]) => [0, 1].map((track) => samples.filter((s) => s.track === track));
const packetsOf = (bytes: Buffer): Buffer[] =>
  Array.from({ length: bytes.length / 188 }, (_, i) => bytes.subarray(i * 188, i * 188 + 188));

const NO_DESCRIPTORS = Buffer.alloc(0);
/** Tables and PES packets by hand, for streams that our muxer doesn't write. */
class HandMade {
  readonly #counters = new Map<number, ContinuityCounter>();
  readonly #parts: Buffer[] = [];

  put(pid: number, payload: Buffer, pcr?: number): this {
    const counter = this.#counters.get(pid) ?? new ContinuityCounter();
    this.#counters.set(pid, counter);
    this.#parts.push(packetize(pid, counter, payload, { randomAccess: false, pcr }));
    return this;
  }
  pat(program = 1, pmtPid = 0x1000): this {
    return this.put(0, encodePat(program, pmtPid));
  }
  pmt(streams: readonly (readonly [streamType: number, pid: number])[], pcrPid = 0x100, pmtPid = 0x1000): this {
    const announced = streams.map(([streamType, pid]) => ({ streamType, pid, descriptors: NO_DESCRIPTORS }));
    return this.put(pmtPid, encodePmt(1, pcrPid, announced));
  }
  video(pid: number, ms: number, pcr?: number): this {
    const unit = Buffer.concat([hex('00000001'), SPS, hex('00000001'), PPS, hex('0000000165'), Buffer.alloc(30, 0x5a)]);
    const times = { pts: ms * 90, dts: ms * 90 };
    return this.put(pid, encodePes(0xe0, times, [unit], { unbounded: true }), pcr);
  }
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

describe('a transport stream', () => {
  it('gives back the samples that it was made of', () => {
    const samples = interleaved(3);
    const read = demux(mux(samples));
    // Sound comes first: a picture is known to be whole when the next one begins.
    expect(read.events.filter((event) => event.type === 'config')).toEqual([
      { type: 'config', config: AUDIO },
      { type: 'config', config: VIDEO },
    ]);
    expect(byTrack(read.samples)).toEqual(byTrack(samples.map((sample) => moved(sample, MUX_DELAY))));
    expect(read.stats).toEqual({
      packets: mux(samples).length / 188,
      skippedBytes: 0,
      resyncs: 0,
      transportErrors: 0,
      continuityErrors: 0,
      duplicates: 0,
      brokenSections: 0,
      clockDiscontinuities: 0,
      brokenUnits: 0,
    });
  });

  it('gives back whatever sizes samples have', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }), (sizes) => {
        const samples = sizes.map((size, index) => video(index, size));
        expect(demux(mux(samples, [VIDEO])).samples.map((s) => s.data)).toEqual(samples.map((s) => s.data));
      }),
    );
  });

  it('goes on over the wrap of its clock', () => {
    const samples = interleaved(3);
    for (const wrapIn of [0, 1, 60_000, 90_000, 135_001]) {
      const shift = microsFromTicks90k(ticks90k(2 ** 33 - wrapIn - 63_000));
      const later = samples.map((sample) => moved(sample, shift));
      const read = demux(mux(later));
      expect(read.events.filter((event) => event.type === 'discontinuity')).toEqual([]);
      const start = read.samples[0]!.dts - samples[0]!.dts;
      const near = (sample: Sample, by: number) => [sample.track, near10(sample.dts - by), near10(sample.pts - by)];
      expect(byTrack(read.samples).map((track) => track.map((s) => near(s, start)))).toEqual(
        byTrack(samples).map((track) => track.map((s) => near(s, 0))),
      );
    }
  });
  /** µs that stand for the same tick: a tick has 11. */
  const near10 = (value: number) => Math.round((value * 9) / 100);

  it('stands at most 100 ms from one clock reference to the next, over the wrap too, and none is late', () => {
    const shift = microsFromTicks90k(ticks90k(2 ** 33 - 90_000));
    for (const configs of [[VIDEO, AUDIO], [VIDEO], [AUDIO]]) {
      const tracks = configs.map((config) => config.track);
      const samples = interleaved(3).filter((sample) => tracks.includes(sample.track));
      const packets = packetsOf(
        mux(
          samples.map((s) => moved(s, shift)),
          configs,
        ),
      );
      const clocks = packets.flatMap((packet) => parsePacketHeader(packet).pcr ?? []);
      expect(clocks.length).toBeGreaterThan(28);
      for (let i = 1; i < clocks.length; i++) {
        const step = (clocks[i]! - clocks[i - 1]! + 2 ** 33) % 2 ** 33;
        expect(step).toBeGreaterThan(0);
        expect(step).toBeLessThanOrEqual(9000);
      }
    }
  });

  it('keeps its clock going while its video pauses', () => {
    const samples = [video(0), ...Array.from({ length: 100 }, (_, i) => audio(i))].sort((a, b) => a.dts - b.dts);
    const packets = packetsOf(mux(samples));
    const clocks = packets.map((packet) => parsePacketHeader(packet)).filter((header) => header.pcr !== undefined);
    expect(clocks.length).toBeGreaterThan(20);
    expect(new Set(clocks.map((header) => header.pid))).toEqual(new Set([0x100]));
    expect(demux(Buffer.concat(packets)).stats.continuityErrors).toBe(0);
  });
});

describe('TsMuxer', () => {
  it('writes PAT and PMT as one packet each, and numbers them on', () => {
    const muxer = new TsMuxer([VIDEO, AUDIO]);
    const packets = packetsOf(Buffer.concat([muxer.tables(), muxer.tables()]));
    expect(packets.map((packet) => parsePacketHeader(packet)).map((h) => [h.pid, h.continuity])).toEqual([
      [0, 0],
      [0x1000, 0],
      [0, 1],
      [0x1000, 1],
    ]);
  });

  it('marks keyframes as points of random access and brings their parameter sets', () => {
    const muxer = new TsMuxer([VIDEO]);
    const flags = (packets: Buffer) => packets[5]! & 0x40;
    const keyframe = muxer.sample(video(0));
    const other = muxer.sample(video(1));
    expect([flags(keyframe), flags(other)]).toEqual([0x40, 0]);
    expect([keyframe.includes(SPS), keyframe.includes(PPS), other.includes(SPS)]).toEqual([true, true, false]);
  });

  it('leaves in-band parameter sets where they are, and completes them where they are not all there', () => {
    const inBand = (...units: Buffer[]): Sample => ({ ...video(0), data: joinLengthPrefixed([...units, hex('6588')]) });
    const count = (bytes: Buffer, unit: Buffer) => bytes.toString('hex').split(unit.toString('hex')).length - 1;
    const both = new TsMuxer([VIDEO]).sample(inBand(SPS, PPS));
    expect([count(both, SPS), count(both, PPS)]).toEqual([1, 1]);
    const one = new TsMuxer([VIDEO]).sample(inBand(SPS));
    expect([count(one, SPS), count(one, PPS)]).toEqual([2, 1]);
  });

  it('says that its clock is a new one when times go far back', () => {
    const muxer = new TsMuxer([VIDEO]);
    const bytes = Buffer.concat([muxer.tables(), muxer.sample(video(2000)), muxer.sample(video(10))]);
    const read = demux(bytes);
    expect(read.stats).toMatchObject({ clockDiscontinuities: 1, continuityErrors: 0 });
    expect(read.samples.length).toBe(2);
    expect(parsePacketHeader(packetsOf(muxer.sample(video(11)))[0]!)).toMatchObject({ discontinuity: false });
  });

  const refused = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      if (error instanceof MediaError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'nothing thrown';
  };

  it('refuses what MPEG-TS can not carry', () => {
    const audioOf = (changes: Partial<AudioTrackConfig>) => () => new TsMuxer([{ ...AUDIO, ...changes }]);
    const videoOf = (changes: Partial<VideoTrackConfig>) => () => new TsMuxer([{ ...VIDEO, ...changes }]);
    expect(refused(videoOf({ codec: 'vp9' }))).toMatch(/^unsupported: vp9 in MPEG-TS/);
    expect(refused(videoOf({ codec: 'vp8' }))).toMatch(/^unsupported: vp8 in MPEG-TS/);
    expect(refused(videoOf({ codec: 'av1' }))).toMatch(/^unsupported: av1 in MPEG-TS/);
    expect(refused(() => new TsMuxer([]))).toMatch(/^unsupported/);
    expect(refused(audioOf({ description: hex('f8f22000') }))).toMatch(/^unsupported: AAC of object type 39/);
    expect(refused(audioOf({ description: hex('1180') }))).toMatch(/^unsupported: AAC with channels/);
    expect(refused(audioOf({ description: hex('1194') }))).toMatch(/^unsupported: AAC with frames of 960/);
    const surround = opusTrackConfig(1, buildOpusHead({ channels: 6, preSkip: 312, inputSampleRate: 48_000 }));
    expect(refused(() => new TsMuxer([surround]))).toMatch(/^unsupported: Opus with 6 channels/);
  });

  it('refuses samples that it can not read, and goes on', () => {
    const muxer = new TsMuxer([VIDEO, AUDIO]);
    const head = Buffer.concat([muxer.tables(), muxer.sample(video(0))]);
    expect(refused(() => muxer.sample({ ...video(1), track: 9 }))).toMatch(/^no-config: .*track 9/);
    expect(refused(() => muxer.sample({ ...video(1), data: hex('000000ff01') }))).toMatch(/^malformed/);
    expect(refused(() => muxer.sample({ ...video(1), data: Buffer.alloc(0) }))).toMatch(/^malformed/);
    expect(refused(() => muxer.sample({ ...audio(1), data: Buffer.alloc(9000) }))).toMatch(/^too-large/);
    expect(demux(Buffer.concat([head, muxer.sample(video(1))])).stats.continuityErrors).toBe(0);
  });
});

describe('TsDemuxer', () => {
  it('gives the same events wherever the bytes are cut', () => {
    const bytes = Buffer.concat([Buffer.alloc(50, 3), mux(interleaved(1))]);
    const whole = told(new TsDemuxer().push(bytes));
    expect(whole.length).toBeGreaterThan(60);
    for (const size of [1, 7, 187, 188, 189, 376, 1316, 5000]) {
      const demuxer = new TsDemuxer();
      const events: TsEvent[] = [];
      for (let at = 0; at < bytes.length; at += size) events.push(...demuxer.push(bytes.subarray(at, at + size)));
      expect(told(events)).toEqual(whole);
    }
    const short = mux([video(0), audio(0), video(1)]);
    const expected = told(demux(short).events);
    for (let cut = 0; cut <= short.length; cut++) {
      const demuxer = new TsDemuxer();
      const events = [
        ...demuxer.push(short.subarray(0, cut)),
        ...demuxer.push(short.subarray(cut)),
        ...demuxer.flush(),
      ];
      expect(told(events)).toEqual(expected);
    }
  });

  /** Events as text, which is compared faster than bytes are. */
  const told = (events: readonly TsEvent[]) =>
    events.map((event) =>
      event.type === 'sample'
        ? `${event.sample.track} ${event.sample.pts} ${event.sample.dts} ${event.sample.data.toString('base64')}`
        : JSON.stringify(event),
    );

  it('does not wait: audio comes with its last packet, video with the first packet of the next picture', () => {
    const muxer = new TsMuxer([VIDEO, AUDIO]);
    const demuxer = new TsDemuxer();
    demuxer.push(Buffer.concat([muxer.tables(), muxer.sample(video(0))]));
    const sound = samplesOf(demuxer.push(muxer.sample(audio(0))));
    expect(sound.map((s) => s.kind)).toEqual(['audio']);
    const next = muxer.sample(video(1, 2000));
    expect(samplesOf(demuxer.push(next.subarray(0, 188))).map((s) => s.dts)).toEqual([MUX_DELAY]);
    expect(samplesOf(demuxer.push(next.subarray(188)))).toEqual([]);
    expect(samplesOf(demuxer.flush()).map((s) => s.dts)).toEqual([MUX_DELAY + FRAME]);
  });

  it('keeps nothing of the chunks that it is given', () => {
    const bytes = mux(interleaved(1));
    const demuxer = new TsDemuxer();
    const events: TsEvent[] = [];
    for (let at = 0; at < bytes.length; at += 1316) {
      const chunk = Buffer.from(bytes.subarray(at, at + 1316));
      events.push(...demuxer.push(chunk));
      chunk.fill(0xee);
    }
    const expected = new TsDemuxer().push(bytes);
    expect(events).toEqual(expected);
  });

  it('leaves out access units that lost packets, says so, and reads on', () => {
    const samples = Array.from({ length: 20 }, (_, i) => video(i, 1000));
    const muxer = new TsMuxer([VIDEO]);
    const units = samples.map((sample) => muxer.sample(sample));
    const whole = [muxer.tables(), ...units];
    whole[6] = Buffer.concat([units[5]!.subarray(0, 188), units[5]!.subarray(2 * 188)]);
    const read = demux(Buffer.concat(whole));
    expect(read.stats.continuityErrors).toBe(1);
    expect(read.events.filter((event) => event.type === 'discontinuity')).toEqual([
      { type: 'discontinuity', pid: 0x100, cause: 'loss', track: 0 },
    ]);
    expect(read.samples.map((s) => s.dts - MUX_DELAY)).toEqual(samples.filter((_, i) => i !== 5).map((s) => s.dts));
  });

  it('gives nothing but whole samples, whichever packets are lost, and most of them', () => {
    const source = interleaved(2);
    const packets = packetsOf(mux(source));
    // Without the first keyframe and what ends it there is no picture until the next.
    const min = packetsOf(
      mux(
        source.slice(
          0,
          source.findIndex((s) => s.dts > FRAME),
        ),
      ),
    ).length;
    // The loss of a track's last packet shows only where its PES packet has a length.
    const max = packets.findLastIndex((packet) => parsePacketHeader(packet).pid === 0x100) - 1;
    const all = new Set(demux(Buffer.concat(packets)).samples.map(fingerprint));
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min, max }), { maxLength: 15 }), (lost) => {
        const { samples } = demux(Buffer.concat(packets.filter((_, index) => !lost.includes(index))));
        for (const sample of samples) expect(all.has(fingerprint(sample))).toBe(true);
        // A loss costs the sample that it hits, and for video the one before, whose end it may have been.
        expect(samples.length).toBeGreaterThanOrEqual(all.size - 2 * lost.length);
      }),
    );
  });
  const fingerprint = (s: Sample) => `${s.track} ${s.dts} ${s.pts} ${s.data.toString('base64')}`;

  it('does not join a frame of sound to what comes behind a loss', () => {
    const frame = (fill: number) => Buffer.concat([hex('fff14c80091ffc'), Buffer.alloc(65, fill)]);
    const pes = (ms: number, ...parts: Buffer[]) =>
      encodePes(0xc0, { pts: ms * 90, dts: ms * 90 }, parts, { unbounded: false });
    const first = frame(1);
    const payloads = [
      pes(0, first, frame(2).subarray(0, 40)),
      pes(40, frame(2).subarray(40), frame(3)),
      pes(80, frame(4)),
    ];
    const stream = new HandMade().pat().pmt([[0x0f, 0x100]]);
    for (const payload of payloads) stream.put(0x100, payload);
    const packets = packetsOf(stream.bytes());
    expect(demux(Buffer.concat(packets)).samples.map((s) => s.data[0])).toEqual([1, 2, 3, 4]);
    const lossy = demux(Buffer.concat([...packets.slice(0, 3), ...packets.slice(4)]));
    expect(lossy.samples.map((s) => [s.dts, s.data[0], s.data.length])).toEqual([
      [0, 1, 65],
      [80_000, 4, 65],
    ]);
  });

  it('takes the loss of 15 packets, behind which the counter repeats, for no duplicate', () => {
    const muxer = new TsMuxer([VIDEO]);
    const big = {
      ...video(0),
      data: joinLengthPrefixed([Buffer.from(Array.from({ length: 6000 }, (_, i) => 0x65 + (i % 90)))]),
    };
    const packets = packetsOf(muxer.sample(big));
    expect(packets.length).toBeGreaterThan(30);
    const lossy = Buffer.concat([muxer.tables(), ...packets.slice(0, 5), ...packets.slice(20), muxer.sample(video(1))]);
    const read = demux(lossy);
    expect(read.stats).toMatchObject({ continuityErrors: 1, duplicates: 0 });
    expect(read.samples.length).toBe(0);
  });

  it('counts packets that come twice, that are marked as broken, and garbage between', () => {
    const packets = packetsOf(mux(interleaved(1)));
    const expected = byTrack(demux(Buffer.concat(packets)).samples);
    const doubled = demux(Buffer.concat(packets.flatMap((packet, i) => (i % 5 === 0 ? [packet, packet] : [packet]))));
    expect(byTrack(doubled.samples)).toEqual(expected);
    expect(doubled.stats).toMatchObject({ duplicates: Math.ceil(packets.length / 5), continuityErrors: 0 });
    const marked = packets.map((packet) => Buffer.from(packet));
    marked[20]![1] = marked[20]![1]! | 0x80;
    expect(demux(Buffer.concat(marked)).stats).toMatchObject({ transportErrors: 1, continuityErrors: 1 });
    const dirty = [...packets.slice(0, 30), Buffer.alloc(77, 0x47), ...packets.slice(30)];
    const read = demux(Buffer.concat(dirty));
    expect(read.stats.resyncs).toBe(1);
    expect(read.samples.length).toBeGreaterThan(60);
  });

  it('keeps a track while its PMT changes around it, and gives a new PID the id that came free', () => {
    const stream = new HandMade()
      .pat()
      .pmt([[0x1b, 0x100]])
      .video(0x100, 0);
    stream
      .pmt([
        [0x1b, 0x100],
        [0x06, 0x110],
      ])
      .video(0x100, 40)
      .video(0x100, 80);
    stream
      .pmt([[0x1b, 0x200]], 0x200)
      .video(0x200, 120)
      .video(0x200, 160);
    const { samples, events } = demux(stream.bytes());
    expect(samples.map((s) => [s.track, s.dts])).toEqual([0, 40, 80, 120, 160].map((ms) => [0, ms * 1000]));
    expect(events.filter((event) => event.type === 'unsupported-track')).toEqual([
      { type: 'unsupported-track', pid: 0x110, streamType: 6, reason: 'private data' },
    ]);
    expect(events.filter((event) => event.type === 'end-of-track')).toEqual([]);
  });

  it('compares clocks of one PID only', () => {
    const stream = new HandMade()
      .pat()
      .pmt([[0x1b, 0x100]])
      .video(0x100, 0, 90_000_000);
    stream
      .pmt(
        [
          [0x1b, 0x100],
          [0x1b, 0x101],
        ],
        0x101,
      )
      .video(0x101, 40, 3600)
      .video(0x101, 80, 7200);
    expect(demux(stream.bytes()).stats.clockDiscontinuities).toBe(0);
  });

  it('ends a track that its PMT drops, after its last access unit', () => {
    const stream = new HandMade().pat().pmt([
      [0x1b, 0x100],
      [0x1b, 0x101],
    ]);
    stream
      .video(0x100, 0)
      .video(0x101, 0)
      .pmt([[0x1b, 0x100]])
      .video(0x100, 40);
    const { events } = demux(stream.bytes());
    const tracks = events.map((event) => (event.type === 'sample' ? `sample ${event.sample.track}` : event.type));
    expect(tracks).toEqual(['config', 'sample 2', 'end-of-track', 'config', 'sample 0', 'sample 0']);
  });

  it('keeps to its programme, and follows its PMT to another PID', () => {
    const stream = new HandMade()
      .pat()
      .put(0x1000, encodePmt(2, 0x300, []))
      .pmt([[0x1b, 0x100]])
      .video(0x100, 0);
    stream
      .put(0x1000, encodePmt(2, 0x300, []))
      .pmt([[0x1b, 0x100]])
      .video(0x100, 40);
    stream
      .pat(1, 0x1001)
      .pmt([[0x1b, 0x120]], 0x120, 0x1001)
      .video(0x120, 80);
    const { samples, events } = demux(stream.bytes());
    expect(samples.map((s) => [s.track, s.dts])).toEqual([0, 40, 80].map((ms) => [0, ms * 1000]));
    expect(events.filter((event) => event.type === 'end-of-track')).toEqual([]);
  });

  it('tells a clock that was set anew, and one that only wraps it does not', () => {
    const at = (...clocks: number[]) => {
      const stream = new HandMade().pat().pmt([[0x1b, 0x100]]);
      for (const [i, pcr] of clocks.entries()) stream.video(0x100, i * 40, pcr);
      return demux(stream.bytes()).events.flatMap((event) => (event.type === 'discontinuity' ? [event.cause] : []));
    };
    expect(at(1000, 4600, 8200)).toEqual([]);
    expect(at(2 ** 33 - 1000, 2600)).toEqual([]);
    expect(at(90_000_000, 3600, 7200)).toEqual(['clock']);
    expect(at(3600, 90_000_000)).toEqual(['clock']);
  });

  it.each([
    [0x11, /LATM; send it in ADTS/],
    [0x81, /AC-3/],
    [0x02, /MPEG-2 video/],
    [0xea, /stream type 0xea/],
  ])('says once why it passes over stream type %i', (streamType, reason) => {
    const stream = new HandMade()
      .pat()
      .pmt([[streamType, 0x100]])
      .pmt([
        [streamType, 0x100],
        [0x1b, 0x101],
      ]);
    const told = demux(stream.bytes()).events.filter((event) => event.type === 'unsupported-track');
    expect(told).toEqual([
      { type: 'unsupported-track', pid: 0x100, streamType, reason: expect.stringMatching(reason) },
    ]);
  });

  it('says that a track is scrambled, and refuses tracks beyond its bound or on PIDs of tables', () => {
    const scrambled = packetsOf(
      new HandMade()
        .pat()
        .pmt([[0x1b, 0x100]])
        .video(0x100, 0)
        .video(0x100, 40)
        .bytes(),
    );
    for (const packet of scrambled.slice(2)) packet[3] = packet[3]! | 0x80;
    expect(demux(Buffer.concat(scrambled)).events).toEqual([
      { type: 'unsupported-track', pid: 0x100, streamType: 0x1b, reason: 'scrambled' },
    ]);
    const many = Array.from({ length: 12 }, (_, i) => [0x1b, 0x100 + i] as const);
    const reasons = (bytes: Buffer) =>
      demux(bytes).events.map((event) => event.type === 'unsupported-track' && event.reason);
    expect(reasons(new HandMade().pat().pmt(many).bytes())).toEqual(Array(4).fill('more than 8 tracks'));
    const odd = [0x1b, 0x0f].flatMap((type) => [[type, 0] as const, [type, 0x1000] as const, [type, 0x1fff] as const]);
    expect(reasons(new HandMade().pat().pmt(odd).bytes())).toEqual([
      'PID 0 is not one for a track',
      'PID 4096 is not one for a track',
      'PID 8191 is not one for a track',
    ]);
  });

  it('holds no more of a picture without end than its bound', () => {
    const stream = new HandMade()
      .pat()
      .pmt([[0x1b, 0x100]])
      .video(0x100, 0)
      .video(0x100, 40);
    const demuxer = new TsDemuxer();
    demuxer.push(stream.bytes());
    const endless = Buffer.alloc(188);
    for (let i = 0; i < 50_000; i++) {
      endless.fill(0x5a);
      endless.set([0x47, 0x01, 0x00, 0x10 | ((i + 2) & 0xf)]);
      endless.writeUInt32BE(i, 100);
      demuxer.push(endless);
    }
    expect(demuxer.stats).toMatchObject({ brokenUnits: 1, continuityErrors: 0 });
    expect(samplesOf(demuxer.flush())).toEqual([]);
  });

  it('never throws, and ends, whatever the bytes', () => {
    const original = mux(interleaved(1).slice(0, 40));
    const mutation = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 2000 }),
        (list, size) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of list) bytes[at] = value;
          const demuxer = new TsDemuxer();
          for (let at = 0; at < bytes.length; at += size) demuxer.push(bytes.subarray(at, at + size));
          demuxer.flush();
          for (const sample of samplesOf(demux(bytes).events)) {
            expect(sample.pts).toBeGreaterThanOrEqual(sample.dts);
            expect(Number.isSafeInteger(sample.dts)).toBe(true);
          }
        },
      ),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => void demux(Buffer.from(bytes))));
  });

  it('never throws, whatever is in well-formed packets', () => {
    const start = new HandMade()
      .pat()
      .pmt([
        [0x1b, 0x100],
        [0x24, 0x101],
        [0x0f, 0x102],
        [0x03, 0x103],
      ])
      .bytes();
    const packet = fc.record({
      pid: fc.constantFrom(0, 0x1000, 0x100, 0x101, 0x102, 0x103),
      control: fc.nat(255),
      body: fc.uint8Array({ minLength: 184, maxLength: 184 }),
      pes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 12 }), (packets) => {
        const bytes = packets.map(({ pid, control, body, pes }) => {
          const bytes = Buffer.concat([Buffer.from([0x47, 0x40 | (pid >> 8), pid & 0xff, control]), body]);
          if (pes) bytes.set([0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5], 4);
          return bytes;
        });
        demux(Buffer.concat([start, ...bytes, start]));
      }),
      { numRuns: 300 },
    );
  });
});
