import { MediaError } from '../errors.js';
import { type Micros, micros } from '../time.js';
import type { AudioTrackConfig, TrackId } from '../track-config.js';

/** OpusHead, RFC 7845 §5.1. */
export interface OpusHead {
  readonly channels: number;
  /** Samples of 48 kHz to drop at the start. */
  readonly preSkip: number;
  /** Of the original sound; decoding is at 48 kHz always. */
  readonly inputSampleRate: number;
  readonly mappingFamily: number;
}

const MAGIC = 'OpusHead';
const MIN_LENGTH = 19;
export const OPUS_SAMPLE_RATE = 48_000;

/** @throws {MediaError} `truncated` or `malformed` */
export function parseOpusHead(head: Buffer): OpusHead {
  if (head.length < MIN_LENGTH) throw new MediaError('truncated', `an OpusHead of ${head.length} bytes`);
  if (head.toString('latin1', 0, 8) !== MAGIC) throw new MediaError('malformed', 'an OpusHead without its magic');
  const version = head[8] ?? 0;
  if (version >= 16) throw new MediaError('unsupported', `OpusHead version ${version}`);
  const channels = head[9] ?? 0;
  if (channels === 0) throw new MediaError('malformed', 'an OpusHead with no channel');
  return {
    channels,
    preSkip: head.readUInt16LE(10),
    inputSampleRate: head.readUInt32LE(12),
    mappingFamily: head[18] ?? 0,
  };
}

/** A version 1 OpusHead of mapping family 0 (mono or stereo). */
export function buildOpusHead(options: {
  readonly channels: number;
  readonly preSkip: number;
  readonly inputSampleRate: number;
}): Buffer {
  const head = Buffer.alloc(MIN_LENGTH);
  head.write(MAGIC, 'latin1');
  head[8] = 1;
  head[9] = options.channels;
  head.writeUInt16LE(options.preSkip, 10);
  head.writeUInt32LE(options.inputSampleRate, 12);
  return head;
}

/** @throws {MediaError} where the head can't be read */
export function opusTrackConfig(track: TrackId, head: Buffer): AudioTrackConfig {
  const { channels } = parseOpusHead(head);
  return {
    kind: 'audio',
    track,
    codec: 'opus',
    codecString: 'opus',
    description: head,
    sampleRate: OPUS_SAMPLE_RATE,
    channels,
  };
}

/** µs per frame by configuration number, RFC 6716 table 2. */
const SILK = [10_000, 20_000, 40_000, 60_000];
const HYBRID = [10_000, 20_000];
const CELT = [2_500, 5_000, 10_000, 20_000];

/** How long a packet sounds, from its table-of-contents byte. RFC 6716 §3.1. */
export function opusPacketDuration(packet: Buffer): Micros {
  const toc = packet[0];
  if (toc === undefined) throw new MediaError('truncated', 'an empty Opus packet');
  const config = toc >> 3;
  const frame = config < 12 ? SILK[config % 4] : config < 16 ? HYBRID[config % 2] : CELT[config % 4];
  return micros((frame ?? 0) * frameCount(packet, toc & 3));
}

function frameCount(packet: Buffer, code: number): number {
  if (code === 0) return 1;
  if (code < 3) return 2;
  const second = packet[1];
  if (second === undefined) throw new MediaError('truncated', 'an Opus packet without its frame count');
  return second & 0x3f;
}
