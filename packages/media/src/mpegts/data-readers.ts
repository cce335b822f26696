import { MediaError } from '../errors.js';
import { readId3 } from '../id3/tag.js';
import type { TimedMetadata } from '../sample.js';
import { parseSpliceInfo, spliceTimeOf } from '../scte35/splice-info.js';
import type { Micros } from '../time.js';
import type { ProgramClock } from './clock.js';
import { PesAssembler, type PesPacket } from './pes-reader.js';
import { SectionAssembler } from './psi-reader.js';

/** Tags with a picture in them have some 10 KiB. */
const MAX_METADATA_PES = 256 * 1024;

/** What a payload of a PID of metadata has brought. */
interface DataRead {
  readonly metadata: readonly TimedMetadata[];
  /** Sections or packets that can't be read. */
  readonly broken: number;
}

/** Puts together what comes on a PID of metadata. */
export interface DataReader {
  push(payload: Buffer, unitStart: boolean, clock: ProgramClock): DataRead;
  /** What was still open: the stream is over. */
  flush(clock: ProgramClock): DataRead;
  /** Packets were lost. */
  reset(): void;
}

const NOTHING: DataRead = { metadata: [], broken: 0 };

/** Sections of SCTE 35. */
export class CueReader implements DataReader {
  readonly #sections = new SectionAssembler();

  push(payload: Buffer, unitStart: boolean, clock: ProgramClock): DataRead {
    const { sections, broken } = this.#sections.push(payload, unitStart);
    if (sections.length === 0) return { metadata: [], broken };
    return collect(sections, (section) => readCue(section, clock), broken);
  }

  flush(): DataRead {
    return NOTHING;
  }

  reset(): void {
    this.#sections.reset();
  }
}

/** ID3 tags in PES packets. */
export class Id3Reader implements DataReader {
  readonly #assembler = new PesAssembler(MAX_METADATA_PES);

  push(payload: Buffer, unitStart: boolean, clock: ProgramClock): DataRead {
    const before = unitStart ? this.flush(clock) : NOTHING;
    const read = collect([payload], () => {
      const packet = unitStart ? this.#assembler.start(payload) : this.#assembler.append(payload);
      return packet && readTag(packet, clock);
    });
    return { metadata: [...before.metadata, ...read.metadata], broken: before.broken + read.broken };
  }

  flush(clock: ProgramClock): DataRead {
    return collect([undefined], () => {
      const packet = this.#assembler.flush();
      return packet && readTag(packet, clock);
    });
  }

  reset(): void {
    this.#assembler.reset();
  }
}

function collect<T>(from: readonly T[], read: (each: T) => TimedMetadata | undefined, brokenBefore = 0): DataRead {
  const metadata: TimedMetadata[] = [];
  let broken = brokenBefore;
  for (const each of from) {
    try {
      const found = read(each);
      if (found !== undefined) metadata.push(found);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      broken += 1;
    }
  }
  return { metadata, broken };
}

/** @returns undefined for a section that says nothing: a sign of life, or one before the first picture and sound */
function readCue(section: Buffer, clock: ProgramClock): TimedMetadata | undefined {
  const info = parseSpliceInfo(section);
  if (info.command.type === 'splice-null') return undefined;
  const time = spliceTimeOf(info);
  return timed('scte35', time === undefined ? clock.now : clock.place(time), section);
}

function readTag({ pts, data }: PesPacket, clock: ProgramClock): TimedMetadata | undefined {
  readId3(data);
  return timed('id3', pts === undefined ? clock.now : clock.place(pts), data);
}

function timed(kind: TimedMetadata['kind'], at: Micros | undefined, data: Buffer): TimedMetadata | undefined {
  return at === undefined ? undefined : { type: 'timed-metadata', kind, at, data: Buffer.from(data) };
}
