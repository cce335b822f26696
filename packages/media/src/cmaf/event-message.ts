import type { TimedMetadata } from '../sample.js';
import { parseSpliceInfo, plannedDurationOf } from '../scte35/splice-info.js';
import type { Micros } from '../time.js';
import { cString, fullBox, MAX_UINT32, u32, u64 } from './box.js';
import { ticksFromMicros } from './track-time.js';

/** Something that is to happen at a time of the presentation. */
export interface EventMessage {
  /** A URI that names the kind of message. */
  readonly scheme: string;
  /** Distinguishes streams of messages of one scheme. Empty if not given. */
  readonly value?: string;
  readonly time: Micros;
  /** Unknown if not given. */
  readonly duration?: Micros;
  /** Messages of the same scheme, value and id are one and the same. 0 to 2^32 - 1. */
  readonly id: number;
  readonly data: Buffer;
}

/** The schemes of ID3 tags (AOM, "Carriage of ID3 timed metadata in CMAF") and of SCTE 35 sections (SCTE 214-3). */
export const EVENT_SCHEME = { id3: 'https://aomedia.org/emsg/ID3', scte35: 'urn:scte:scte35:2013:bin' } as const;

/**
 * Timed metadata as a message. A cue is due at the message's time, whatever the times in its section say.
 *
 * @param id the caller's count of messages
 * @throws {MediaError} as `parseSpliceInfo`, for a cue that can't be read
 */
export function eventMessageOf({ kind, at, data }: TimedMetadata, id: number): EventMessage {
  const duration = kind === 'scte35' ? plannedDurationOf(parseSpliceInfo(data)) : undefined;
  return { scheme: EVENT_SCHEME[kind], time: at, id, data, ...(duration === undefined ? {} : { duration }) };
}

/** An `emsg` box of version 1, in front of a `moof` box. ISO 23009-1 §5.10.3.3. */
export function eventMessageBox(event: EventMessage, timescale: number): Buffer {
  const { scheme, value = '', time, duration, id, data } = event;
  const length = duration === undefined ? MAX_UINT32 : Math.min(ticksFromMicros(duration, timescale), MAX_UINT32);
  const fields = [u32(timescale), u64(ticksFromMicros(time, timescale)), u32(length, id)];
  return fullBox('emsg', 1, 0, ...fields, cString(scheme), cString(value), data);
}
