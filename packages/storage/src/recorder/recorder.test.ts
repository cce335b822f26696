import {
  EventBus,
  type LifecycleEvents,
  LiveConfig,
  type Logger,
  type Publication,
  parseStreamPath,
  Refusal,
  resolveConfig,
  type Session,
  StreamRouter,
  settingsFor,
  silentLogger,
} from '@sluice/core';
import {
  aacTrackConfig,
  av1TrackConfig,
  FlvDemuxer,
  h264TrackConfig,
  micros,
  millis,
  readMp4,
  type Sample,
  type TrackConfig,
} from '@sluice/media';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type MemoryFile, MemoryFiles, MemoryIndex } from '../../../../test/support/memory-recordings.js';
import { CONTAINER_FORMATS } from './muxers/formats.js';
import { Recorder } from './recorder.js';

const PATH = parseStreamPath('live/show');
const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const OTHER_VIDEO = h264TrackConfig(0, Buffer.from(AVCC.replace('80000019', '80000018'), 'hex'));
const SOUND = aacTrackConfig(1, Buffer.from([0x11, 0x90]));
const OTHER_SOUND = aacTrackConfig(1, Buffer.from([0x12, 0x10]));
const AV1 = av1TrackConfig(
  0,
  Buffer.from([0x81, 0, 0x0c, 0, 0x0a, 0x0b, 0, 0, 0, 0x2d, 0x4c, 0xff, 0xb3, 0xc0, 4, 8, 0]),
);
const PICTURE_MS = 40;
const SOUND_MS = 1024 / 48;
const START = 1_000_000;

const session: Session = {
  id: 'one',
  action: 'publish',
  protocol: 'rtmp',
  path: PATH,
  ip: '192.0.2.1',
  userAgent: undefined,
  identity: { kind: 'anonymous' },
  client: {},
  query: '',
  fingerprint: 'one',
  openedAt: millis(0),
};

/** A server's worth of recorder, with an encoder whose media comes as fast as the test says. */
class Studio {
  readonly time = { now: START };
  readonly clock = { monotonic: () => millis(this.time.now), wall: () => millis(this.time.now) };
  readonly files = new MemoryFiles();
  readonly index = new MemoryIndex();
  readonly warnings: string[] = [];
  readonly errors: string[] = [];
  readonly log: Logger = {
    ...silentLogger,
    warn: (fields, text) => this.warnings.push(`${text} ${JSON.stringify(fields)}`),
    error: (fields, text) => this.errors.push(`${text} ${JSON.stringify(fields)}`),
  };
  readonly events = new EventBus(silentLogger);
  readonly told: string[] = [];
  readonly live: LiveConfig;
  readonly router: StreamRouter;
  readonly recorder: Recorder;
  readonly sent: Sample[] = [];
  publication: Publication | undefined;
  /** How far the sound is behind the picture that comes with it, in ms. */
  soundLag = 0;
  /** Ms since the encoder began. */
  #picture = 0;
  #sound = 0;
  #pictures = 0;

  constructor(yaml: string) {
    this.live = new LiveConfig(resolveConfig({ file: { name: 'x.yml', text: yaml } }));
    this.router = new StreamRouter({
      clock: this.clock,
      events: this.events,
      settingsFor: (path) => settingsFor(this.live.current, path),
      convertSound: () => undefined,
    });
    for (const name of ['started', 'paused', 'resumed', 'ended', 'file-ready', 'file-damaged'] as const) {
      this.events.on(`recording-${name}` satisfies keyof LifecycleEvents, () => this.told.push(name));
    }
    this.recorder = new Recorder(this);
  }

  publish(...configs: TrackConfig[]): void {
    this.publication = this.router.publish(session, { cut: () => {} });
    for (const config of configs) this.publication.write({ type: 'config', config });
  }

  configure(yaml: string): void {
    this.live.apply(resolveConfig({ file: { name: 'x.yml', text: yaml } }));
  }

  /** Media of so many seconds, with a keyframe each second. */
  send(seconds: number, kinds: readonly Sample['kind'][] = ['video', 'audio']): void {
    const until = Math.max(this.#picture, this.#sound) + seconds * 1000;
    while (Math.min(this.#picture, this.#sound) < until - 0.001) {
      const isPicture = this.#picture <= this.#sound;
      const at = isPicture ? this.#picture : this.#sound;
      const kind = isPicture ? 'video' : 'audio';
      if (kinds.includes(kind)) this.#sendSample(kind, at);
      if (isPicture) {
        this.#picture += PICTURE_MS;
        this.#pictures += 1;
      } else this.#sound += SOUND_MS;
    }
  }

  /** All that the stream gives its outputs from now on. */
  probe(): Sample[] {
    const samples: Sample[] = [];
    const sample = (one: Sample) => void samples.push(one);
    const ignore = { configure() {}, discontinuity() {}, end() {}, sweep() {}, viewers: 1, idleSince: undefined };
    this.router.find(PATH)?.output({ name: 'probe', create: () => ({ ...ignore, sample }) });
    return samples;
  }

  /** The samples of a file, in milliseconds from its beginning. */
  samples(file: MemoryFile, kind?: Sample['kind']): Sample[] {
    const events = file.name.endsWith('.flv') ? new FlvDemuxer().push(file.bytes) : readMp4(file.bytes);
    const samples = events.flatMap((event) => (event.type === 'sample' ? [event.sample] : []));
    return kind === undefined ? samples : samples.filter((sample) => sample.kind === kind);
  }

  /** Whether all that was sent is in the files, each sample once and in order. */
  expectNothingLost(from = 0): void {
    for (const kind of ['video', 'audio'] as const) {
      const sent = this.sent.filter((sample) => sample.kind === kind).slice(from);
      const kept = this.files.files.flatMap((file) => this.samples(file, kind));
      expect([kind, kept.map(({ data }) => data.toString('hex'))]).toEqual([
        kind,
        sent.map(({ data }) => data.toString('hex')),
      ]);
    }
  }

  #sendSample(kind: Sample['kind'], at: number): void {
    this.time.now = Math.max(this.time.now, START + at);
    const data = Buffer.alloc(12);
    data.writeUInt32BE(8);
    data.writeUInt32BE(this.sent.length, 8);
    const dts = micros(Math.round((kind === 'audio' ? at - this.soundLag : at) * 1000));
    const keyframe = kind === 'audio' || this.#pictures % 25 === 0;
    const sample: Sample = { track: kind === 'video' ? 0 : 1, kind, dts, pts: dts, keyframe, data };
    this.sent.push(sample);
    this.publication?.write({ type: 'sample', sample });
  }
}

const ON = 'recording: { enabled: true }';

type Step =
  | { readonly kind: 'send'; readonly tenths: number; readonly what: 'both' | 'video' | 'audio' }
  | { readonly kind: 'away'; readonly ms: number }
  | { readonly kind: 'split' | 'picture-change' | 'sound-change' | 'tick' };

describe('the recorder', () => {
  let studio: Studio;
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(async () => {
    studio.router.close('over');
    await studio.recorder.close('over');
    vi.useRealTimers();
  });

  it('records what the configuration says, from the first frame to the last, and puts it into the index', async () => {
    studio = new Studio(ON);
    studio.publish(VIDEO, SOUND);
    expect(studio.recorder.active).toMatchObject([
      { startedBy: 'configuration', state: { kind: 'waiting' }, files: 0 },
    ]);
    studio.send(3.5);
    const [file] = studio.files.files;
    expect(studio.recorder.active).toMatchObject([
      { path: PATH, container: 'mp4', state: { kind: 'recording' }, file: file?.name, files: 1 },
    ]);
    expect([...studio.index.rows.values()]).toMatchObject([{ state: 'writing', file: file?.name, path: PATH }]);
    // What is older than half of `flushSeconds` is there already.
    if (file !== undefined) expect(studio.samples(file, 'video').length).toBeGreaterThan(60);
    studio.publication?.end('gone');
    vi.advanceTimersByTime(60_000);
    await vi.runOnlyPendingTimersAsync();
    studio.expectNothingLost();
    expect(file).toMatchObject({ isClosed: true, isFinished: true });
    expect([...studio.index.rows.values()]).toMatchObject([
      {
        state: 'ready',
        sha256: 'ab',
        startedAt: START,
        gaps: [],
        tracks: [
          { kind: 'video', codec: 'h264' },
          { kind: 'audio', codec: 'aac' },
        ],
      },
    ]);
    expect(studio.told).toEqual(['started', 'ended', 'file-ready']);
    expect(studio.recorder.active).toEqual([]);
  });

  it.each(['mp4', 'flv'])('cuts %s files at keyframes without losing or doubling a sample', (container) => {
    studio = new Studio(`recording: { enabled: true, segmentSeconds: 2, container: ${container} }`);
    studio.publish(VIDEO, SOUND);
    studio.send(7.2);
    studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
    expect(studio.files.files).toHaveLength(4);
    studio.expectNothingLost();
    for (const file of studio.files.files) {
      const [first] = studio.samples(file, 'video');
      expect(first?.keyframe).toBe(true);
      expect(Math.min(...studio.samples(file).map(({ dts }) => dts))).toBe(0);
    }
  });

  it('cuts by bytes, and where somebody asks for it', () => {
    studio = new Studio('recording: { enabled: true, segmentBytes: 300 }');
    studio.publish(VIDEO, SOUND);
    studio.send(3);
    expect(studio.files.files.length).toBeGreaterThan(1);
    studio.configure(ON);
    const before = studio.files.files.length;
    const [{ id = '' } = {}] = studio.recorder.active;
    expect(studio.recorder.split('nothing')).toBe(false);
    studio.send(2.3);
    const whole = studio.files.files.length;
    expect(whole - before).toBeLessThanOrEqual(1);
    expect(studio.recorder.split(id)).toBe(true);
    studio.send(2);
    expect(studio.files.files).toHaveLength(whole + 1);
    studio.recorder.stop(id);
    studio.expectNothingLost();
  });

  it('begins by hand with the GOP that is under way, and once for each container', () => {
    studio = new Studio('');
    studio.publish(VIDEO, SOUND);
    expect(() => studio.recorder.start(parseStreamPath('live/other'), {})).toThrow(Refusal);
    studio.send(1.6);
    const { id } = studio.recorder.start(PATH, { container: 'flv' });
    expect(() => studio.recorder.start(PATH, { container: 'flv' })).toThrow(/recorded as flv already/);
    studio.recorder.start(PATH, {});
    studio.send(1);
    expect(studio.recorder.stop(id)).toBe(true);
    expect(studio.recorder.stop(id)).toBe(false);
    const [flv] = studio.files.files;
    const kept = flv === undefined ? [] : studio.samples(flv, 'video').map(({ data }) => data.toString('hex'));
    const sent = studio.sent.filter(({ kind }) => kind === 'video').slice(25);
    expect(kept).toEqual(sent.map(({ data }) => data.toString('hex')));
    expect(studio.recorder.active).toMatchObject([{ container: 'mp4', startedBy: 'api' }]);
  });

  it('follows the configuration while a stream is live, but not against who has stopped it', () => {
    studio = new Studio('');
    studio.publish(VIDEO, SOUND);
    studio.send(1);
    studio.configure(ON);
    expect(studio.recorder.active).toHaveLength(1);
    studio.configure('recording: { enabled: true, container: ts }');
    expect(studio.recorder.active).toMatchObject([{ container: 'ts' }]);
    studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
    studio.configure('recording: { enabled: true, container: ts, segmentSeconds: 5 }');
    expect(studio.recorder.active).toEqual([]);
    studio.configure('');
    studio.configure(ON);
    expect(studio.recorder.active).toHaveLength(1);
    studio.configure('');
    expect(studio.recorder.active).toEqual([]);
  });

  it('begins a new file with a new configuration, and keeps the sound that comes before its first picture', () => {
    studio = new Studio(ON);
    studio.publish(VIDEO, SOUND);
    studio.send(1.5);
    studio.publication?.write({ type: 'config', config: OTHER_SOUND });
    studio.send(1);
    studio.publication?.write({ type: 'config', config: OTHER_VIDEO });
    // The stream waits for a keyframe of the new configuration, and has dropped what came before it.
    const pictures = studio.sent.filter(({ kind }) => kind === 'video').length;
    studio.send(1);
    studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
    const [first, second, third] = studio.files.files;
    expect(studio.files.files).toHaveLength(3);
    if (first === undefined || second === undefined || third === undefined) return;
    const count = (file: MemoryFile, kind: Sample['kind']) => studio.samples(file, kind).length;
    const sounds = studio.sent.filter(({ kind }) => kind === 'audio').length;
    expect(count(first, 'audio') + count(second, 'audio') + count(third, 'audio')).toBe(sounds);
    expect(count(first, 'video')).toBe(50);
    expect(count(first, 'video') + count(second, 'video')).toBe(pictures);
  });

  it('goes on in the same file where an encoder comes back, and notes how long it was away', () => {
    studio = new Studio(ON);
    studio.publish(VIDEO, SOUND);
    studio.send(2);
    studio.publication?.end('lost');
    expect(studio.recorder.active).toMatchObject([{ state: { kind: 'waiting' } }]);
    studio.time.now += 7000;
    vi.advanceTimersByTime(7000);
    const kept = studio.files.files[0];
    // Its last frames too are on the disk meanwhile.
    studio.expectNothingLost();
    studio.publication = studio.router.publish(session, { cut: () => {} });
    studio.publication.write({ type: 'config', config: VIDEO });
    studio.publication.write({ type: 'config', config: SOUND });
    studio.send(2);
    studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
    expect(studio.files.files).toEqual([kept]);
    studio.expectNothingLost();
    const [row] = studio.index.rows.values();
    expect(row?.gaps).toHaveLength(1);
    expect(row?.gaps[0]?.reason).toBe('encoder-away');
    expect(row?.gaps[0]?.missing).toBeGreaterThan(4800);
    expect(row?.gaps[0]?.missing).toBeLessThan(7200);
    expect(Math.abs((row?.gaps[0]?.at ?? 0) - 2000)).toBeLessThan(100);
  });

  it('pauses while the disk fails, and goes on by itself in a new file at a keyframe', async () => {
    studio = new Studio(ON);
    studio.publish(VIDEO, SOUND);
    studio.send(2.2);
    studio.files.trouble = 'disk-full';
    studio.files.files[0]?.fail('disk-full');
    expect(studio.recorder.active).toMatchObject([{ state: { kind: 'paused', trouble: 'disk-full' } }]);
    for (let second = 0; second < 4; second++) {
      studio.send(1);
      await Promise.resolve();
      expect(studio.recorder.active).toMatchObject([{ state: { kind: 'paused', trouble: 'disk-full' } }]);
    }
    studio.files.trouble = undefined;
    studio.send(3);
    expect(studio.recorder.active).toMatchObject([{ state: { kind: 'recording' } }]);
    studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
    expect(studio.told.filter((name) => name !== 'file-ready')).toEqual(['started', 'paused', 'resumed', 'ended']);
    const [first, second] = studio.files.files;
    expect(studio.files.files).toHaveLength(2);
    expect(second && studio.samples(second, 'video')[0]?.keyframe).toBe(true);
    const kept = (first && studio.samples(first, 'video').length) ?? 0;
    const after = (second && studio.samples(second, 'video').length) ?? 0;
    const lost = studio.sent.filter(({ kind }) => kind === 'video').length - kept - after;
    const told = studio.warnings.filter((text) => text.startsWith('the recording goes on'));
    expect(told).toHaveLength(1);
    const lostMs = Number(/"lostMs":(\d+)/.exec(told[0] ?? '')?.[1]);
    expect(Math.abs(lostMs - lost * PICTURE_MS)).toBeLessThanOrEqual(2 * PICTURE_MS);
  });

  it('does not pause what has ended, where the end of its last file cannot be written', () => {
    studio = new Studio(ON);
    studio.publish(VIDEO, SOUND);
    studio.send(2.2);
    studio.files.holds = true;
    studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
    studio.files.files[0]?.fail('disk-full');
    expect(studio.told.filter((name) => !name.startsWith('file'))).toEqual(['started', 'ended']);
    expect(studio.errors.join()).toMatch(/the end of a recorded file is not on the disk.*"lostMs":\d{3}/);
  });

  it('counts what is lost of the end of a file where the next one has begun', () => {
    studio = new Studio('recording: { enabled: true, segmentSeconds: 2 }');
    studio.publish(VIDEO, SOUND);
    studio.send(1.7);
    studio.files.holds = true;
    studio.send(0.5);
    studio.files.files[0]?.fail('disk-full');
    studio.files.holds = false;
    studio.send(2);
    expect(studio.told.filter((name) => !name.startsWith('file'))).toEqual(['started', 'paused', 'resumed']);
    const [told = ''] = studio.warnings.filter((text) => text.startsWith('the recording goes on'));
    const lostMs = Number(/"lostMs":(\d+)/.exec(told)?.[1]);
    expect(lostMs).toBeGreaterThan(200);
    expect(lostMs).toBeLessThan(1100);
  });

  it('counts files that were begun, not attempts', async () => {
    studio = new Studio(ON);
    studio.files.trouble = 'disk-failed';
    studio.publish(VIDEO, SOUND);
    for (let second = 0; second < 5; second++) {
      studio.send(1);
      await Promise.resolve();
    }
    expect(studio.recorder.active).toMatchObject([{ state: { kind: 'paused' }, files: 0 }]);
    studio.files.trouble = undefined;
    studio.send(3);
    expect(studio.recorder.active).toMatchObject([{ state: { kind: 'recording' }, files: 1 }]);
  });

  it('prepares no file for sound alone while it waits to try the disk again', async () => {
    studio = new Studio(ON);
    studio.publish(SOUND);
    studio.files.trouble = 'disk-full';
    const opened = vi.spyOn(CONTAINER_FORMATS.mp4, 'open');
    for (let tenth = 0; tenth < 40; tenth++) {
      studio.send(0.1, ['audio']);
      await Promise.resolve();
    }
    expect(opened.mock.calls.length).toBeLessThan(6);
    opened.mockRestore();
    studio.files.trouble = undefined;
    studio.send(2, ['audio']);
    expect(studio.recorder.active).toMatchObject([{ state: { kind: 'recording' } }]);
  });

  it('does not look up its settings for each frame of sound', () => {
    studio = new Studio(ON);
    studio.publish(SOUND);
    studio.send(2, ['audio']);
    const looked = vi.spyOn(studio.live, 'current', 'get');
    studio.send(10, ['audio']);
    expect(looked.mock.calls.length).toBeLessThan(30);
    looked.mockRestore();
  });

  it('tells of sound that changed twice before there was a keyframe for a file to begin with', () => {
    for (const last of [SOUND, undefined]) {
      studio = new Studio(ON);
      studio.publish(VIDEO, SOUND);
      studio.send(1.2);
      studio.publication?.write({ type: 'config', config: OTHER_SOUND });
      studio.send(0.2);
      if (last !== undefined) studio.publication?.write({ type: 'config', config: last });
      else studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
      expect(studio.warnings.filter((text) => text.includes('without some sound'))).toHaveLength(1);
    }
  });

  it('has all that the stream has, once and in order, whatever happens to it', async () => {
    const away = fc.record({ kind: fc.constant('away'), ms: fc.integer({ min: 0, max: 8000 }) } as const);
    const send = fc.record({
      kind: fc.constant('send'),
      tenths: fc.integer({ min: 1, max: 25 }),
      what: fc.constantFrom('both', 'video', 'audio'),
    } as const);
    const other = fc.record({ kind: fc.constantFrom('split', 'picture-change', 'sound-change', 'tick') } as const);
    const container = fc.constantFrom('mp4', 'flv');
    const act = async (step: Step, configs: { video: TrackConfig; sound: TrackConfig }) => {
      if (step.kind === 'send') {
        studio.send(step.tenths / 10, step.what === 'both' ? ['video', 'audio'] : [step.what]);
      } else if (step.kind === 'away') {
        studio.publication?.end('lost');
        studio.time.now += step.ms;
        vi.advanceTimersByTime(200);
        studio.publish(configs.video, configs.sound);
      } else if (step.kind === 'split') {
        studio.recorder.split(studio.recorder.active[0]?.id ?? '');
      } else if (step.kind === 'picture-change') {
        configs.video = configs.video === VIDEO ? OTHER_VIDEO : VIDEO;
        studio.publication?.write({ type: 'config', config: configs.video });
      } else if (step.kind === 'sound-change') {
        configs.sound = configs.sound === SOUND ? OTHER_SOUND : SOUND;
        studio.publication?.write({ type: 'config', config: configs.sound });
        // Sound that changes again before the next keyframe has no file to be in.
        studio.send(1.1);
      } else vi.advanceTimersByTime(1000);
    };
    const steps = fc.array(fc.oneof({ weight: 3, arbitrary: send }, away, other), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(container, steps, async (kind, happens) => {
        studio = new Studio(`recording: { enabled: true, container: ${kind}, segmentSeconds: 3 }`);
        studio.publish(VIDEO, SOUND);
        const emitted = studio.probe();
        const configs = { video: VIDEO, sound: SOUND };
        for (const step of happens) await act(step, configs);
        studio.send(2.5);
        studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
        const firstPicture = emitted.find(({ kind }) => kind === 'video')?.dts ?? 0;
        for (const kind of ['video', 'audio'] as const) {
          const wanted = emitted.filter((sample) => sample.kind === kind && sample.dts >= firstPicture);
          const kept = studio.files.files.flatMap((file) => studio.samples(file, kind));
          const numbers = (samples: readonly Sample[]) => samples.map(({ data }) => data.readUInt32BE(8));
          // A frame of sound may last into the first picture.
          const early = kept.length - wanted.length;
          expect(early).toBeLessThanOrEqual(kind === 'audio' ? 2 : 0);
          expect([kind, numbers(kept).slice(Math.max(early, 0))]).toEqual([kind, numbers(wanted)]);
        }
        studio.router.close('over');
        await studio.recorder.close('over');
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it.each(['mp4', 'flv'])(
    'knows when a frame of %s was live whose file begins with sound that came late',
    (container) => {
      studio = new Studio(`recording: { enabled: true, segmentSeconds: 3, container: ${container} }`);
      studio.soundLag = 700;
      studio.publish(VIDEO, SOUND);
      studio.send(4);
      studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
      const rows = [...studio.index.rows.values()];
      expect(rows).toHaveLength(2);
      for (const [number, { startedAt, file }] of rows.entries()) {
        const written = studio.files.files.find(({ name }) => name === file);
        const [picture] = written === undefined ? [] : studio.samples(written, 'video');
        expect(picture?.keyframe).toBe(true);
        expect(Math.abs(startedAt + (picture?.dts ?? 0) / 1000 - (START + number * 3000))).toBeLessThan(5);
      }
      studio.expectNothingLost();
    },
  );

  it('waits a moment for pictures where sound comes first, and loses nothing of sound alone', () => {
    studio = new Studio(ON);
    studio.publish(SOUND);
    studio.send(0.4, ['audio']);
    studio.publication?.write({ type: 'config', config: VIDEO });
    studio.send(2);
    expect(studio.files.files).toHaveLength(1);
    const [row] = studio.index.rows.values();
    expect(row?.tracks.map(({ kind }) => kind)).toEqual(['video', 'audio']);
    studio.router.close('over');

    studio = new Studio(ON);
    studio.publish(SOUND);
    studio.send(3.1, ['audio']);
    studio.recorder.stop(studio.recorder.active[0]?.id ?? '');
    expect(studio.files.files).toHaveLength(1);
    const [file] = studio.files.files;
    expect(file && studio.samples(file, 'audio').length).toBe(studio.sent.length);
  });

  it('tells once what the container cannot carry, and records the rest', () => {
    studio = new Studio('recording: { enabled: true, container: ts }');
    studio.publish(AV1, SOUND);
    studio.send(2);
    expect(studio.warnings.filter((text) => /made without av1/.test(text))).toHaveLength(1);
    expect(studio.recorder.active).toMatchObject([{ state: { kind: 'recording' } }]);
    expect(studio.recorder.active[0]?.reason).toMatch(/without av1/);
    expect([...studio.index.rows.values()][0]).toMatchObject({ tracks: [{ codec: 'aac' }] });
    expect([...studio.index.rows.values()][0]?.reason).toMatch(/without av1/);
  });

  it('makes whole at its start what a crash has left, with and without a row', async () => {
    studio = new Studio('');
    const create = (name: string) => studio.files.create(name, { opened() {}, flushed() {}, failed() {} }, {});
    const base = { recording: 'r', path: PATH, container: 'mp4', startedAt: millis(5), duration: 0, bytes: 0 } as const;
    const row = { ...base, tracks: [], gaps: [], isLocal: true, state: 'writing' } as const;
    for (const name of ['a.mp4', 'live/show/2026-11-21/10-00-00.mp4', 'notes.txt'])
      create(name).append(Buffer.alloc(9));
    // The server ended before anything was in it.
    for (const name of ['live/show/2026-11-21/11-00-00.mp4', 'empty.txt']) create(name);
    const early = { at: 500, missing: 9000, reason: 'encoder-away' } as const;
    await studio.index.put({ ...row, id: '1', file: 'a.mp4', gaps: [early, { ...early, at: 1000 }] });
    await studio.index.put({ ...row, id: '2', file: 'gone.mp4' });
    await studio.index.put({ ...row, id: '3', file: 'link.mp4' });
    studio.files.refusals.set('link.mp4', 'bad-name');
    await studio.recorder.open();
    await vi.runOnlyPendingTimersAsync();
    const rows = [...studio.index.rows.values()].map(({ file, state, isLocal }) => [file, state, isLocal]);
    expect(rows).toEqual([
      ['a.mp4', 'ready', true],
      ['gone.mp4', 'missing', false],
      ['link.mp4', 'damaged', true],
      ['live/show/2026-11-21/10-00-00.mp4', 'ready', true],
    ]);
    // A gap that was told before what came after it was written.
    expect(studio.index.rows.get('1')?.gaps).toEqual([early]);
    const kept = studio.files.files.map(({ name, isFinished }) => `${name} ${isFinished}`);
    expect(kept.slice(2)).toEqual(['notes.txt false', 'empty.txt false']);
    expect(kept.slice(0, 2)).toEqual(['a.mp4 true', 'live/show/2026-11-21/10-00-00.mp4 true']);
    expect(studio.told.toSorted()).toEqual(['file-damaged', 'file-damaged', 'file-ready', 'file-ready']);
  });
});
