import type { Measured } from './check-members.js';
import { type MediaSegment, type Part, sum } from './media-playlist.js';
import {
  codecPattern,
  decodingOf,
  extentOf,
  frameDuration,
  longestFrame,
  type ProbedFile,
  type ProbedTrack,
  probe,
} from './probe.js';
import { type Finding, type Report, reporter } from './rules.js';

/** A part with its bytes. */
export interface LoadedPart {
  readonly part: Part;
  readonly bytes: Buffer;
}

/** A segment as it was loaded. */
export interface LoadedSegment {
  readonly segment: MediaSegment;
  readonly bytes: Buffer;
  /** Its init section, where it has one. */
  readonly init: Buffer | undefined;
  /** All of its parts, or none. */
  readonly parts: readonly LoadedPart[];
  /** Whether EXT-X-INDEPENDENT-SEGMENTS applies to it. */
  readonly independent: boolean;
}

/** Timestamps are written in ticks, and ffprobe says them in microseconds. */
const CLOCK_ROUNDING = 0.002;
/** After so many seconds 33 bits of 90 kHz begin again. */
const TS_WRAP = 2 ** 33 / 90_000;
const BITRATE_TOLERANCE = 0.1;
/** How captions begin in the SEI of each picture, and stay in one piece. ATSC A/53 part 4 §6.2.3 */
const CAPTIONS = Buffer.from('\xb5\x00\x31GA94\x03', 'latin1');
const TS_PACKET = 188;
const SYNC_BYTE = 0x47;

const sizeOf = (bytes: Buffer): number => bytes.length * 8;

/** Checks the media of a playlist's segments, one after the other. rfc8216bis §3 */
export class MediaWatcher {
  readonly findings: readonly Finding[];
  readonly #report: Report;
  readonly #sizes: { bits: number; seconds: number }[] = [];
  readonly #tracks = new Map<string, ProbedTrack>();
  /** Seconds that a packet of video, or of audio, takes at most. */
  readonly #longest = new Map<ProbedTrack['kind'], number>();
  #frameRate = 0;
  #hasCaptions = false;
  #previous: { segment: MediaSegment; file: ProbedFile } | undefined;

  constructor(playlistUrl: string) {
    const { findings, report } = reporter(playlistUrl);
    this.findings = findings;
    this.#report = report;
  }

  /** Takes the next segment. */
  async add(loaded: LoadedSegment): Promise<void> {
    const { segment, bytes, init, parts } = loaded;
    this.#sizes.push({ bits: sizeOf(bytes), seconds: segment.inf.duration });
    this.#checkBitrate(segment, bytes);
    this.#hasCaptions ||= bytes.includes(CAPTIONS);
    if (parts.length > 0 && !Buffer.concat(parts.map((part) => part.bytes)).equals(bytes)) {
      const total = sum(parts.map((part) => part.bytes.length));
      const detail = `the ${parts.length} parts of segment ${segment.number} have ${total} bytes, and aren't its`;
      this.#report('parts-differ-from-segment', `${detail} ${bytes.length}`);
    }
    const file = await probe(init === undefined ? bytes : Buffer.concat([init, bytes]));
    if (file.complaints !== '') {
      this.#report('not-decodable', `segment ${segment.number}: ${file.complaints.split('\n')[0]}`);
    }
    if (withPackets(file).length > 0) this.#checkTracks(loaded, file);
    for (const [index, part] of parts.entries()) await this.#checkPart(loaded, index, part);
    this.#previous = { segment, file };
  }

  /** What the media turned out to be; undefined before there was any. @param targetDuration in seconds */
  measured(targetDuration: number): Measured | undefined {
    if (this.#sizes.length === 0) return undefined;
    const tracks = [...this.#tracks.values()];
    const video = tracks.find(({ kind }) => kind === 'video');
    return {
      peakBitrate: this.#peak(targetDuration),
      averageBitrate: sum(this.#sizes.map(({ bits }) => bits)) / sum(this.#sizes.map(({ seconds }) => seconds)),
      codecs: tracks.flatMap((track) => {
        const pattern = codecPattern(track);
        return pattern === undefined ? [] : [{ name: `${track.codec} ${track.profile} ${track.level}`, pattern }];
      }),
      resolution: video && { width: video.width, height: video.height },
      frameRate: this.#frameRate || undefined,
      hasCaptions: this.#hasCaptions,
    };
  }

  /** Of any neighbours that take 0.5 to 1.5 target durations together. rfc8216bis §4.1 */
  #peak(targetDuration: number): number {
    let peak = 0;
    this.#sizes.forEach((_first, from) => {
      let [bits, seconds] = [0, 0];
      for (const size of this.#sizes.slice(from)) {
        bits += size.bits;
        seconds += size.seconds;
        if (seconds > 1.5 * targetDuration) return;
        if (seconds >= 0.5 * targetDuration) peak = Math.max(peak, bits / seconds);
      }
    });
    return peak;
  }

  #checkBitrate({ number, bitrate, inf }: MediaSegment, bytes: Buffer): void {
    if (bitrate === undefined) return;
    const real = sizeOf(bytes) / inf.duration / 1000;
    if (Math.abs(bitrate - real) > real * BITRATE_TOLERANCE) {
      this.#report('bitrate-tag', `EXT-X-BITRATE says ${bitrate} kbit/s, and segment ${number} has ${real.toFixed(0)}`);
    }
  }

  #checkTracks({ segment, independent }: LoadedSegment, file: ProbedFile): void {
    const { number, inf } = segment;
    const main = mainTrack(file);
    for (const track of file.tracks) this.#tracks.set(signatureOf(track), track);
    const frame = frameDuration(main);
    if (main.kind === 'video' && frame > 0) this.#frameRate = Math.max(this.#frameRate, 1 / frame);
    if (independent && main.kind === 'video' && main.packets[0]?.keyframe !== true) {
      this.#report('no-keyframe-at-start', `segment ${number} begins with a picture that needs others`);
    }
    // Sound may go on a little longer than the picture, and EXTINF may count it.
    const { start, end } = extentOf(main);
    const longest = Math.max(...withPackets(file).map((track) => extentOf(track).end));
    this.#longest.set(main.kind, Math.max(this.#longest.get(main.kind) ?? 0, longestFrame(main)));
    const tolerance = this.#toleranceOf(main);
    if (inf.duration < end - start - tolerance || inf.duration > longest - start + tolerance) {
      const detail = `segment ${number} has an EXTINF of ${inf.duration} s, and its ${main.kind} takes`;
      this.#report('segment-duration', `${detail} ${(end - start).toFixed(3)} s`);
    }
    this.#checkSeam(segment, file);
  }

  /** How long the last packet takes, its file doesn't tell: as long as the longest, at most. */
  #toleranceOf(track: ProbedTrack): number {
    return Math.max(longestFrame(track), this.#longest.get(track.kind) ?? 0) + CLOCK_ROUNDING;
  }

  /** What follows on without a discontinuity has the same tracks and goes on in time. rfc8216bis §4.4.4.3 */
  #checkSeam(segment: MediaSegment, file: ProbedFile): void {
    const before = this.#previous;
    const follows = before?.segment.number === segment.number - 1 && segment.discontinuities === 0;
    if (before === undefined || !follows || before.file.tracks.length === 0) return;
    const [was, is] = [before.file, file].map(({ tracks }) => tracks.map(signatureOf).toSorted().join(', '));
    if (was !== is) this.#report('tracks-changed', `segment ${segment.number} has ${is}, after ${was}`);
    for (const track of file.tracks) {
      const same = before.file.tracks.find(({ kind, id }) => kind === track.kind && id === track.id);
      if (same === undefined || same.packets.length === 0 || track.packets.length === 0) continue;
      let gap = extentOf(track).start - extentOf(same).end;
      if (gap < -TS_WRAP / 2) gap += TS_WRAP;
      if (Math.abs(gap) > this.#toleranceOf(track)) {
        const detail = `the ${track.kind} of segment ${segment.number} begins ${Math.abs(gap).toFixed(3)} s`;
        this.#report('timestamp-gap', `${detail} ${gap > 0 ? 'after' : 'before'} what came before it ends`);
      }
    }
  }

  async #checkPart(
    { segment, bytes, init }: LoadedSegment,
    index: number,
    { part, ...loaded }: LoadedPart,
  ): Promise<void> {
    const where = `part ${index} of segment ${segment.number}`;
    const before = init ?? (index === 0 ? Buffer.alloc(0) : tablesOf(bytes));
    const { tracks } = await probe(Buffer.concat([before, loaded.bytes]), { decode: false });
    if (withPackets({ tracks }).length === 0) {
      this.#report('not-decodable', `${where} has no media`);
      return;
    }
    const main = mainTrack({ tracks });
    if (part.independent && main.kind === 'video' && !main.packets.some(({ keyframe }) => keyframe)) {
      this.#report('part-no-keyframe', `${where} is INDEPENDENT=YES, and has no keyframe`);
    }
    // Parts are cut in the order of decoding, whatever is shown first.
    const { start, end } = decodingOf(main);
    if (Math.abs(end - start - part.duration) > this.#toleranceOf(main)) {
      const takes = `and its ${main.kind} takes ${(end - start).toFixed(3)} s`;
      this.#report('part-duration', `${where} has a DURATION of ${part.duration} s, ${takes}`);
    }
  }
}

const signatureOf = ({ kind, codec, id }: ProbedTrack): string => `${kind} ${codec} ${id}`;

const withPackets = ({ tracks }: Pick<ProbedFile, 'tracks'>): readonly ProbedTrack[] =>
  tracks.filter(({ packets }) => packets.length > 0);

/** The one that segments are cut by. */
function mainTrack(file: Pick<ProbedFile, 'tracks'>): ProbedTrack {
  const tracks = withPackets(file);
  const main = tracks.find(({ kind }) => kind === 'video') ?? tracks[0];
  if (main === undefined) throw new Error('a file without packets has no main track');
  return main;
}

/** The packets of MPEG-TS before the first that begins a PES packet: the tables. */
function tablesOf(segment: Buffer): Buffer {
  let end = 0;
  while (end + TS_PACKET <= segment.length && segment[end] === SYNC_BYTE && !beginsPes(segment.subarray(end))) {
    end += TS_PACKET;
  }
  return segment.subarray(0, end);
}

function beginsPes(packet: Buffer): boolean {
  const flags = packet.readUInt8(1);
  const hasAdaptation = (packet.readUInt8(3) & 0x20) !== 0;
  const payload = hasAdaptation ? 5 + packet.readUInt8(4) : 4;
  return (flags & 0x40) !== 0 && payload + 3 <= TS_PACKET && packet.readUIntBE(payload, 3) === 1;
}
