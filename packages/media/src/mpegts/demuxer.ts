import { MediaError } from '../errors.js';
import type { TrackId } from '../track-config.js';
import { ProgramClock } from './clock.js';
import { ContinuityWatch } from './continuity.js';
import type { DataReader } from './data-readers.js';
import type { ElementaryReader } from './elementary-reader.js';
import type { TsEvent, TsStats } from './events.js';
import { NULL_PID, PAT_PID } from './packet.js';
import { type PacketHeader, parsePacketHeader } from './packet-header.js';
import { PacketReader } from './packet-reader.js';
import { PesAssembler, type PesPacket } from './pes-reader.js';
import {
  type AnnouncedStream,
  type Program,
  type ProgramMap,
  parsePat,
  parsePmt,
  SectionAssembler,
} from './psi-reader.js';
import { readingOf } from './stream-readers.js';

/** A picture, a sound, and a choice of languages; each track may hold a PES packet under way. */
const MAX_TRACKS = 8;
/** Cues and timed metadata. */
const MAX_DATA_STREAMS = 4;
/** A keyframe of 4K video has 4 MiB at most. */
const MAX_VIDEO_PES = 8 * 1024 * 1024;
/** The length field allows 64 KiB, and audio must use it (ISO 13818-1 §2.4.3.7); some doesn't. */
const MAX_AUDIO_PES = 256 * 1024;
/** PIDs below are for tables, ISO 13818-1 table 2-3. */
const FIRST_FREE_PID = 0x10;

interface Track {
  readonly id: TrackId;
  readonly announced: AnnouncedStream;
  readonly continuity: ContinuityWatch;
  readonly assembler: PesAssembler;
  readonly reader: ElementaryReader;
}

/** A PID of metadata. */
interface DataStream {
  readonly announced: AnnouncedStream;
  readonly continuity: ContinuityWatch;
  readonly reader: DataReader;
}

/** PAT or PMT of the programme that is read. */
interface Table {
  readonly continuity: ContinuityWatch;
  readonly assembler: SectionAssembler;
}

const newTable = (): Table => ({ continuity: new ContinuityWatch(), assembler: new SectionAssembler() });

/**
 * Reads the first programme of an MPEG transport stream, ISO 13818-1, wherever its bytes are cut. Trusts nothing in it
 * and never throws: what can't be read is counted in `stats`, and what comes after it is read.
 *
 * An access unit is given as soon as its PES packet is complete: by its length, or else when the next one begins.
 * Video tracks have even ids, audio tracks odd ones; a stream that takes another's place in the programme takes its id.
 * Times go on over the wrap of 33 bits, and jump where the stream's clock does.
 */
export class TsDemuxer {
  readonly #packets = new PacketReader();
  readonly #clock = new ProgramClock();
  readonly #pat = newTable();
  #pmt = newTable();
  #program: Program | undefined;
  #mapSection: Buffer | undefined;
  #pcrPid: number | undefined;
  #tracks = new Map<number, Track>();
  #data = new Map<number, DataStream>();
  /** PIDs of streams that were said to be unsupported, with their types. */
  #refused = new Map<number, number>();
  readonly #counts = {
    packets: 0,
    transportErrors: 0,
    continuityErrors: 0,
    duplicates: 0,
    brokenSections: 0,
    clockDiscontinuities: 0,
    brokenUnits: 0,
  };

  get stats(): TsStats {
    return { ...this.#counts, skippedBytes: this.#packets.skippedBytes, resyncs: this.#packets.resyncs };
  }

  push(chunk: Buffer): TsEvent[] {
    const events: TsEvent[] = [];
    for (const packet of this.#packets.push(chunk)) this.#readPacket(packet, events);
    return events;
  }

  /** The access units that were still open: the stream is over. */
  flush(): TsEvent[] {
    const events: TsEvent[] = [];
    for (const packet of this.#packets.flush()) this.#readPacket(packet, events);
    for (const track of this.#tracks.values()) this.#endUnit(track, events);
    for (const { reader } of this.#data.values()) this.#takeData(reader.flush(this.#clock), events);
    return events;
  }

  #readPacket(packet: Buffer, events: TsEvent[]): void {
    this.#counts.packets += 1;
    const header = parsePacketHeader(packet);
    if (header.transportError) {
      this.#counts.transportErrors += 1;
      return;
    }
    if (header.pcr !== undefined && header.pid === this.#pcrPid)
      this.#readPcr(header.pcr, header.discontinuity, events);
    if (header.pid === NULL_PID || header.payloadAt >= packet.length) return;
    const payload = packet.subarray(header.payloadAt);
    const track = this.#tracks.get(header.pid);
    if (track !== undefined) this.#readTrack(track, header, payload, events);
    else if (this.#data.has(header.pid)) this.#readData(header, payload, events);
    else if (header.pid === PAT_PID) this.#readPat(header, payload);
    else if (header.pid === this.#program?.mapPid) this.#readPmt(header, payload, events);
  }

  #readPcr(pcr: number, announced: boolean, events: TsEvent[]): void {
    if (!this.#clock.reference(pcr, announced) || this.#pcrPid === undefined) return;
    this.#counts.clockDiscontinuities += 1;
    events.push({ type: 'discontinuity', pid: this.#pcrPid, cause: 'clock' });
  }

  #readTrack(track: Track, header: PacketHeader, payload: Buffer, events: TsEvent[]): void {
    const { pid, continuity, discontinuity, unitStart } = header;
    if (header.scrambled) {
      this.#refuse(track.announced, 'scrambled', events);
      return;
    }
    const order = track.continuity.check(continuity, payload);
    if (order === 'duplicate') {
      this.#counts.duplicates += 1;
      return;
    }
    if (order === 'gap' && !discontinuity) {
      this.#counts.continuityErrors += 1;
      track.assembler.reset();
      track.reader.reset();
      events.push({ type: 'discontinuity', pid, cause: 'loss', track: track.id });
    }
    if (unitStart) this.#endUnit(track, events);
    try {
      const unit = unitStart ? track.assembler.start(payload) : track.assembler.append(payload);
      if (unit !== undefined) this.#readUnit(track, unit, events);
    } catch (error) {
      this.#countBroken(track, error, events);
    }
  }

  #readData(
    { pid, continuity, scrambled, discontinuity, unitStart }: PacketHeader,
    payload: Buffer,
    events: TsEvent[],
  ) {
    const stream = this.#data.get(pid);
    if (stream === undefined || scrambled) return;
    const order = stream.continuity.check(continuity, payload);
    if (order === 'duplicate') {
      this.#counts.duplicates += 1;
      return;
    }
    if (order === 'gap') {
      if (!discontinuity) this.#counts.continuityErrors += 1;
      stream.reader.reset();
    }
    this.#takeData(stream.reader.push(payload, unitStart, this.#clock), events);
  }

  #takeData({ metadata, broken }: ReturnType<DataReader['push']>, events: TsEvent[]): void {
    events.push(...metadata);
    this.#counts.brokenSections += broken;
  }

  #endUnit(track: Track, events: TsEvent[]): void {
    try {
      const unit = track.assembler.flush();
      if (unit !== undefined) this.#readUnit(track, unit, events);
    } catch (error) {
      this.#countBroken(track, error, events);
    }
  }

  #readUnit(track: Track, { pts, dts, data }: PesPacket, events: TsEvent[]): void {
    const decoding = dts === undefined ? undefined : this.#clock.unwrap(dts);
    const presentation = pts === undefined ? undefined : this.#clock.unwrap(pts);
    track.reader.read({ pts: presentation, dts: decoding, data }, events);
  }

  #countBroken(track: Track, error: unknown, events: TsEvent[]): void {
    if (!(error instanceof MediaError)) throw error;
    this.#counts.brokenUnits += 1;
    if (error.code === 'unsupported') this.#refuse(track.announced, error.message, events);
  }

  #readPat(header: PacketHeader, payload: Buffer): void {
    for (const section of this.#sections(this.#pat, header, payload)) {
      const programs = parsePat(section);
      if (programs !== undefined) this.#choose(programs);
    }
  }

  /** Keeps to the programme that was chosen while it is there. */
  #choose(programs: readonly Program[]): void {
    const current = this.#program;
    const chosen = programs.find(({ number }) => number === current?.number) ?? programs[0];
    if (chosen === undefined) return;
    if (chosen.mapPid !== current?.mapPid) this.#pmt = newTable();
    this.#program = chosen;
  }

  #readPmt(header: PacketHeader, payload: Buffer, events: TsEvent[]): void {
    for (const section of this.#sections(this.#pmt, header, payload)) {
      if (this.#mapSection?.equals(section)) continue;
      const map = parsePmt(section);
      if (map === undefined || map.programNumber !== this.#program?.number) continue;
      this.#mapSection = Buffer.from(section);
      this.#takeMap(map, events);
    }
  }

  #sections({ continuity, assembler }: Table, header: PacketHeader, payload: Buffer): Buffer[] {
    const order = continuity.check(header.continuity, payload);
    if (order === 'duplicate') {
      this.#counts.duplicates += 1;
      return [];
    }
    if (order === 'gap') {
      if (!header.discontinuity) this.#counts.continuityErrors += 1;
      assembler.reset();
    }
    const { sections, broken } = assembler.push(payload, header.unitStart);
    this.#counts.brokenSections += broken;
    return sections;
  }

  #takeMap(map: ProgramMap, events: TsEvent[]): void {
    if (map.pcrPid !== this.#pcrPid) this.#clock.forgetReference();
    this.#pcrPid = map.pcrPid;
    const before = this.#tracks;
    const announced = new Map(map.streams.map((stream) => [stream.pid, stream]));
    this.#refused = new Map([...this.#refused].filter(([pid, type]) => announced.get(pid)?.streamType === type));
    this.#tracks = new Map([...before].filter(([pid, track]) => isSame(track.announced, announced.get(pid))));
    this.#data = new Map([...this.#data].filter(([pid, data]) => isSame(data.announced, announced.get(pid))));
    for (const [pid, track] of before) if (!this.#tracks.has(pid)) this.#endUnit(track, events);
    for (const stream of announced.values()) {
      if (!this.#tracks.has(stream.pid) && !this.#data.has(stream.pid)) this.#addStream(stream, map, events);
    }
    const ids = this.#trackIds();
    for (const { id } of before.values()) if (!ids.has(id)) events.push({ type: 'end-of-track', track: id });
  }

  #addStream(stream: AnnouncedStream, { descriptors }: ProgramMap, events: TsEvent[]): void {
    const { pid } = stream;
    const reading = readingOf(stream, descriptors);
    if (reading.kind === 'unsupported') {
      this.#refuse(stream, reading.reason, events);
    } else if (pid < FIRST_FREE_PID || pid === NULL_PID || pid === this.#program?.mapPid) {
      this.#refuse(stream, `PID ${pid} is not one for a track`, events);
    } else if (reading.kind === 'data') {
      if (this.#data.size >= MAX_DATA_STREAMS)
        this.#refuse(stream, `more than ${MAX_DATA_STREAMS} of metadata`, events);
      else this.#data.set(pid, { announced: stream, continuity: new ContinuityWatch(), reader: reading.create() });
    } else if (this.#tracks.size >= MAX_TRACKS) {
      this.#refuse(stream, `more than ${MAX_TRACKS} tracks`, events);
    } else {
      const id = this.#freeTrackId(reading.kind);
      this.#tracks.set(pid, {
        id,
        announced: stream,
        continuity: new ContinuityWatch(),
        assembler: new PesAssembler(reading.kind === 'video' ? MAX_VIDEO_PES : MAX_AUDIO_PES),
        reader: reading.create(id),
      });
    }
  }

  #freeTrackId(kind: 'video' | 'audio'): TrackId {
    const used = this.#trackIds();
    let id = kind === 'video' ? 0 : 1;
    while (used.has(id)) id += 2;
    return id;
  }

  #trackIds(): Set<TrackId> {
    return new Set([...this.#tracks.values()].map(({ id }) => id));
  }

  #refuse({ pid, streamType }: AnnouncedStream, reason: string, events: TsEvent[]): void {
    if (this.#refused.get(pid) === streamType) return;
    this.#refused.set(pid, streamType);
    events.push({ type: 'unsupported-track', pid, streamType, reason });
  }
}

function isSame(a: AnnouncedStream, b: AnnouncedStream | undefined): boolean {
  return b !== undefined && a.streamType === b.streamType && a.info.equals(b.info);
}
