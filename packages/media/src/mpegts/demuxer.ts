import { MediaError } from '../errors.js';
import type { MediaEvent } from '../sample.js';
import { type Micros, microsFromTicks90k, ticks90k, unwrapCounter } from '../time.js';
import type { TrackId } from '../track-config.js';
import { type ElementaryReader, FramedAudioReader, NalReader, OpusReader } from './elementary-reader.js';
import { NULL_PID, PAT_PID, TS_PACKET_SIZE, TS_SYNC_BYTE } from './packet.js';
import { PesAssembler, type PesPacket } from './pes-reader.js';
import { type AnnouncedStream, MAX_STREAMS, parsePat, parsePmt, SectionAssembler } from './psi-reader.js';

/** What a transport stream says, beside what every stream says. */
export type TsEvent =
  | MediaEvent
  /** Packets of a track were lost, or its clock was set anew. */
  | { readonly type: 'discontinuity'; readonly pid: number }
  /** A stream of the programme that is passed over. */
  | { readonly type: 'unsupported-track'; readonly pid: number; readonly streamType: number; readonly reason: string };

/** Counts over the life of a demuxer. */
export interface TsStats {
  packets: number;
  /** Gaps in a PID's continuity counter, ISO 13818-1 §2.4.3.3. */
  continuityErrors: number;
  duplicates: number;
  /** How often the sync byte was lost and found again. */
  resyncs: number;
  /** Packets that a receiver before us marked as broken. */
  transportErrors: number;
  /** PSI sections with a wrong checksum. */
  brokenSections: number;
  clockDiscontinuities: number;
  /** Access units whose bytes could not be read. */
  brokenUnits: number;
}

interface ProgramTrack {
  readonly pid: number;
  readonly streamType: number;
  readonly track: TrackId;
  readonly assembler: PesAssembler;
  readonly reader: ElementaryReader;
}

const REGISTRATION = 0x05;
const AC3_DESCRIPTOR = 0x6a;
const EXTENSION = 0x7f;
const OPUS_EXTENSION_TAG = 0x80;
const NAMED_UNSUPPORTED: Readonly<Record<number, string>> = {
  1: 'MPEG-1 video',
  2: 'MPEG-2 video',
  16: 'MPEG-4 part 2 video',
  17: 'AAC in LATM; send it in ADTS',
  129: 'AC-3 audio',
  135: 'E-AC-3 audio',
  51: 'VVC video',
};
const PCR_HALF_RANGE_BITS = 33;
/** A clock that moves further than this between two references has been set anew. */
const MAX_CLOCK_STEP = 10 * 90_000;

/** Reads an MPEG transport stream of one programme, wherever its bytes are cut. Trusts nothing in it. */
export class TsDemuxer {
  readonly stats: TsStats = {
    packets: 0,
    continuityErrors: 0,
    duplicates: 0,
    resyncs: 0,
    transportErrors: 0,
    brokenSections: 0,
    clockDiscontinuities: 0,
    brokenUnits: 0,
  };
  readonly #patSections = new SectionAssembler();
  readonly #pmtSections = new SectionAssembler();
  readonly #continuity = new Map<number, number>();
  #tracks = new Map<number, ProgramTrack>();
  /** Track ids by PID: kept when a PMT drops a stream and brings it back. */
  readonly #trackIds = new Map<number, TrackId>();
  #pending: Buffer = Buffer.alloc(0);
  #inSync = false;
  #pmtPid: number | undefined;
  #pcrPid: number | undefined;
  #lastMap: Buffer | undefined;
  #lastPcr: number | undefined;
  #lastTime: number | undefined;

  push(chunk: Buffer): TsEvent[] {
    const events: TsEvent[] = [];
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let at = 0;
    while (bytes.length - at >= TS_PACKET_SIZE) {
      if (bytes[at] !== TS_SYNC_BYTE) {
        at = this.#findSync(bytes, at);
        continue;
      }
      this.#inSync = true;
      this.#readPacket(bytes.subarray(at, at + TS_PACKET_SIZE), events);
      at += TS_PACKET_SIZE;
    }
    this.#pending = Buffer.from(bytes.subarray(at));
    return events;
  }

  /** The access units that were still open: the stream is over. */
  flush(): TsEvent[] {
    const events: TsEvent[] = [];
    for (const track of this.#tracks.values()) this.#readPes(track, track.assembler.flush(), events);
    return events;
  }

  /** @returns where the next packet may begin: a sync byte that another one follows in its place */
  #findSync(bytes: Buffer, from: number): number {
    if (this.#inSync) this.stats.resyncs += 1;
    this.#inSync = false;
    for (let at = bytes.indexOf(TS_SYNC_BYTE, from); at >= 0; at = bytes.indexOf(TS_SYNC_BYTE, at + 1)) {
      const next = bytes[at + TS_PACKET_SIZE];
      if (next === undefined || next === TS_SYNC_BYTE) return at;
    }
    return bytes.length;
  }

  #readPacket(packet: Buffer, events: TsEvent[]): void {
    this.stats.packets += 1;
    const word = packet.readUInt16BE(1);
    const pid = word & 0x1fff;
    if ((word & 0x8000) !== 0) {
      this.stats.transportErrors += 1;
      return;
    }
    if (pid === NULL_PID) return;
    const unitStart = (word & 0x4000) !== 0;
    const control = packet[3] ?? 0;
    const adaptationLength = (control & 0x20) === 0 ? -1 : (packet[4] ?? 0);
    const announced = adaptationLength > 0 && ((packet[5] ?? 0) & 0x80) !== 0;
    if (pid === this.#pcrPid) this.#readPcr(packet, adaptationLength, announced, events);
    if ((control & 0x10) === 0) return;
    const payloadAt = 5 + adaptationLength;
    if (payloadAt >= TS_PACKET_SIZE) return;
    if (!this.#isNext(pid, control & 0xf, announced, events)) return;
    this.#readPayload(pid, packet.subarray(payloadAt), unitStart, events);
  }

  /** Watches the continuity counter. @returns false for a packet that came twice */
  #isNext(pid: number, counter: number, announced: boolean, events: TsEvent[]): boolean {
    const last = this.#continuity.get(pid);
    if (last === undefined && this.#continuity.size >= MAX_STREAMS * 2) return this.#tracks.has(pid);
    this.#continuity.set(pid, counter);
    if (last === undefined || counter === ((last + 1) & 0xf)) return true;
    if (counter === last && !announced) {
      this.stats.duplicates += 1;
      return false;
    }
    if (!announced) this.stats.continuityErrors += 1;
    const track = this.#tracks.get(pid);
    if (track !== undefined) {
      track.assembler.reset();
      track.reader.reset();
      events.push({ type: 'discontinuity', pid });
    } else if (pid === PAT_PID) this.#patSections.reset();
    else if (pid === this.#pmtPid) this.#pmtSections.reset();
    return true;
  }

  #readPayload(pid: number, payload: Buffer, unitStart: boolean, events: TsEvent[]): void {
    const track = this.#tracks.get(pid);
    if (track !== undefined) {
      this.#readPes(track, track.assembler.push(payload, unitStart), events);
    } else if (pid === PAT_PID) {
      for (const section of this.#sections(this.#patSections, payload, unitStart)) {
        const [first] = parsePat(section) ?? [];
        if (first !== undefined) this.#pmtPid = first;
      }
    } else if (pid === this.#pmtPid) {
      for (const section of this.#sections(this.#pmtSections, payload, unitStart)) this.#readPmt(section, events);
    }
  }

  #sections(assembler: SectionAssembler, payload: Buffer, unitStart: boolean): Buffer[] {
    const { sections, broken } = assembler.push(payload, unitStart);
    this.stats.brokenSections += broken;
    return sections;
  }

  #readPmt(section: Buffer, events: TsEvent[]): void {
    if (this.#lastMap?.equals(section)) return;
    const map = parsePmt(section);
    if (map === undefined) return;
    this.#lastMap = Buffer.from(section);
    this.#pcrPid = map.pcrPid;
    const before = this.#tracks;
    this.#tracks = new Map();
    for (const stream of map.streams) {
      const known = before.get(stream.pid);
      if (known?.streamType === stream.streamType) this.#tracks.set(stream.pid, known);
      else this.#addTrack(stream, events);
    }
    for (const { pid, track } of before.values()) {
      if (!this.#tracks.has(pid)) events.push({ type: 'end-of-track', track });
    }
  }

  #addTrack(stream: AnnouncedStream, events: TsEvent[]): void {
    const { pid, streamType } = stream;
    const made = readerFor(stream, (kind) => this.#trackIdFor(pid, kind));
    if ('reason' in made) {
      events.push({ type: 'unsupported-track', pid, streamType, reason: made.reason });
      return;
    }
    this.#tracks.set(pid, { pid, streamType, assembler: new PesAssembler(), ...made });
  }

  /** Video tracks have even ids, audio tracks odd ones, in the order in which they were announced. */
  #trackIdFor(pid: number, kind: 'video' | 'audio'): TrackId {
    const oddness = kind === 'video' ? 0 : 1;
    const known = this.#trackIds.get(pid);
    if (known !== undefined && known % 2 === oddness) return known;
    const used = [...this.#trackIds.values()].filter((id) => id % 2 === oddness).length;
    const track = used * 2 + oddness;
    this.#trackIds.set(pid, track);
    return track;
  }

  #readPes(track: ProgramTrack, packets: readonly PesPacket[], events: TsEvent[]): void {
    for (const { pts, dts, data } of packets) {
      const decoding = dts === undefined ? undefined : this.#unwrap(dts);
      const presentation = pts === undefined ? undefined : this.#unwrap(pts);
      try {
        events.push(...track.reader.read({ pts: presentation, dts: decoding, data }));
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        this.stats.brokenUnits += 1;
      }
    }
  }

  #unwrap(time: number): Micros {
    this.#lastTime = unwrapCounter(this.#lastTime ?? time, time, PCR_HALF_RANGE_BITS);
    return microsFromTicks90k(ticks90k(this.#lastTime));
  }

  #readPcr(packet: Buffer, adaptationLength: number, announced: boolean, events: TsEvent[]): void {
    if (adaptationLength < 7 || ((packet[5] ?? 0) & 0x10) === 0) return;
    const pcr = packet.readUInt32BE(6) * 2 + ((packet[10] ?? 0) >> 7);
    const last = this.#lastPcr;
    this.#lastPcr = pcr;
    if (last === undefined) return;
    const step = unwrapCounter(last, pcr, PCR_HALF_RANGE_BITS) - last;
    if (!announced && step >= 0 && step <= MAX_CLOCK_STEP) return;
    this.stats.clockDiscontinuities += 1;
    events.push({ type: 'discontinuity', pid: this.#pcrPid ?? 0 });
  }
}

type MadeReader = { readonly track: TrackId; readonly reader: ElementaryReader };

function readerFor(
  stream: AnnouncedStream,
  trackIdFor: (kind: 'video' | 'audio') => TrackId,
): MadeReader | { readonly reason: string } {
  const video = (codec: 'h264' | 'hevc') => {
    const track = trackIdFor('video');
    return { track, reader: new NalReader(track, codec) };
  };
  const audio = (make: (track: TrackId) => ElementaryReader) => {
    const track = trackIdFor('audio');
    return { track, reader: make(track) };
  };
  switch (stream.streamType) {
    case 0x1b:
      return video('h264');
    case 0x24:
      return video('hevc');
    case 0x0f:
      return audio((track) => new FramedAudioReader(track, 'adts'));
    case 0x03:
    case 0x04:
      return audio((track) => new FramedAudioReader(track, 'mpeg'));
    case 0x06:
      return privateReader(stream, audio);
    default:
      return { reason: NAMED_UNSUPPORTED[stream.streamType] ?? `data of stream type ${stream.streamType}` };
  }
}

/** Private data: its descriptors tell what it is. */
function privateReader(
  { descriptors }: AnnouncedStream,
  audio: (make: (track: TrackId) => ElementaryReader) => MadeReader,
): MadeReader | { readonly reason: string } {
  const find = (tag: number) => descriptors.find((descriptor) => descriptor.tag === tag)?.data;
  const format = find(REGISTRATION)?.toString('latin1', 0, 4);
  const extension = find(EXTENSION);
  if (format === 'Opus') {
    const channels = extension?.[0] === OPUS_EXTENSION_TAG ? (extension[1] ?? 2) : 2;
    if (channels === 0 || channels > 2) return { reason: `Opus with channel layout ${channels}` };
    return audio((track) => new OpusReader(track, channels));
  }
  if (format === 'AC-3' || find(AC3_DESCRIPTOR) !== undefined) return { reason: 'AC-3 audio' };
  return { reason: `private data${format === undefined ? '' : ` of format ${JSON.stringify(format)}`}` };
}
