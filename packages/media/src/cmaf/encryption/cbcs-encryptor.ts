import { createCipheriv } from 'node:crypto';
import { H264SliceHeaders } from '../../codecs/h264/slice-header.js';
import { HevcSliceHeaders } from '../../codecs/hevc/slice-header.js';
import { splitLengthPrefixed } from '../../codecs/nal.js';
import { MediaError } from '../../errors.js';
import type { TrackConfig } from '../../track-config.js';
import type { Subsample, TrackRun } from '../track-run.js';
import { BLOCK_SIZE, checkLength, VIDEO_PATTERN } from './protection-boxes.js';

/** Where the slices' headers end, of a codec of NAL units. */
interface SliceHeaders {
  headerLength(unit: Buffer): number | undefined;
}

const LENGTH_PREFIX = 4;
/** BytesOfClearData has 16 bits, ISO 23001-7 §7.2.1. */
const MAX_CLEAR = 0xffff;
const PATTERN_LENGTH = (VIDEO_PATTERN.encrypted + VIDEO_PATTERN.clear) * BLOCK_SIZE;

/**
 * Encrypts the runs of one track by `cbcs`: AES-128-CBC with a constant IV. ISO 23001-7 §10.4.
 *
 * Of pictures, one block in ten of each slice's data is encrypted, from the end of its header on; parameter sets, SEI
 * and the headers stay clear, so that players can read them. Sound is encrypted in all its whole blocks.
 */
export class CbcsEncryptor {
  readonly #key: Buffer;
  readonly #iv: Buffer;
  readonly #sliceHeaders: SliceHeaders | undefined;

  /**
   * @param secret key and IV, of 16 bytes each
   * @throws {MediaError} `malformed` for other lengths, `unsupported` for AV1 and VP9, and where the configuration
   *   can't be read
   */
  constructor(config: TrackConfig, secret: { readonly key: Buffer; readonly iv: Buffer }) {
    checkLength('key', secret.key);
    checkLength('IV', secret.iv);
    this.#key = secret.key;
    this.#iv = secret.iv;
    this.#sliceHeaders = config.kind === 'video' ? sliceHeadersOf(config) : undefined;
  }

  /**
   * The same run with encrypted copies of its samples' data.
   *
   * @throws {MediaError} where a picture's NAL units can't be read. It can't be left clear instead, so that the run
   *   has to be dropped
   */
  encrypt(run: TrackRun): TrackRun {
    const headers = this.#sliceHeaders;
    if (headers === undefined) {
      const samples = run.samples.map((sample) => ({ ...sample, data: this.#encryptWhole(sample.data) }));
      return { ...run, samples };
    }
    const subsamples = run.samples.map(({ data }) => subsamplesOf(data, headers));
    const samples = run.samples.map((sample, index) => ({
      ...sample,
      data: this.#encryptParts(sample.data, subsamples[index] ?? []),
    }));
    return { ...run, samples, subsamples };
  }

  #encryptWhole(data: Buffer): Buffer {
    const end = data.length - (data.length % BLOCK_SIZE);
    return end === 0 ? data : Buffer.concat([this.#encryptBlocks(data.subarray(0, end)), data.subarray(end)]);
  }

  /** The chain of blocks begins anew with each subsample, and passes over the clear blocks of the pattern. §9.6 */
  #encryptParts(data: Buffer, subsamples: readonly Subsample[]): Buffer {
    const copy = Buffer.from(data);
    let at = 0;
    for (const { clear, encrypted } of subsamples) {
      at += clear;
      const end = at + encrypted;
      const starts: number[] = [];
      for (let block = at; block + BLOCK_SIZE <= end; block += PATTERN_LENGTH) starts.push(block);
      const chain = Buffer.concat(starts.map((start) => data.subarray(start, start + BLOCK_SIZE)));
      const blocks = chain.length === 0 ? chain : this.#encryptBlocks(chain);
      starts.forEach((start, index) => {
        blocks.copy(copy, start, index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE);
      });
      at = end;
    }
    return copy;
  }

  #encryptBlocks(blocks: Buffer): Buffer {
    return createCipheriv('aes-128-cbc', this.#key, this.#iv).setAutoPadding(false).update(blocks);
  }
}

function sliceHeadersOf({ codec, description }: TrackConfig): SliceHeaders {
  if (codec === 'h264') return new H264SliceHeaders(description);
  if (codec === 'hevc') return new HevcSliceHeaders(description);
  throw new MediaError('unsupported', `cbcs encryption of ${codec}; H.264 and HEVC can be encrypted`);
}

/** What is clear and what is encrypted of a picture: neighbours that are clear become one. ISO 23001-7 §9.5.2. */
function subsamplesOf(data: Buffer, headers: SliceHeaders): Subsample[] {
  const parts: Subsample[] = [];
  let clear = 0;
  let at = 0;
  const push = (encrypted: number): void => {
    for (; clear > MAX_CLEAR; clear -= MAX_CLEAR) parts.push({ clear: MAX_CLEAR, encrypted: 0 });
    if (clear + encrypted > 0) parts.push({ clear, encrypted });
    clear = 0;
  };
  for (const unit of splitLengthPrefixed(data, LENGTH_PREFIX)) {
    // Empty units, of which only the lengths are there, are clear.
    const unitAt = unit.byteOffset - data.byteOffset;
    clear += unitAt - at;
    at = unitAt + unit.length;
    const header = headers.headerLength(unit) ?? unit.length;
    const encrypted = unit.length - header;
    if (encrypted < BLOCK_SIZE) {
      clear += unit.length;
    } else {
      clear += header;
      push(encrypted);
    }
  }
  clear += data.length - at;
  push(0);
  return parts;
}
