import { z } from 'zod';
import { PATH_PATTERN } from '../path-pattern.js';
import { auth, callbacks, sharing, sync } from './schema/access-checks.js';
import { bbb } from './schema/bbb.js';
import { api, audit, metrics } from './schema/control-plane.js';
import {
  count,
  embedOrigin,
  file,
  host,
  iceUrl,
  MIB,
  networks,
  port,
  START,
  seconds,
  secret,
} from './schema/fields.js';
import {
  access,
  dash,
  gopCache,
  hls,
  hlsDisk,
  overridesOf,
  pathSettings,
  publish,
  pull,
  push,
  srtPath,
  viewers,
  webrtcPath,
} from './schema/paths.js';
import { recordingPath, recordingServer } from './schema/recording.js';
import { type TranscodePathSettings, transcodePath, transcodeServer } from './transcode-schema.js';

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
      embedOrigins: z
        .array(embedOrigin())
        .max(100)
        .default([])
        .meta({ allowed: 'origins (https://example.org, https://*.example.org, *)' })
        .describe(
          'Other sites that may show the player page in a frame: `https://example.org`, `https://*.example.org`, or `*` for all. By default none may. Pages that have `<sluice-player>` in themselves need `http.corsOrigin` instead.',
        ),
    })
    .prefault({}),
  ...pathSettings,
  transcode: z.strictObject({ ...transcodePath, ...transcodeServer }).prefault({}),
  recording: z.strictObject({ ...recordingPath, ...recordingServer }).prefault({}),
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
  bbb: bbb.prefault({}),
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
        recording: overridesOf(z.strictObject(recordingPath)),
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
  readonly recording: Pick<Config['recording'], keyof typeof recordingPath>;
};
export type AccessSettings = Config['access'];
/** Who may do something with a path, beyond the address rules. */
export type AccessMode = AccessSettings['play'];
