import { MediaError } from '../errors.js';
import type { Sample, TimedMetadata } from '../sample.js';
import { type Micros, micros, ticks90kFromMicros } from '../time.js';
import type { TrackConfig, TrackId } from '../track-config.js';
import { DataWriter } from './data-writer.js';
import { type ElementaryWriter, elementaryWriterFor } from './elementary-writer.js';
import { ContinuityCounter, PAT_PID, packetize, pcrPacket } from './packet.js';
import { encodePes } from './pes.js';
import { encodePat, encodePmt } from './psi.js';
import { type TsStreamType, tsStreamTypeOf } from './stream-types.js';

const PROGRAM_NUMBER = 1;
const PMT_PID = 0x1000;
const FIRST_ELEMENTARY_PID = 0x100;
/** Of a table: five bits. */
const VERSIONS = 32;
const CLOCK_RANGE = 2 ** 33;
/** Decoding times stand this far behind the clock reference, so that a decoder has time to fill its buffer. */
const DECODER_DELAY = 63_000;
/** Times in what a `TsMuxer` writes are this much later than its samples'. */
export const TS_TIME_OFFSET = micros(700_000);
/** ISO 13818-1 §2.7.2 asks for a PCR each 100 ms; a frame may be late. */
const PCR_INTERVAL = 80_000;
/** Tracks are interleaved this well; a sample that is further back is on a clock set anew. */
const MAX_SETBACK = 5_000_000;

interface MuxedTrack {
  readonly pid: number;
  readonly type: TsStreamType;
  readonly counter: ContinuityCounter;
  readonly write: ElementaryWriter;
  readonly kind: TrackConfig['kind'];
}

/** Writes samples as an MPEG transport stream of one programme. */
export class TsMuxer {
  readonly #tracks = new Map<TrackId, MuxedTrack>();
  readonly #data = new Map<TimedMetadata['kind'], DataWriter>();
  readonly #clockTrack: MuxedTrack;
  readonly #patCounter = new ContinuityCounter();
  readonly #pmtCounter = new ContinuityCounter();
  readonly #pat: Buffer;
  #pmt: Buffer;
  #version = 0;
  #lastPcr = Number.NEGATIVE_INFINITY;

  /**
   * @param metadata kinds of timed metadata that may come
   * @throws {MediaError} `unsupported` for a codec that MPEG-TS can't carry, and where there is no track
   */
  constructor(tracks: readonly TrackConfig[], metadata: readonly TimedMetadata['kind'][] = []) {
    for (const kind of metadata) this.#data.set(kind, new DataWriter(kind));
    tracks.forEach((config, index) => {
      this.#tracks.set(config.track, {
        pid: FIRST_ELEMENTARY_PID + index,
        type: tsStreamTypeOf(config),
        counter: new ContinuityCounter(),
        write: elementaryWriterFor(config),
        kind: config.kind,
      });
    });
    const muxed = [...this.#tracks.values()];
    const clockTrack = muxed.find((track) => track.kind === 'video') ?? muxed[0];
    if (clockTrack === undefined) throw new MediaError('unsupported', 'a transport stream without tracks');
    this.#clockTrack = clockTrack;
    this.#pat = encodePat(PROGRAM_NUMBER, PMT_PID);
    this.#pmt = this.#programMap();
  }

  /** From the next `tables()` on, a kind of timed metadata may come. */
  announce(kind: TimedMetadata['kind']): void {
    if (this.#data.has(kind)) return;
    this.#data.set(kind, new DataWriter(kind));
    this.#version = (this.#version + 1) % VERSIONS;
    this.#pmt = this.#programMap();
  }

  /** PAT and PMT, one packet each: before the first sample, and where decoders may begin. */
  tables(): Buffer {
    const flags = { randomAccess: false };
    return Buffer.concat([
      packetize(PAT_PID, this.#patCounter, this.#pat, flags),
      packetize(PMT_PID, this.#pmtCounter, this.#pmt, flags),
    ]);
  }

  /**
   * A sample as whole packets.
   *
   * @throws {MediaError} `no-config` for a track that wasn't announced; `malformed`, `truncated` or `too-large` where
   *   the sample's bytes can't be read or written. The muxer can go on with the next sample.
   */
  sample(sample: Sample): Buffer {
    const track = this.#tracks.get(sample.track);
    if (track === undefined) throw new MediaError('no-config', `a sample of track ${sample.track}, which is unknown`);
    const times = { pts: clockTime(sample.pts, DECODER_DELAY), dts: clockTime(sample.dts, DECODER_DELAY) };
    const pes = encodePes(track.type.streamId, times, track.write(sample), { unbounded: track.kind === 'video' });
    const isClock = track === this.#clockTrack;
    const flags = this.#clockFlags(sample.dts, isClock ? 1 : PCR_INTERVAL);
    const randomAccess = track.kind === 'video' && sample.keyframe;
    if (isClock) return packetize(track.pid, track.counter, pes, { ...flags, randomAccess });
    const packets = packetize(track.pid, track.counter, pes, { randomAccess });
    if (flags.pcr === undefined) return packets;
    const { pid, counter } = this.#clockTrack;
    return Buffer.concat([pcrPacket(pid, counter, flags.pcr, flags.discontinuity), packets]);
  }

  /**
   * Timed metadata as whole packets. A splice keeps its place in the media: its times are moved to this stream's clock.
   *
   * @throws {MediaError} `no-config` for a kind that wasn't announced; `too-large`, or as `parseSpliceInfo` for what
   *   can't be written
   */
  timedMetadata(metadata: TimedMetadata): Buffer {
    const writer = this.#data.get(metadata.kind);
    if (writer === undefined)
      throw new MediaError('no-config', `timed metadata of kind ${metadata.kind} wasn't announced`);
    return writer.write(metadata, clockTime(metadata.at, DECODER_DELAY));
  }

  #programMap(): Buffer {
    const tracks = [...this.#tracks.values()];
    const data = [...this.#data.values()];
    return encodePmt(
      PROGRAM_NUMBER,
      this.#clockTrack.pid,
      [
        ...tracks.map(({ pid, type: { streamType, descriptors } }) => ({ pid, streamType, descriptors })),
        ...data.map(({ stream }) => stream),
      ],
      { info: Buffer.concat(data.map((writer) => writer.programInfo(PROGRAM_NUMBER))), version: this.#version },
    );
  }

  /** A PCR once `interval` has passed. It never goes back, however the tracks are interleaved, but to a new clock. */
  #clockFlags(dts: Micros, interval: number): { readonly pcr: number | undefined; readonly discontinuity: boolean } {
    const step = dts - this.#lastPcr;
    const discontinuity = step < -MAX_SETBACK;
    if (step < interval && !discontinuity) return { pcr: undefined, discontinuity: false };
    this.#lastPcr = dts;
    return { pcr: clockTime(dts, 0), discontinuity };
  }
}

/** 33 bits of 90 kHz. */
function clockTime(time: Micros, delay: number): number {
  return (((ticks90kFromMicros(time) + delay) % CLOCK_RANGE) + CLOCK_RANGE) % CLOCK_RANGE;
}
