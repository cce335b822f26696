import { execFile } from 'node:child_process';

/** A track of a media file, with its packets in order of decoding. Times are seconds. */
export interface ProbedTrack {
  readonly kind: 'video' | 'audio';
  /** A PID of MPEG-TS, or a track id of MP4. */
  readonly id: string;
  readonly codec: string;
  readonly profile: string;
  readonly level: number;
  readonly width: number;
  readonly height: number;
  readonly packets: readonly ProbedPacket[];
}

interface ProbedPacket {
  readonly pts: number;
  readonly dts: number;
  readonly duration: number | undefined;
  readonly keyframe: boolean;
}

/** What ffprobe and ffmpeg say of a media file. */
export interface ProbedFile {
  readonly tracks: readonly ProbedTrack[];
  /** What a decoder complained about; empty where it didn't. */
  readonly complaints: string;
}

interface RawStream {
  readonly index: number;
  readonly id?: string;
  readonly codec_type: string;
  readonly codec_name?: string;
  readonly profile?: string;
  readonly level?: number;
  readonly width?: number;
  readonly height?: number;
}

interface RawPacket {
  readonly stream_index: number;
  readonly pts_time?: string;
  readonly dts_time?: string;
  readonly duration_time?: string;
  readonly flags: string;
}

const MAX_OUTPUT = 64 * 1024 * 1024;
const SHOWN =
  'stream=index,id,codec_type,codec_name,profile,level,width,height:packet=stream_index,pts_time,dts_time,duration_time,flags';

/**
 * Looks at a media file: a segment of MPEG-TS, or an init section of MP4 with fragments behind it.
 *
 * @param options.decode false where only its packets count, and not whether they can be decoded
 */
export async function probe(file: Buffer, options: { decode?: boolean } = {}): Promise<ProbedFile> {
  const listing = await run('ffprobe', ['-v', 'error', '-of', 'json', '-show_entries', SHOWN, '-i', 'pipe:0'], file);
  const { streams = [], packets = [] } = JSON.parse(listing.stdout || '{}') as {
    streams?: RawStream[];
    packets?: RawPacket[];
  };
  const tracks = streams.flatMap((stream): ProbedTrack[] => {
    const { codec_type: kind } = stream;
    if (kind !== 'video' && kind !== 'audio') return [];
    const own = packets.filter((packet) => packet.stream_index === stream.index && packet.pts_time !== undefined);
    return [
      {
        kind,
        id: stream.id ?? String(stream.index),
        codec: stream.codec_name ?? 'unknown',
        profile: stream.profile ?? '',
        level: stream.level ?? 0,
        width: stream.width ?? 0,
        height: stream.height ?? 0,
        packets: own.map((packet) => ({
          pts: Number(packet.pts_time),
          dts: Number(packet.dts_time ?? packet.pts_time),
          duration: packet.duration_time === undefined ? undefined : Number(packet.duration_time),
          keyframe: packet.flags.startsWith('K'),
        })),
      },
    ];
  });
  if (tracks.length === 0) return { tracks, complaints: listing.stderr || 'there is no track in it' };
  const decoding = ['-v', 'error', '-xerror', '-threads', '1', '-i', 'pipe:0', '-f', 'null', '-'];
  return { tracks, complaints: options.decode === false ? '' : (await run('ffmpeg', decoding, file)).stderr };
}

/** Runs a tool with bytes as its input; what it says matters, and not how it ends. */
function run(tool: string, args: readonly string[], input: Buffer): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = execFile(tool, args, { maxBuffer: MAX_OUTPUT }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ stdout, stderr: stderr.trim() });
    });
    // A tool that has seen enough closes its input early.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Seconds that a packet of a track takes: the middle one of the distances between them. */
export function frameDuration({ packets }: ProbedTrack): number {
  const said = packets.flatMap(({ duration }) => duration ?? []).toSorted((a, b) => a - b);
  const sorted = packets.map(({ dts }) => dts).toSorted((a, b) => a - b);
  const between = sorted.slice(1).map((dts, index) => dts - (sorted[index] ?? 0));
  const distances = between.toSorted((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? said[Math.floor(said.length / 2)] ?? 0;
}

/** Seconds that the longest packet of a track takes, as far as the next one tells. */
export function longestFrame(track: ProbedTrack): number {
  const sorted = track.packets.map(({ dts }) => dts).toSorted((a, b) => a - b);
  return Math.max(frameDuration(track), ...sorted.slice(1).map((dts, index) => dts - (sorted[index] ?? 0)));
}

/** When a track begins and ends, in seconds, as it is decoded. */
export function decodingOf(track: ProbedTrack): { readonly start: number; readonly end: number } {
  const times = track.packets.map(({ dts }) => dts);
  return { start: Math.min(...times), end: Math.max(...times) + frameDuration(track) };
}

/** When a track begins and ends, in seconds, as it is shown or heard. */
export function extentOf(track: ProbedTrack): { readonly start: number; readonly end: number } {
  const times = track.packets.map(({ pts }) => pts);
  return { start: Math.min(...times), end: Math.max(...times) + frameDuration(track) };
}

const H264_PROFILES: Readonly<Record<string, string>> = {
  'Constrained Baseline': '42',
  Baseline: '42',
  Main: '4d',
  Extended: '58',
  High: '64',
  'High 10': '6e',
  'High 4:2:2': '7a',
  'High 4:4:4 Predictive': 'f4',
};

const OTHER_CODECS: Readonly<Record<string, RegExp>> = {
  hevc: /^(hvc1|hev1)\./i,
  av1: /^av01\./,
  vp9: /^vp09\./,
  opus: /^opus$/i,
  mp3: /^mp4a\.(40\.34|69|6b)$/i,
  ac3: /^ac-3$/,
  eac3: /^ec-3$/,
  flac: /^flac$/i,
};

/** How CODECS has to name a track's format. RFC 6381 */
export function codecPattern({ codec, profile, level }: ProbedTrack): RegExp | undefined {
  if (codec === 'h264') {
    const idc = H264_PROFILES[profile] ?? '..';
    return new RegExp(`^avc[13]\\.${idc}..${level.toString(16).padStart(2, '0')}$`, 'i');
  }
  if (codec === 'aac')
    return profile === 'HE-AAC' ? /^mp4a\.40\.5$/ : profile === 'HE-AACv2' ? /^mp4a\.40\.29$/ : /^mp4a\.40\.2$/;
  return OTHER_CODECS[codec];
}
