import { z } from 'zod';
import { parseNetwork } from '../access/network.js';
import { PATH_PATTERN } from '../path-pattern.js';
import { parseIceUrl } from './ice-url.js';
import { type TranscodePathSettings, transcodePath, transcodeServer } from './transcode-schema.js';

/** Takes effect when the server starts. All else is applied while it runs. */
const START = { restart: true } as const;
/** Never shown. */
const SECRET = { secret: true } as const;

const port = (value: number) => z.number().int().min(0).max(65535).default(value).meta(START);
const host = (value = '::') => z.string().min(1).default(value).meta(START);
const seconds = (value: number, max: number) => z.number().min(0).max(max).default(value);
const count = (value: number, max: number) => z.number().int().min(1).max(max).default(value);

/** In the environment: values with commas between them. */
const list = <T extends z.ZodType>(item: T, allowed: string) => z.array(item).max(10_000).default([]).meta({ allowed });
const networks = () =>
  list(
    z.string().refine((text) => parseNetwork(text) !== undefined, { error: 'an address or a CIDR block is allowed' }),
    'addresses and CIDR blocks',
  );
const url = (...schemes: string[]) => {
  const allowed = `URL (${schemes.join(', ')})`;
  const fits = (text: string) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1));
  return z
    .string()
    .refine(fits, { error: `allowed: ${allowed}` })
    .meta({ allowed });
};
const httpUrl = () => url('http', 'https');
const urls = () => list(httpUrl(), 'URLs (http, https)');
const secret = (shortest: number) => z.string().min(shortest).optional().meta(SECRET);
const file = () => z.string().min(1).optional();
const iceUrl = (...schemes: string[]) => {
  const fits = (text: string) => schemes.includes(parseIceUrl(text)?.scheme ?? '');
  return z.string().refine(fits, { error: `allowed: URL (${schemes.join(', ')}), as in ${schemes.at(-1)}:host:port` });
};

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const publish = z.strictObject({
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

const gopCache = z.strictObject({
  maxSeconds: seconds(20, 120).describe('Longest GOP that is kept so that new viewers begin with a picture at once.'),
  maxFrames: count(6000, 100_000).describe('Most samples (video and audio) kept of one GOP.'),
  maxBytes: count(32 * MIB, 1024 * MIB).describe('Most bytes kept of one GOP.'),
});

const viewers = z.strictObject({
  waitForStreamSeconds: seconds(10, 600).describe(
    'How long an RTMP, HTTP-FLV or WebSocket-FLV viewer of a stream that is not live waits for it before it is refused.',
  ),
  maxLagSeconds: seconds(5, 120).describe('A viewer that falls further behind is moved on to the newest keyframe.'),
  maxStallSeconds: seconds(15, 600).describe('A viewer that reads nothing for this long is disconnected.'),
  maxSkips: count(10, 1000).describe(
    'A viewer that had to be moved on this often, each time within a minute of the last, is disconnected.',
  ),
});

const hls = z.strictObject({
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

const dash = z.strictObject({
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
const hlsDisk = {
  diskDir: file().meta(START).describe('Directory for segments on disk; by default `hls` in the data directory.'),
  diskMaxBytes: count(20 * GIB, 2 ** 50).describe(
    'Most bytes on disk, of all streams together. Beyond it the oldest segments go, and windows get shorter.',
  ),
};

const mode = (value: 'open' | 'local') => z.enum(['open', 'local', 'credential', 'closed']).default(value);

const access = z.strictObject({
  publish: mode('local').describe(
    'Who may publish: `open` anybody; `local` anybody on this machine or a private network, others with a credential; `credential` who shows one; `closed` nobody.',
  ),
  play: mode('open').describe('Who may watch, in the same words.'),
  publishAllow: networks().describe('Addresses and CIDR blocks that may publish; empty: all.'),
  publishDeny: networks().describe('Addresses and CIDR blocks that may not publish. Wins over `publishAllow`.'),
  playAllow: networks().describe('Addresses and CIDR blocks that may watch; empty: all.'),
  playDeny: networks().describe('Addresses and CIDR blocks that may not watch. Wins over `playAllow`.'),
});

const auth = z.strictObject({
  jwt: z
    .strictObject({
      secret: secret(32).describe('Shared secret of HS256 tokens, 32 characters or more.'),
      publicKeyFile: file().describe('PEM file with the public key of RS256 or ES256 tokens.'),
      jwksUrl: httpUrl().optional().describe('Where the issuer publishes its keys (JWKS), for RS256 and ES256 tokens.'),
      issuer: z.string().optional().describe('`iss` that tokens must have.'),
      audience: z.string().optional().describe('`aud` that tokens must have.'),
      leewaySeconds: seconds(5, 300).describe('Difference of clocks that is tolerated.'),
    })
    .prefault({}),
  signing: z
    .strictObject({
      secret: secret(32).describe(
        'Secret of signed URLs (`?sign=`), 32 characters or more. Where it is missing, one is made at the first start and kept in the data directory.',
      ),
    })
    .prefault({}),
  wmsAuth: z
    .strictObject({
      key: secret(1).describe('Key of WMSAuth tokens (`?wmsAuthSign=`). They are refused where it is missing.'),
      toleranceSeconds: seconds(90, 3600).describe("How far the issuer's clock may be off."),
    })
    .prefault({}),
  http: z
    .strictObject({
      url: httpUrl()
        .optional()
        .describe('Asked, by POST of JSON, about credentials that nothing else accepts; 2xx lets them in.'),
      timeoutMs: count(5000, 60_000).describe('No answer by then is a no.'),
      recheckSeconds: seconds(60, 86_400).describe('How often it is asked again about sessions under way. 0: never.'),
    })
    .prefault({}),
  failuresPerMinute: count(30, 100_000).describe(
    'Wrong credentials from one address, beyond which it is refused for a while, whatever it shows.',
  ),
});

const callbacks = z.strictObject({
  onConnect: urls().describe('Asked when an RTMP client connects. Any answer but `0` or `{"code":0}` refuses it.'),
  onPublish: urls().describe('Asked before a stream is published.'),
  onPlay: urls().describe('Asked before a stream is watched.'),
  onClose: urls().describe('Told when an RTMP client has gone.'),
  onUnpublish: urls().describe('Told when a publisher has gone.'),
  onStop: urls().describe('Told when a viewer has gone.'),
  onHls: urls().describe('Told of each HLS segment.'),
  format: z
    .enum(['srs', 'sluice'])
    .default('srs')
    .describe('Shape of the body: as SRS sends it, or our own, which names the session and why it ended.'),
  secret: secret(16).describe('Signs each callback (`Sluice-Signature`, HMAC-SHA256 of time and body).'),
  timeoutMs: count(5000, 60_000).describe(
    'No answer by then is a no from those that are asked, and is tried again with those that are told.',
  ),
  retrySeconds: seconds(3600, 604_800).describe(
    'How long a callback that only tells is tried again, over restarts too.',
  ),
});

const sync = z.strictObject({
  url: httpUrl().optional().describe('Where the sessions are POSTed to; the answer lists who is to be cut off.'),
  intervalSeconds: z.number().min(1).max(3600).default(10).describe('How often.'),
  format: z.enum(['json', 'xml']).default('json').describe('`xml` is the shape that WMSPanel handlers read.'),
  secret: secret(16).describe('Signs each sync, as `callbacks.secret` does callbacks.'),
  denySeconds: z
    .number()
    .min(1)
    .max(31_536_000)
    .default(3600)
    .describe('How long those it lists are denied, where the answer does not say.'),
  serverId: z.string().optional().describe("This server's name in each sync; its host name where it is missing."),
});

const sharing = z.strictObject({
  policy: z
    .enum(['off', 'report', 'cut-newest', 'cut-oldest'])
    .default('off')
    .describe('What happens to an account that is watched from too many places at once.'),
  maxAddresses: count(2, 1000).describe('Addresses of one viewer id inside the window.'),
  maxUserAgents: count(4, 1000).describe('User agents of one viewer id inside the window.'),
  windowSeconds: z.number().min(1).max(86_400).default(60).describe('The window.'),
});

const api = z.strictObject({
  enabled: z.boolean().default(true).meta(START).describe('Whether the control API is there.'),
  port: port(1985).describe('TCP port of the control API. 0 takes a free one.'),
  tlsPort: port(1990).describe('TCP port of the control API over TLS; it opens when a certificate is given.'),
  host: host('127.0.0.1').describe('Address to listen on.'),
  token: secret(16).describe('An API key with all rights, for automation.'),
  openReads: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      'Whether streams, sessions and figures can be read without a credential; `auto`: from this machine, while the API listens on loopback only.',
    ),
  allow: networks().describe('Addresses and CIDR blocks that may use the API; empty: all.'),
  deny: networks().describe('Addresses and CIDR blocks that may not.'),
  corsOrigins: list(z.string(), 'origins, as in https://console.example.org').describe(
    'Origins whose pages may use the API.',
  ),
  accessTokenSeconds: z
    .number()
    .min(60)
    .max(86_400)
    .default(600)
    .describe('How long a login lasts before it is renewed by itself.'),
  refreshTokenSeconds: z.number().min(300).max(31_536_000).default(1_209_600).describe('How long it can be renewed.'),
  oidc: z
    .strictObject({
      issuer: httpUrl().optional().describe('Issuer of OIDC bearer tokens that are accepted.'),
      jwksUrl: httpUrl().optional().describe("The issuer's keys; by default found through its discovery document."),
      audience: z.string().optional().describe('`aud` that they must have.'),
      roleClaim: z
        .string()
        .default('roles')
        .describe('The claim that holds `admin`, `operator` or `viewer`; dots lead into objects.'),
    })
    .prefault({}),
});

const metrics = z.strictObject({
  enabled: z.boolean().default(true).meta(START).describe('Serve `/metrics` on the control API.'),
  perStream: z.boolean().default(false).describe('Series for each stream.'),
  maxStreams: count(200, 10_000).describe('Most streams that get series of their own; the rest are counted together.'),
});

const audit = z.strictObject({
  file: file()
    .meta(START)
    .describe('JSON lines of what was done by whom; by default `audit.jsonl` in the data directory.'),
  syslog: url('udp', 'tcp', 'tls')
    .optional()
    .meta(START)
    .describe('Where audit lines go in RFC 5424 form: `udp://host:514`, `tcp://host:601`, `tls://host:6514`.'),
});

const passphrase = () => z.string().min(10).max(79).optional().meta(SECRET);

/** Of a path; where the SRT port is, is in the same group, for all of them. */
const srtPath = {
  publishPassphrase: passphrase().describe('Passphrase that SRT publishers must know, 10 to 79 characters.'),
  playPassphrase: passphrase().describe('Passphrase that SRT viewers must know, 10 to 79 characters.'),
};

/** Of a path; where the WebRTC port is, is in the same group, for all of them. */
const webrtcPath = {
  bFrames: z
    .enum(['drop', 'send', 'transcode'])
    .default('drop')
    .describe(
      'What becomes of B-frames, over which browsers stutter: those that nothing depends on are left out, or all are sent, or the picture is encoded anew without them (by ffmpeg, once for all viewers).',
    ),
};

/** Where streams are taken from, and given to. The URLs hold credentials. */
const pull = z.strictObject({
  url: url('srt')
    .meta(SECRET)
    .describe('Where the stream is taken from, for as long as the server runs: `srt://host:port?streamid=…`.'),
});
const push = z.strictObject({
  urls: z
    .array(url('srt'))
    .max(100)
    .meta(SECRET)
    .default([])
    .meta({ ...SECRET, allowed: 'URLs (srt)' })
    .describe(
      'Where streams are given to while they are live: `srt://host:port?streamid=publish:{app}/{name}`, where `{app}` and `{name}` stand for the path.',
    ),
});

/** What can differ from path to path. */
const pathSettings = {
  access: access.prefault({}),
  publish: publish.prefault({}),
  gopCache: gopCache.prefault({}),
  viewers: viewers.prefault({}),
  hls: hls.prefault({}),
  dash: dash.prefault({}),
  push: push.prefault({}),
};

/** The same settings without their defaults: what a path doesn't set, it takes from above. */
function overridesOf<T extends z.ZodObject>(group: T): z.ZodType<Partial<z.output<T>> | undefined> {
  const fields = Object.entries(group.shape).map(([key, field]) => {
    const inner = field instanceof z.ZodDefault ? field.unwrap() : field;
    return [key, (inner as z.ZodType).optional()] as const;
  });
  return z.strictObject(Object.fromEntries(fields)).optional() as z.ZodType<Partial<z.output<T>> | undefined>;
}

export const configSchema = z.strictObject({
  rtmp: z
    .strictObject({
      port: port(1935).describe('TCP port for RTMP. 0 takes a free one.'),
      host: host().describe('Address to listen on; `::` is every address, IPv4 and IPv6.'),
      chunkSize: z
        .number()
        .int()
        .min(128)
        .max(65536)
        .default(65536)
        .meta(START)
        .describe('Size of the chunks that are sent, in bytes.'),
      maxMessageBytes: count(16 * MIB, 256 * MIB)
        .meta(START)
        .describe('Largest message (a keyframe, in the main) that is accepted.'),
      handshakeSeconds: z
        .number()
        .min(1)
        .max(60)
        .default(10)
        .meta(START)
        .describe('A connection that has not asked to publish or play by then is closed.'),
      maxConnections: count(20_000, 1_000_000).meta(START).describe('RTMP and RTMPS connections in all.'),
      maxConnectionsPerIp: count(10_000, 1_000_000)
        .meta(START)
        .describe('RTMP and RTMPS connections from one address.'),
    })
    .prefault({}),
  rtmps: z
    .strictObject({
      port: port(1443).describe('TCP port for RTMPS; it opens when a certificate is given.'),
      host: host().describe('Address to listen on.'),
    })
    .prefault({}),
  http: z
    .strictObject({
      port: port(8080).describe(
        'TCP port for HLS, DASH, HTTP-FLV, WebSocket-FLV, the player and the start page. 0 takes a free one.',
      ),
      host: host().describe('Address to listen on.'),
      corsOrigin: z
        .string()
        .default('*')
        .meta(START)
        .describe('`Access-Control-Allow-Origin` of media responses. No credentials are ever allowed with it.'),
      maxConnections: count(50_000, 1_000_000).meta(START).describe('HTTP connections in all.'),
      trustedProxies: networks().describe(
        'Addresses and CIDR blocks of proxies whose `X-Forwarded-For` is believed, here and by the control API.',
      ),
    })
    .prefault({}),
  https: z
    .strictObject({
      port: port(8088).describe('TCP port for the same over TLS, with HTTP/2; it opens when a certificate is given.'),
      host: host().describe('Address to listen on.'),
    })
    .prefault({}),
  tls: z
    .strictObject({
      certFile: file()
        .meta(START)
        .describe(
          'PEM file with the certificate chain, for RTMPS, HTTPS and the control API. It is read again when it changes.',
        ),
      keyFile: file().meta(START).describe("PEM file with the certificate's private key."),
    })
    .refine((tls) => (tls.certFile === undefined) === (tls.keyFile === undefined), {
      error: 'certFile and keyFile go together; give both or neither',
    })
    .prefault({}),
  srt: z
    .strictObject({
      enabled: z.boolean().default(true).meta(START).describe('Whether SRT is spoken.'),
      port: port(10080).describe('UDP port for SRT. 0 takes a free one.'),
      host: host().describe('Address to listen on.'),
      latencyMs: z
        .number()
        .int()
        .min(20)
        .max(8000)
        .default(120)
        .meta(START)
        .describe(
          'How long packets wait for those that got lost before them, at least; four round trips are a good measure.',
        ),
      maxConnections: count(10_000, 1_000_000).meta(START).describe('SRT connections in all.'),
      maxConnectionsPerIp: count(1000, 1_000_000).meta(START).describe('SRT connections from one address.'),
      ...srtPath,
    })
    .prefault({}),
  webrtc: z
    .strictObject({
      enabled: z.boolean().default(true).meta(START).describe('Whether WebRTC is spoken.'),
      port: port(8000).describe('Port for WebRTC, one for all, of UDP and of TCP. 0 takes a free one.'),
      host: host().describe('Address to listen on.'),
      tcp: z
        .boolean()
        .default(true)
        .meta(START)
        .describe('Whether browsers may connect by TCP, too, where their network lets no UDP through.'),
      announce: z
        .array(z.union([z.ipv4(), z.ipv6()]))
        .max(20)
        .default([])
        .meta({ allowed: 'addresses' })
        .describe("Addresses that browsers are told to send to; by default this machine's own."),
      iceServers: z
        .array(iceUrl('stun', 'turn', 'turns'))
        .max(20)
        .default([])
        .meta({ allowed: 'URLs (stun, turn, turns)' })
        .describe(
          'STUN and TURN servers that browsers are told of: `stun:host:port`, `turn:host:port?transport=udp` (or `tcp`), `turns:host:port?transport=tcp`.',
        ),
      turn: z
        .strictObject({
          secret: secret(16).describe(
            'Secret that is shared with the TURN server (`static-auth-secret` of coturn), 16 characters or more: credentials that expire are made from it.',
          ),
          realm: z.string().min(1).optional().describe('Realm of the TURN server: its domain, in the main.'),
          credentialSeconds: z
            .number()
            .int()
            .min(60)
            .max(604_800)
            .default(86_400)
            .describe('How long a credential for the TURN server holds.'),
        })
        .prefault({}),
      stunServer: iceUrl('stun')
        .optional()
        .meta({ allowed: 'URL (stun)' })
        .describe(
          'Asked every five minutes which address this server is seen from, `stun:host:port`; browsers are told that one beside the others.',
        ),
      ...webrtcPath,
    })
    .prefault({}),
  player: z
    .strictObject({
      enabled: z.boolean().default(true).meta(START).describe('Serve the start page and the player page.'),
      listStreams: z
        .boolean()
        .default(true)
        .describe('Let the start page and `/status/streams` list the live streams.'),
    })
    .prefault({}),
  ...pathSettings,
  transcode: z.strictObject({ ...transcodePath, ...transcodeServer }).prefault({}),
  hls: z.strictObject({ ...hls.shape, ...hlsDisk }).prefault({}),
  sessions: z
    .strictObject({
      total: count(100_000, 10_000_000).describe('Publishers and viewers in all.'),
      perStream: count(100_000, 10_000_000).describe('Publishers and viewers of one stream.'),
      perIp: count(20_000, 10_000_000).describe('Publishers and viewers from one address.'),
      perViewer: count(20_000, 10_000_000).describe('Sessions of one viewer id at a time.'),
    })
    .prefault({}),
  auth: auth.prefault({}),
  callbacks: callbacks.prefault({}),
  sync: sync.prefault({}),
  sharing: sharing.prefault({}),
  api: api.prefault({}),
  metrics: metrics.prefault({}),
  audit: audit.prefault({}),
  data: z
    .strictObject({
      dir: z
        .string()
        .min(1)
        .default('data')
        .meta(START)
        .describe('Directory of what outlives a restart: users, keys, bans, history, secrets.'),
    })
    .prefault({}),
  fanOut: z
    .strictObject({
      restFactor: z
        .number()
        .min(0)
        .max(20)
        .default(2)
        .meta(START)
        .describe('How long the server rests between two rounds of writes, in units of what a round took.'),
      maxRestMs: z
        .number()
        .min(0)
        .max(500)
        .default(30)
        .meta(START)
        .describe('The longest such rest. The round after it begins with the next picture that comes in.'),
      maxDelayMs: z
        .number()
        .min(0)
        .max(1000)
        .default(90)
        .meta(START)
        .describe(
          'The longest that output is held back to share a write with a later picture. Reached under load only.',
        ),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('Least level that is logged.'),
      format: z
        .enum(['auto', 'pretty', 'json'])
        .default('auto')
        .meta(START)
        .describe('`pretty` for people, `json` for machines; `auto` is pretty on a terminal.'),
    })
    .prefault({}),
  shutdownSeconds: seconds(5, 300).describe(
    'How long a stopping server waits for its connections to end by themselves.',
  ),
  paths: z
    .record(
      z.string().regex(PATH_PATTERN, {
        error: 'a path pattern is app/name, where * stands for any part of a name: live/*, */test',
      }),
      z.strictObject({
        access: overridesOf(access),
        publish: overridesOf(publish),
        gopCache: overridesOf(gopCache),
        viewers: overridesOf(viewers),
        hls: overridesOf(hls),
        dash: overridesOf(dash),
        srt: overridesOf(z.strictObject(srtPath)),
        webrtc: overridesOf(z.strictObject(webrtcPath)),
        pull: pull.optional(),
        push: overridesOf(push),
        transcode: overridesOf(z.strictObject(transcodePath)),
      }),
    )
    .superRefine((paths, context) => {
      for (const [pattern, own] of Object.entries(paths)) {
        if (own.pull === undefined || !pattern.includes('*')) continue;
        const message = 'a stream is pulled to one path; write it without *';
        context.addIssue({ code: 'custom', path: [pattern, 'pull'], input: own.pull, message });
      }
    })
    .default({})
    .describe(
      'Settings for some paths: a pattern (`live/*`) and what differs there. The longest pattern that fits wins.',
    ),
});

/** Everything that a person configures, with defaults put in. */
export type Config = z.output<typeof configSchema>;
/** The settings that hold for one path. */
export type PathSettings = Pick<Config, 'access' | 'publish' | 'gopCache' | 'viewers' | 'hls' | 'dash' | 'push'> & {
  readonly srt: Pick<Config['srt'], keyof typeof srtPath>;
  readonly webrtc: Pick<Config['webrtc'], keyof typeof webrtcPath>;
  readonly transcode: TranscodePathSettings;
};
export type AccessSettings = Config['access'];
/** Who may do something with a path, beyond the address rules. */
export type AccessMode = AccessSettings['play'];
