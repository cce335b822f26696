import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { av1TrackConfig, FlvDemuxer, Fmp4Reader, micros, millis, type Sample, type TrackConfig } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { CutPolicy } from '../segments/cut-policy.js';
import { CmafPackager } from './cmaf-packager.js';
import { PartTarget } from './part-target.js';
import type { OpenSegment, Segment } from './segment.js';
import { SegmentKeys } from './segment-keys.js';

const SECONDS = 6;

/** Some seconds of a picture and a sound, as an encoder sends them. */
function stream(rate: string, options: readonly string[] = [], sound = true) {
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${rate}`];
  const tone = sound ? ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100', '-c:a', 'aac'] : [];
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-bf', '0', '-g', '1000'];
  const keyframes = ['-force_key_frames', 'expr:gte(t,n_forced*2)'];
  const time = ['-t', String(SECONDS), '-f', 'flv', '-flvflags', 'no_duration_filesize', '-'];
  const { stdout, stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', ...picture, ...tone, ...coding, ...keyframes, ...options, ...time],
    { maxBuffer: 1 << 26 },
  );
  const events = new FlvDemuxer().push(stdout);
  const configs = events.flatMap((event): TrackConfig[] => (event.type === 'config' ? [event.config] : []));
  const samples = events.flatMap((event): Sample[] => (event.type === 'sample' ? [event.sample] : []));
  if (samples.length === 0) throw new Error(stderr.toString());
  return { configs, samples: samples.sort((a, b) => a.dts - b.dts) };
}

function packaged({ configs, samples }: ReturnType<typeof stream>, partSeconds = 0.2, sampleKeys?: SegmentKeys) {
  const segments: Segment[] = [];
  const opened: OpenSegment[] = [];
  const inits = new Map<number, Buffer>();
  const unsupported: string[] = [];
  const partTarget = new PartTarget(micros(partSeconds * 1_000_000));
  const packager = new CmafPackager({
    cuts: new CutPolicy(micros(2_000_000)),
    partTarget,
    sampleKeys,
    firstNumber: () => 0,
    wallTimeOf: (dts) => millis(dts / 1000),
    events: {
      init: (number, bytes) => inits.set(number, bytes),
      part: (segment) => opened.push({ ...segment, parts: [...segment.parts] }),
      segment: (segment) => segments.push(segment),
      unsupported: ({ codec }) => unsupported.push(codec),
    },
  });
  packager.configure(configs);
  for (const sample of samples) packager.sample(sample);
  return { packager, segments, opened, inits, unsupported, partTarget };
}

const seconds = (all: readonly { readonly duration: number }[]) =>
  all.reduce((sum, { duration }) => sum + duration, 0) / 1_000_000;

describe('CmafPackager', () => {
  it.each([
    ['25', [], true],
    ['30000/1001', [], true],
    ['24000/1001', [], true],
    ['60', [], true],
    ['25', [], false],
    ['30', ['-bf', '2'], true],
    // Frames of 20 to 60 ms.
    ['50', ['-vf', "select='not(eq(mod(n,7),3))*not(eq(mod(n,7),4))*not(eq(mod(n,5),1))'", '-vsync', 'vfr'], true],
  ] as const)(
    'cuts %s fps (%j) into segments at keyframes, and those into parts that keep to their target',
    (rate, more, sound) => {
      const source = stream(rate, more, sound);
      const { packager, segments, inits, partTarget } = packaged(source);
      packager.flush();
      expect(segments.map(({ number }) => number)).toEqual([0, 1, 2]);
      expect(inits.size).toBe(1);
      const { target = micros(0) } = partTarget;
      expect(target).toBeGreaterThan(150_000);
      // Parts are listed once it is known how long they are: from the second segment on.
      expect(segments[0]?.parts).toEqual([]);
      for (const { parts, bytes, duration, independent } of segments.slice(1)) {
        expect(independent).toBe(true);
        expect(Buffer.concat(parts.map((part) => part.bytes)).equals(bytes)).toBe(true);
        expect(seconds(parts)).toBeCloseTo(duration / 1_000_000, 5);
        expect(parts[0]?.independent).toBe(true);
        for (const part of parts) expect(part.duration).toBeLessThanOrEqual(target);
        for (const part of parts.slice(0, -1)) expect(part.duration).toBeGreaterThanOrEqual(0.85 * target);
      }
      // All that went in comes out, with its times.
      const reader = new Fmp4Reader();
      const read = [...inits.values(), ...segments.map(({ bytes }) => bytes)].flatMap((bytes) => reader.push(bytes));
      const got = read.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
      for (const kind of ['video', 'audio'] as const) {
        const [sent = [], came = []] = [source.samples, got].map((all) => all.filter((sample) => sample.kind === kind));
        // Sound from before the first picture is not.
        const before = sent.length - came.length;
        expect(before).toBeLessThanOrEqual(kind === 'video' ? 0 : 1);
        for (const [at, { dts, pts, data }] of came.entries()) {
          const original = sent[before + at];
          expect(data.equals(original?.data ?? Buffer.alloc(0))).toBe(true);
          expect(Math.abs(dts - (original?.dts ?? 0))).toBeLessThan(2100);
          expect(Math.abs(pts - (original?.pts ?? 0))).toBeLessThan(2100);
        }
      }
    },
  );

  it('begins anew where the encoder does, or the codec changes', () => {
    const source = stream('25');
    const { packager, segments, inits } = packaged(source);
    packager.discontinuity();
    const later = (sample: Sample): Sample => {
      return { ...sample, dts: micros(sample.dts + 10_000_000), pts: micros(sample.pts + 10_000_000) };
    };
    for (const sample of source.samples) packager.sample(later(sample));
    packager.flush();
    expect(segments.map(({ discontinuity }) => discontinuity)).toEqual([false, false, false, true, false, false]);
    expect(inits.size).toBe(1);
    packager.configure(source.configs.filter(({ kind }) => kind === 'audio'));
    for (const sample of source.samples) packager.sample(later(later(sample)));
    packager.flush();
    expect(segments[6]).toMatchObject({ discontinuity: true, init: 2 });
  });

  it('has an init segment for each key, and leaves out what it could only send clear', () => {
    const keys = new SegmentKeys({ method: 'SAMPLE-AES', rotateAfter: 2, random: randomBytes, isHeld: () => true });
    const { configs, samples } = stream('25');
    const av1 = av1TrackConfig(7, Buffer.from('81050c000a0b0000002d4cffb3c02f8004', 'hex'));
    const { packager, segments, inits, unsupported } = packaged({ configs: [...configs, av1], samples }, 0.2, keys);
    packager.flush();
    expect(unsupported).toEqual(['av1']);
    expect(segments.map(({ key, init }) => [key?.number, init])).toEqual([
      [0, 1],
      [0, 1],
      [1, 2],
    ]);
    for (const { key, init, bytes } of segments) {
      const secret = key && keys.secretOf(key);
      const header = inits.get(init ?? 0);
      expect(header?.includes(secret?.keyId ?? '-')).toBe(true);
      expect(header?.includes(secret?.key ?? '-')).toBe(false);
      expect(bytes.includes(secret?.key ?? '-')).toBe(false);
      // Of no picture that is large enough to be encrypted, the bytes are there as they came.
      for (const { data } of samples.filter((sample) => sample.data.length > 500)) {
        expect(bytes.includes(data)).toBe(false);
      }
    }
  });

  it('leaves out what MP4 has no place for', () => {
    const vp8: TrackConfig = {
      kind: 'video',
      track: 0,
      codec: 'vp8',
      codecString: 'vp8',
      description: Buffer.alloc(0),
      width: 16,
      height: 16,
    };
    expect(packaged({ configs: [vp8], samples: [] }).unsupported).toEqual(['vp8']);
  });
});
