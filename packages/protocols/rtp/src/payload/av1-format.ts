import { AV1_OBU } from '@sluice/media';

/** Bits of the aggregation header, AV1 RTP §4.4. */
export const CONTINUES_OBU = 0x80;
export const WILL_CONTINUE = 0x40;
export const COUNT_SHIFT = 4;
/** What the count can tell; with more elements, or 0, each one has a length. */
export const MOST_COUNTED = 3;
export const BEGINS_SEQUENCE = 0x08;

/** Bits of an OBU header, AV1 §5.3.2. */
export const HAS_EXTENSION = 0x04;
export const HAS_SIZE = 0x02;

const TILE_LIST = 8;

/** OBUs that don't go over RTP, AV1 RTP §5. */
export const STAYS_BEHIND: ReadonlySet<number> = new Set([AV1_OBU.temporalDelimiter, TILE_LIST]);
