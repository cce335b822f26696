import { MediaError } from '../errors.js';
import type { TimedMetadata } from '../sample.js';
import { moveSpliceTimes, parseSpliceInfo, spliceTimeOf } from '../scte35/splice-info.js';
import { ContinuityCounter, packetize } from './packet.js';
import { encodePes } from './pes.js';
import type { ProgramStream } from './psi.js';
import { CUE_FORMAT, DESCRIPTOR, ID3_FORMAT, registration, STREAM_ID, STREAM_TYPE } from './stream-types.js';

/** Behind those of tracks. */
const PID = { id3: 0x1f0, scte35: 0x1f1 } as const;
/** What the length of a PES packet can say, less its header. */
const MAX_PES_DATA = 65_000;
/** A section begins at once. */
const POINTER = Buffer.from([0]);
const PACKET_FLAGS = { randomAccess: false };

/** `metadata_application_format` and `metadata_format`: identified by what follows. ISO 13818-1 §2.6.58 */
const FORMATS = Buffer.concat([
  Buffer.from([0xff, 0xff]),
  Buffer.from(ID3_FORMAT),
  Buffer.from([0xff]),
  Buffer.from(ID3_FORMAT),
  Buffer.from([0]),
]);

/** Writes one kind of timed metadata into a transport stream. */
export class DataWriter {
  readonly #kind: TimedMetadata['kind'];
  readonly #counter = new ContinuityCounter();

  constructor(kind: TimedMetadata['kind']) {
    this.#kind = kind;
  }

  /** How the PMT announces it. */
  get stream(): ProgramStream {
    if (this.#kind === 'scte35') {
      return { pid: PID.scte35, streamType: STREAM_TYPE.scte35, descriptors: registration(CUE_FORMAT) };
    }
    const descriptors = descriptor(DESCRIPTOR.metadata, FORMATS, Buffer.from([0x0f]));
    return { pid: PID.id3, streamType: STREAM_TYPE.metadata, descriptors };
  }

  /** What the PMT says of the programme. SCTE 35 §8.1; ISO 13818-1 §2.6.58. */
  programInfo(programNumber: number): Buffer {
    if (this.#kind === 'scte35') return registration(CUE_FORMAT);
    return descriptor(
      DESCRIPTOR.metadataPointer,
      FORMATS,
      Buffer.from([0x1f, programNumber >> 8, programNumber & 0xff]),
    );
  }

  /**
   * @param time when it holds, on the clock of what is written: 33 bits of 90 kHz
   * @throws {MediaError} `too-large` for a tag, and as `parseSpliceInfo` for a section
   */
  write({ data }: TimedMetadata, time: number): Buffer {
    if (this.#kind === 'scte35') {
      return packetize(PID.scte35, this.#counter, Buffer.concat([POINTER, atTime(data, time)]), PACKET_FLAGS);
    }
    if (data.length > MAX_PES_DATA) {
      throw new MediaError('too-large', `an ID3 tag of ${data.length} bytes in MPEG-TS; ${MAX_PES_DATA} fit`);
    }
    const pes = encodePes(STREAM_ID.privateStream1, { pts: time, dts: time }, [data], { unbounded: false });
    return packetize(PID.id3, this.#counter, pes, PACKET_FLAGS);
  }
}

/** A section whose splice is due at a time of our clock; as it is, where it names none. */
function atTime(section: Buffer, time: number): Buffer {
  const own = spliceTimeOf(parseSpliceInfo(section));
  return own === undefined ? section : moveSpliceTimes(section, time - own);
}

function descriptor(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, body.length]), body]);
}
