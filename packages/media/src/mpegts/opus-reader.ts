import { buildOpusHead, OPUS_SAMPLE_RATE, opusPacketDuration, opusTrackConfig } from '../codecs/opus.js';
import { MediaError } from '../errors.js';
import { micros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';
import { ConfigTracker, type ElementaryReader, type TimedPayload } from './elementary-reader.js';
import type { TsEvent } from './events.js';

/** 11 bits in front of each packet. */
const PREFIX = 0x7fe0;
const PREFIX_MASK = 0xffe0;
const START_TRIM = 0x10;
const END_TRIM = 0x08;
const EXTENSION = 0x04;
/** What encoders skip at the start: 6.5 ms, and the transport stream doesn't say. */
const PRE_SKIP = 312;

/** Opus in MPEG-TS (the ETSI draft, version 0.1.3, that encoders follow): packets behind control headers. */
export class OpusReader implements ElementaryReader {
  readonly #track: TrackId;
  readonly #config: TrackConfig;
  readonly #configs = new ConfigTracker();

  /** @param channels 1 or 2 */
  constructor(track: TrackId, channels: number) {
    this.#track = track;
    const head = buildOpusHead({ channels, preSkip: PRE_SKIP, inputSampleRate: OPUS_SAMPLE_RATE });
    this.#config = opusTrackConfig(track, head);
  }

  read({ pts, data }: TimedPayload, events: TsEvent[]): void {
    if (pts === undefined) throw new MediaError('unsupported', 'an Opus PES packet without a PTS');
    let time = pts;
    for (let at = 0; at < data.length; ) {
      const packet = opusPacketAt(data, at);
      const duration = opusPacketDuration(packet);
      this.#configs.update(this.#config, events);
      const sample = { track: this.#track, kind: 'audio' as const, dts: time, pts: time, keyframe: true, data: packet };
      events.push({ type: 'sample', sample });
      time = micros(time + duration);
      at = packet.byteOffset - data.byteOffset + packet.length;
    }
  }

  reset(): void {}
}

/** The packet behind the control header at `from`. */
function opusPacketAt(data: Buffer, from: number): Buffer {
  const flags = from + 2 <= data.length ? data.readUInt16BE(from) : 0;
  if ((flags & PREFIX_MASK) !== PREFIX) throw new MediaError('malformed', 'no Opus control header');
  let at = from + 2;
  let size = 0;
  for (let byte: number | undefined = 255; byte === 255; at++) {
    byte = data[at];
    size += byte ?? 0;
  }
  if ((flags & START_TRIM) !== 0) at += 2;
  if ((flags & END_TRIM) !== 0) at += 2;
  if ((flags & EXTENSION) !== 0) at += 1 + (data[at] ?? 0);
  if (size === 0 || at + size > data.length) {
    throw new MediaError('truncated', `an Opus packet of ${size} bytes in ${Math.max(0, data.length - at)}`);
  }
  return data.subarray(at, at + size);
}
