import { MediaError } from '../../errors.js';
import type { TrackConfig } from '../../track-config.js';
import { box, fullBox, latin1, u8, u32 } from '../box.js';
import { sampleEntryCode } from '../sample-entry.js';

/** What a player has to know of the encryption, besides the key itself. */
export interface Protection {
  /** 16 bytes that name the key. */
  readonly keyId: Buffer;
  /** 16 bytes with which each run of encrypted bytes begins. */
  readonly iv: Buffer;
}

export const BLOCK_SIZE = 16;
/** Of video one block in ten is encrypted, ISO 23001-7 §10.4; of audio all. 0 and 0 say "all". */
export const VIDEO_PATTERN = { encrypted: 1, clear: 9 } as const;
const SCHEME_VERSION = 0x1_0000;

/**
 * The `sinf` box of a track that is encrypted by `cbcs` with a constant IV. ISO 23001-7 §8.2, ISO 14496-12 §8.12.
 *
 * @throws {MediaError} `malformed` where the key id or the IV has another length than 16 bytes
 */
export function protectionBox(config: TrackConfig, { keyId, iv }: Protection): Buffer {
  checkLength('key id', keyId);
  checkLength('IV', iv);
  const pattern = config.kind === 'video' ? (VIDEO_PATTERN.encrypted << 4) | VIDEO_PATTERN.clear : 0;
  // Protected, by IVs of no bytes a sample: the constant one follows.
  const defaults = fullBox('tenc', 1, 0, u8(0, pattern, 1, 0), keyId, u8(BLOCK_SIZE), iv);
  return box(
    'sinf',
    box('frma', latin1(sampleEntryCode(config.codec))),
    fullBox('schm', 0, 0, latin1('cbcs'), u32(SCHEME_VERSION)),
    box('schi', defaults),
  );
}

/** @throws {MediaError} `malformed` */
export function checkLength(what: string, bytes: Buffer): void {
  if (bytes.length === BLOCK_SIZE) return;
  throw new MediaError('malformed', `a ${what} of ${bytes.length} bytes; cbcs takes ${BLOCK_SIZE}`);
}
