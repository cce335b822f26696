import { z } from 'zod';
import { PULL_SCHEMES, PUSH_SCHEMES } from '../../relay/relay-url.js';
import { count, file, GIB, MIB, networks, SECRET, START, seconds, url } from './fields.js';

export const publish = z.strictObject({
  takeover: z
    .enum(['replace', 'refuse'])
    .default('replace')
    .describe(
      'What happens when a second encoder publishes a path that is live: it replaces the first, or is refused.',
    ),
  graceSeconds: seconds(10, 3600).describe(
    'How long viewers stay, without a picture, for an encoder that dropped to come back. 0 ends the stream at once.',
  ),
  idleSeconds: seconds(30, 3600)
    .meta(START)
    .describe('A publisher that sends nothing for this long is taken for dead.'),
});

export const gopCache = z.strictObject({
  maxSeconds: seconds(20, 120).describe('Longest GOP that is kept so that new viewers begin with a picture at once.'),
  maxFrames: count(6000, 100_000).describe('Most samples (video and audio) kept of one GOP.'),
  maxBytes: count(32 * MIB, 1024 * MIB).describe('Most bytes kept of one GOP.'),
});

export const viewers = z.strictObject({
  waitForStreamSeconds: seconds(10, 600).describe(
    'How long an RTMP, HTTP-FLV or WebSocket-FLV viewer of a stream that is not live waits for it before it is refused.',
  ),
  maxLagSeconds: seconds(5, 120).describe('A viewer that falls further behind is moved on to the newest keyframe.'),
  maxStallSeconds: seconds(15, 600).describe('A viewer that reads nothing for this long is disconnected.'),
  maxSkips: count(10, 1000).describe(
    'A viewer that had to be moved on this often, each time within a minute of the last, is disconnected.',
  ),
});

export const hls = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether streams can be watched over HLS.'),
  segmentSeconds: z
    .number()
    .min(0.5)
    .max(60)
    .default(2)
    .describe('Target duration of a segment. Segments end at keyframes, so the encoder decides in the end.'),
  segments: z.number().int().min(3).max(100).default(6).describe('How many segments the playlist lists, at least.'),
  container: z
    .enum(['auto', 'fmp4', 'mpegts'])
    .default('auto')
    .describe('What segments are: `auto` is fragmented MP4, and MPEG-TS where the sound is MP3.'),
  lowLatency: z
    .boolean()
    .default(true)
    .describe('Low-Latency HLS: segments of fragmented MP4 can be had in parts, while they are being made.'),
  partSeconds: z
    .number()
    .min(0.1)
    .max(1)
    .default(0.2)
    .describe('How long those parts are, about: they have whole pictures.'),
  encryption: z
    .enum(['none', 'aes-128', 'sample-aes'])
    .default('none')
    .describe(
      'How segments are encrypted, with keys that only those get who may watch: `aes-128` encrypts them whole, and leaves `lowLatency` out; `sample-aes` encrypts the samples (H.264, HEVC, AAC, MP3, Opus) in fragmented MP4, `cbcs`, which Apple players and ffmpeg play, and hls.js does not.',
    ),
  keySegments: z
    .number()
    .int()
    .min(0)
    .max(10_000)
    .default(30)
    .describe('A new key after so many segments. 0: one key for all.'),
  always: z
    .boolean()
    .default(false)
    .describe('Segment streams from their first frame on, rather than from the first HLS viewer on.'),
  windowSeconds: seconds(0, 86_400).describe(
    'How far back viewers can seek. Older segments are kept on disk; streams are then segmented from their first frame on. 0: what is in memory, and no more.',
  ),
  playlistType: z
    .enum(['sliding', 'event'])
    .default('sliding')
    .describe(
      '`event` marks the playlist as one that only grows, for as long as nothing of it had to go: it is for windows that are longer than the event.',
    ),
});

export const dash = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether streams can be watched over DASH.'),
  segmentSeconds: z
    .number()
    .min(0.5)
    .max(60)
    .default(2)
    .describe('Target duration of a segment. Segments end at keyframes, so the encoder decides in the end.'),
  segments: z.number().int().min(3).max(100).default(10).describe('How many segments the MPD lists.'),
  lowLatency: z
    .boolean()
    .default(true)
    .describe('Low-latency DASH: segments are listed and sent while they are being made.'),
});
/** Of all paths together. */
export const hlsDisk = {
  diskDir: file().meta(START).describe('Directory for segments on disk; by default `hls` in the data directory.'),
  diskMaxBytes: count(20 * GIB, 2 ** 50).describe(
    'Most bytes on disk, of all streams together. Beyond it the oldest segments go, and windows get shorter.',
  ),
};

export const mode = (value: 'open' | 'local') => z.enum(['open', 'local', 'credential', 'closed']).default(value);

export const access = z.strictObject({
  publish: mode('local').describe(
    'Who may publish: `open` anybody; `local` anybody on this machine or a private network, others with a credential; `credential` who shows one; `closed` nobody.',
  ),
  play: mode('open').describe('Who may watch, in the same words.'),
  publishAllow: networks().describe('Addresses and CIDR blocks that may publish; empty: all.'),
  publishDeny: networks().describe('Addresses and CIDR blocks that may not publish. Wins over `publishAllow`.'),
  playAllow: networks().describe('Addresses and CIDR blocks that may watch; empty: all.'),
  playDeny: networks().describe('Addresses and CIDR blocks that may not watch. Wins over `playAllow`.'),
});

export const passphrase = () => z.string().min(10).max(79).optional().meta(SECRET);

/** Of a path; where the SRT port is, is in the same group, for all of them. */
export const srtPath = {
  publishPassphrase: passphrase().describe('Passphrase that SRT publishers must know, 10 to 79 characters.'),
  playPassphrase: passphrase().describe('Passphrase that SRT viewers must know, 10 to 79 characters.'),
};

/** Of a path; where the WebRTC port is, is in the same group, for all of them. */
export const webrtcPath = {
  bFrames: z
    .enum(['drop', 'send', 'transcode'])
    .default('drop')
    .describe(
      'What becomes of B-frames, over which browsers stutter: those that nothing depends on are left out, or all are sent, or the picture is encoded anew without them (by ffmpeg, once for all viewers).',
    ),
};

/** Viewers choose the path: they are not to choose the server, too. */
const relayUrl = (...schemes: readonly string[]) =>
  url(...schemes).refine((text) => !/^[a-z]+:\/\/[^/?#]*[{}]/.test(text), {
    error: '{app} and {name} are for the path of a URL, not for its host',
  });

/** Where streams are taken from, and given to. The URLs hold credentials. */
export const pull = z.strictObject({
  url: relayUrl(...PULL_SCHEMES)
    .meta(SECRET)
    .describe(
      'Where the stream is taken from: `srt://host:port?streamid=…`, `rtmp://host/app/stream` (or `rtmps`), or an FLV stream, `http://host/app/stream.flv` (or `https`). `{app}` and `{name}` stand for the path.',
    ),
  mode: z
    .enum(['always', 'onDemand'])
    .optional()
    .describe(
      'When: for as long as the server runs, or from the first viewer on. By default `onDemand` for a pattern with `*`, which can be nothing else, and `always` for one path.',
    ),
  idleSeconds: seconds(30, 86_400).describe(
    'A stream that is pulled on demand is given up when nobody has watched it for this long.',
  ),
  stallSeconds: seconds(10, 3600).describe('A stream of which nothing comes for this long is taken anew.'),
  passQuery: z
    .boolean()
    .default(false)
    .describe(
      "Whether each viewer's own query (`?token=…`) is shown to the origin, which decides who may watch: whom it refuses is refused here.",
    ),
});
export const push = z.strictObject({
  urls: z
    .array(relayUrl(...PUSH_SCHEMES))
    .max(100)
    .meta(SECRET)
    .default([])
    .meta({ ...SECRET, allowed: `URLs (${PUSH_SCHEMES.join(', ')})` })
    .describe(
      'Where streams are given to while they are live: `rtmp://host/app/stream` (or `rtmps`), `srt://host:port?streamid=publish:{app}/{name}`. `{app}` and `{name}` stand for the path.',
    ),
});

/** What can differ from path to path. */
export const pathSettings = {
  access: access.prefault({}),
  publish: publish.prefault({}),
  gopCache: gopCache.prefault({}),
  viewers: viewers.prefault({}),
  hls: hls.prefault({}),
  dash: dash.prefault({}),
  push: push.prefault({}),
};

/** The same settings without their defaults: what a path doesn't set, it takes from above. */
export function overridesOf<T extends z.ZodObject>(group: T): z.ZodType<Partial<z.output<T>> | undefined> {
  const fields = Object.entries(group.shape).map(([key, field]) => {
    const inner = field instanceof z.ZodDefault ? field.unwrap() : field;
    return [key, (inner as z.ZodType).optional()] as const;
  });
  return z.strictObject(Object.fromEntries(fields)).optional() as z.ZodType<Partial<z.output<T>> | undefined>;
}
