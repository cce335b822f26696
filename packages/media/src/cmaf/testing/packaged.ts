import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FlvDemuxer } from '../../flv/demuxer.js';
import { TsDemuxer } from '../../mpegts/demuxer.js';
import type { Sample } from '../../sample.js';
import { type Micros, micros, millis } from '../../time.js';
import type { TrackConfig, TrackId } from '../../track-config.js';
import { CbcsEncryptor } from '../encryption/cbcs-encryptor.js';
import { EVENT_SCHEME } from '../event-message.js';
import { writeFragment } from '../fragment.js';
import { FragmentWriter } from '../fragment-writer.js';
import { type InitTrackOptions, writeInitSegment } from '../init-segment.js';
import { readMp4 } from '../reading/mp4-file.js';

/** A stream, whole. */
export interface Media {
  readonly configs: readonly TrackConfig[];
  readonly samples: readonly Sample[];
}

export type SourceFormat = 'flv' | 'mpegts' | 'mp4';

const run = promisify(execFile);

type AnyEvent = { type: 'config'; config: TrackConfig } | { type: 'sample'; sample: Sample } | { type: 'other' };

/** What events of any demuxer tell of the media. */
export function mediaOf(events: readonly { readonly type: string }[]): Media {
  const typed = events as readonly AnyEvent[];
  return {
    configs: typed.flatMap((event) => (event.type === 'config' ? [event.config] : [])),
    samples: typed.flatMap((event) => (event.type === 'sample' ? [event.sample] : [])),
  };
}

export function demux(bytes: Buffer, format: SourceFormat): Media {
  if (format === 'flv') return mediaOf(new FlvDemuxer().push(bytes));
  if (format === 'mp4') return mediaOf(readMp4(bytes));
  const demuxer = new TsDemuxer();
  return mediaOf([...demuxer.push(bytes), ...demuxer.flush()]);
}

/** The same media, later. */
export function moved({ configs, samples }: Media, by: Micros): Media {
  const later = samples.map((sample) => ({ ...sample, dts: micros(sample.dts + by), pts: micros(sample.pts + by) }));
  return { configs, samples: later };
}

/** The same media, without times before 0, as files of ffmpeg with their edits have. */
export function fromZero(media: Media): Media {
  const first = Math.min(...media.samples.map(({ dts }) => dts));
  return first < 0 ? moved(media, micros(-first)) : media;
}

export interface PackageOptions {
  readonly tracks?: ReadonlyMap<TrackId, InitTrackOptions>;
  readonly secret?: { readonly key: Buffer; readonly iv: Buffer; readonly keyId: Buffer };
  /** With `styp`, `prft` and `emsg`. */
  readonly extras?: boolean;
  /** µs; 200 ms if not given. */
  readonly part?: number;
}

/** An init segment and parts of all tracks, cut by the clock of the samples, as a packager does it. */
export function packaged({ configs, samples }: Media, options: PackageOptions = {}): Buffer[] {
  const { tracks, secret, extras, part = 200_000 } = options;
  const writers = new Map(configs.map((config) => [config.track, new FragmentWriter(config)]));
  const encryptors = new Map(
    secret === undefined ? [] : configs.map((config) => [config.track, new CbcsEncryptor(config, secret)]),
  );
  const init = {
    ...(tracks === undefined ? {} : { tracks }),
    ...(secret === undefined ? {} : { protection: secret }),
  };
  const parts = [writeInitSegment(configs, init)];
  const cut = (isLast: boolean) => {
    const taken = [...writers.values()].flatMap((writer) => (isLast ? writer.finish() : writer.take()) ?? []);
    if (taken.length === 0) return;
    const sequence = parts.length;
    const event = { scheme: EVENT_SCHEME.id3, time: micros(1_000_000), id: sequence, data: Buffer.from('ID3') };
    const fragment = writeFragment(
      taken.map((track) => encryptors.get(track.track)?.encrypt(track) ?? track),
      { sequence, ...(extras ? { begins: 'chunk', wallClock: millis(1_700_000_000_123), events: [event] } : {}) },
    );
    const bytes = Buffer.concat(fragment.pieces);
    if (bytes.length !== fragment.length) throw new Error(`${bytes.length} bytes, ${fragment.length} were said`);
    parts.push(bytes);
  };
  let start = samples[0]?.dts ?? 0;
  for (const sample of samples) {
    if (sample.dts - start >= part) {
      cut(false);
      start = sample.dts;
    }
    writers.get(sample.track)?.push(sample);
  }
  cut(true);
  return parts;
}

/** Hashes of what ffmpeg decodes, without times. Throws where it has anything to say. */
export async function decoded(path: string, kind: 'v' | 'a', args: readonly string[] = []): Promise<string[]> {
  const input = ['-v', 'error', '-xerror', '-err_detect', 'explode', ...args, '-i', path];
  const output = ['-map', `0:${kind}:0`, '-f', 'framemd5', '-'];
  const { stdout, stderr } = await run('ffmpeg', [...input, ...output], { maxBuffer: 64 * 1024 * 1024 });
  if (stderr !== '') throw new Error(stderr);
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(',').at(-1)?.trim() ?? '');
}
