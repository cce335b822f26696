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
  /** 0: mono or stereo; others bring a table of streams. */
  readonly mappingFamily: number;
}

const MAGIC = 'OpusHead';
const MIN_LENGTH = 19;
export const OPUS_SAMPLE_RATE = 48_000;
/** Of mapping family 0, RFC 7845 §5.1.1.1. */
const MAX_UNMAPPED_CHANNELS = 2;

/** @throws {MediaError} `truncated`, `malformed`, or `unsupported` for a version to come */
export function parseOpusHead(head: Buffer): OpusHead {
  if (head.length < MIN_LENGTH) throw new MediaError('truncated', `an OpusHead of ${head.length} bytes`);
  if (head.toString('latin1', 0, 8) !== MAGIC) throw new MediaError('malformed', 'an OpusHead without its magic');
  const version = head[8] ?? 0;
  if (version >= 16) throw new MediaError('unsupported', `OpusHead version ${version}`);
  const channels = head[9] ?? 0;
  if (channels === 0) throw new MediaError('malformed', 'an OpusHead with no channel');
  const mappingFamily = head[18] ?? 0;
  if (mappingFamily === 0 && channels > MAX_UNMAPPED_CHANNELS) {
    throw new MediaError('malformed', `an OpusHead of ${channels} channels without a mapping, 1 or 2 are possible`);
  }
  // Numbers of streams and of coupled ones, and a stream for each channel. RFC 7845 §5.1.1
  if (mappingFamily !== 0 && head.length < MIN_LENGTH + 2 + channels) {
    throw new MediaError('truncated', `an OpusHead of ${head.length} bytes with a mapping of ${channels} channels`);
  }
  return { channels, preSkip: head.readUInt16LE(10), inputSampleRate: head.readUInt32LE(12), mappingFamily };
}

/**
 * Mapping family 1: numbers of streams and of coupled ones, then the decoded channel for each speaker in Vorbis order.
 * By channels; encoders use the same layouts throughout. RFC 7845 §5.1.1.2
 */
const SURROUND_MAPPINGS: Readonly<Record<number, readonly number[]>> = {
  3: [2, 1, 0, 2, 1],
  4: [2, 2, 0, 1, 2, 3],
  5: [3, 2, 0, 4, 1, 2, 3],
  6: [4, 2, 0, 4, 1, 2, 3, 5],
  7: [4, 3, 0, 4, 1, 2, 3, 5, 6],
  8: [5, 3, 0, 6, 1, 2, 3, 4, 5, 7],
};

/**
 * A version 1 OpusHead: of mapping family 0 for mono and stereo, of family 1 up to 8 channels.
 *
 * @throws {MediaError} `unsupported` for other numbers of channels
 */
export function buildOpusHead(options: {
  readonly channels: number;
  readonly preSkip: number;
  readonly inputSampleRate: number;
}): Buffer {
  const { channels, preSkip, inputSampleRate } = options;
  const mapping = SURROUND_MAPPINGS[channels];
  if (mapping === undefined && channels !== 1 && channels !== 2) {
    throw new MediaError('unsupported', `Opus of ${channels} channels; 1 to 8 have a layout`);
  }
  const head = Buffer.alloc(MIN_LENGTH);
  head.write(MAGIC, 'latin1');
  head[8] = 1;
  head[9] = channels;
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(inputSampleRate, 12);
  if (mapping === undefined) return head;
  head[18] = 1;
  return Buffer.concat([head, Buffer.from(mapping)]);
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

/** A packet sounds for 120 ms at most, RFC 6716 §3.2.5. */
const MAX_PACKET_MICROS = 120_000;

/**
 * How long a packet sounds, from its table-of-contents byte. RFC 6716 §3.1.
 *
 * @throws {MediaError} `truncated`, or `malformed` for a duration that no packet can have
 */
export function opusPacketDuration(packet: Buffer): Micros {
  const toc = packet[0];
  if (toc === undefined) throw new MediaError('truncated', 'an empty Opus packet');
  const config = toc >> 3;
  const frame = config < 12 ? SILK[config % 4] : config < 16 ? HYBRID[config % 2] : CELT[config % 4];
  const duration = (frame ?? 0) * frameCount(packet, toc & 3);
  if (duration === 0 || duration > MAX_PACKET_MICROS) {
    throw new MediaError('malformed', `an Opus packet of ${duration / 1000} ms, up to 120 ms are possible`);
  }
  return micros(duration);
}

function frameCount(packet: Buffer, code: number): number {
  if (code === 0) return 1;
  if (code < 3) return 2;
  const second = packet[1];
  if (second === undefined) throw new MediaError('truncated', 'an Opus packet without its frame count');
  return second & 0x3f;
}
