import { splitLengthPrefixed } from '../codecs/nal.js';
import type { Sample } from '../sample.js';
import { servicesIn } from './dtvcc.js';
import { isSei, readSei } from './sei.js';

/** Channels of CEA-608 captions, by the names that `INSTREAM-ID` of HLS has for them. */
export type Cea608Channel = 'CC1' | 'CC2' | 'CC3' | 'CC4';

/** The captions that a picture carries. */
export interface Captions {
  /** There is a place for them, be it empty: encoders that pass captions on have one in each picture. */
  readonly isPresent: boolean;
  /** Channels that it has a command for; text alone doesn't tell whose it is. */
  readonly cea608: Readonly<Record<Cea608Channel, boolean>>;
  /** CEA-708 services that it has a block of, ascending: 1 is the primary one, up to 63. */
  readonly cea708: readonly number[];
}

/** ITU-T T.35 country (USA), provider (ATSC), `GA94`, and the type that stands for captions. ATSC A/53 part 4 §6.2.3. */
const CAPTIONS_PREFIX = Buffer.from([0xb5, 0x00, 0x31, 0x47, 0x41, 0x39, 0x34, 0x03]);
/** `user_data_registered_itu_t_t35`, H.264 §D.1.6. */
const REGISTERED_USER_DATA = 4;
const PROCESS_CC_DATA = 0x40;
const CC_COUNT = 0x1f;
const CC_VALID = 0x04;
/** Of a construct of three bytes: what the other two are. CEA-708 §4.3 */
const CC_TYPE = { field1: 0, field2: 1, data: 2, start: 3 } as const;
const CONSTRUCT = 3;
/** What stands between the prefix and the first construct. */
const COUNT_AND_RESERVED = 2;

/**
 * The captions in the SEI messages of a picture. A stream's are known when some seconds of it have been looked at:
 * captions come when somebody speaks.
 *
 * @throws {MediaError} where the sample or its SEI can't be read
 */
export function captionsIn(sample: Sample, codec: 'h264' | 'hevc'): Captions {
  const found = { CC1: false, CC2: false, CC3: false, CC4: false };
  const services = new Set<number>();
  let isPresent = false;
  for (const unit of splitLengthPrefixed(sample.data, 4)) {
    if (!isSei(unit, codec)) continue;
    for (const { type, payload } of readSei(unit, codec)) {
      if (type === REGISTERED_USER_DATA && readUserData(payload, found, services)) isPresent = true;
    }
  }
  return { isPresent, cea608: found, cea708: [...services].sort((a, b) => a - b) };
}

/** @returns whether it is user data of captions */
function readUserData(payload: Buffer, found: Record<Cea608Channel, boolean>, services: Set<number>): boolean {
  if (!payload.subarray(0, CAPTIONS_PREFIX.length).equals(CAPTIONS_PREFIX)) return false;
  const flags = payload[CAPTIONS_PREFIX.length] ?? 0;
  if ((flags & PROCESS_CC_DATA) === 0) return true;
  const first = CAPTIONS_PREFIX.length + COUNT_AND_RESERVED;
  const end = Math.min(payload.length, first + (flags & CC_COUNT) * CONSTRUCT);
  const packets: number[][] = [];
  for (let at = first; at + CONSTRUCT <= end; at += CONSTRUCT) {
    const [header = 0, high = 0, low = 0] = payload.subarray(at, at + CONSTRUCT);
    if ((header & CC_VALID) === 0) continue;
    const type = header & 3;
    if (type === CC_TYPE.start) packets.push([high, low]);
    else if (type === CC_TYPE.data) packets.at(-1)?.push(high, low);
    else readCea608(type === CC_TYPE.field2, high, found);
  }
  for (const packet of packets) for (const service of servicesIn(packet)) services.add(service);
  return true;
}

/** Commands begin with 10 to 1F behind their parity bit; the upper half is the field's second channel. CEA-608 §8. */
function readCea608(isField2: boolean, high: number, found: Record<Cea608Channel, boolean>): void {
  const command = high & 0x7f;
  if (command < 0x10 || command > 0x1f) return;
  const isSecond = command >= 0x18;
  if (isField2) found[isSecond ? 'CC4' : 'CC3'] = true;
  else found[isSecond ? 'CC2' : 'CC1'] = true;
}
