import { z } from 'zod';

const port = (value: number) => z.number().int().min(0).max(65535).default(value);
const host = () => z.string().min(1).default('::');
const seconds = (value: number, max: number) => z.number().min(0).max(max).default(value);
const count = (value: number, max: number) => z.number().int().min(1).max(max).default(value);

const MIB = 1024 * 1024;

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
  idleSeconds: seconds(30, 3600).describe('A publisher that sends nothing for this long is taken for dead.'),
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
  segments: z.number().int().min(3).max(100).default(6).describe('How many segments the playlist lists.'),
  always: z
    .boolean()
    .default(false)
    .describe('Segment streams from their first frame on, rather than from the first HLS viewer on.'),
});

/** What can differ from path to path. */
const pathSettings = {
  publish: publish.prefault({}),
  gopCache: gopCache.prefault({}),
  viewers: viewers.prefault({}),
  hls: hls.prefault({}),
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
        .describe('Size of the chunks that are sent, in bytes.'),
      maxMessageBytes: count(16 * MIB, 256 * MIB).describe(
        'Largest message (a keyframe, in the main) that is accepted.',
      ),
      handshakeSeconds: z
        .number()
        .min(1)
        .max(60)
        .default(10)
        .describe('A connection that has not asked to publish or play by then is closed.'),
      maxConnections: count(20_000, 1_000_000).describe('RTMP and RTMPS connections in all.'),
      maxConnectionsPerIp: count(10_000, 1_000_000).describe('RTMP and RTMPS connections from one address.'),
    })
    .prefault({}),
  rtmps: z
    .strictObject({
      port: port(1443).describe('TCP port for RTMPS; it opens when a certificate is given.'),
      host: host().describe('Address to listen on.'),
      certFile: z.string().optional().describe('PEM file with the certificate chain.'),
      keyFile: z.string().optional().describe("PEM file with the certificate's private key."),
    })
    .refine((rtmps) => (rtmps.certFile === undefined) === (rtmps.keyFile === undefined), {
      error: 'certFile and keyFile go together; give both or neither',
    })
    .prefault({}),
  http: z
    .strictObject({
      port: port(8080).describe(
        'TCP port for HLS, HTTP-FLV, WebSocket-FLV, the player and the start page. 0 takes a free one.',
      ),
      host: host().describe('Address to listen on.'),
      corsOrigin: z
        .string()
        .default('*')
        .describe('`Access-Control-Allow-Origin` of media responses. No credentials are ever allowed with it.'),
      maxConnections: count(50_000, 1_000_000).describe('HTTP connections in all.'),
    })
    .prefault({}),
  player: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Serve the start page and the player page.'),
      listStreams: z
        .boolean()
        .default(true)
        .describe('Let the start page and `/status/streams` list the live streams.'),
    })
    .prefault({}),
  ...pathSettings,
  sessions: z
    .strictObject({
      total: count(100_000, 10_000_000).describe('Publishers and viewers in all.'),
      perStream: count(100_000, 10_000_000).describe('Publishers and viewers of one stream.'),
      perIp: count(20_000, 10_000_000).describe('Publishers and viewers from one address.'),
    })
    .prefault({}),
  fanOut: z
    .strictObject({
      restFactor: z
        .number()
        .min(0)
        .max(20)
        .default(2)
        .describe('How long the server rests between two rounds of writes, in units of what a round took.'),
      maxRestMs: z
        .number()
        .min(0)
        .max(500)
        .default(30)
        .describe('The longest such rest. The round after it begins with the next picture that comes in.'),
      maxDelayMs: z
        .number()
        .min(0)
        .max(1000)
        .default(90)
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
        .describe('`pretty` for people, `json` for machines; `auto` is pretty on a terminal.'),
    })
    .prefault({}),
  shutdownSeconds: seconds(5, 300).describe(
    'How long a stopping server waits for its connections to end by themselves.',
  ),
  paths: z
    .record(
      z.string().regex(/^[A-Za-z0-9._*-]+(\/[A-Za-z0-9._*-]+)+$/, {
        error: 'a path pattern is app/name, where * stands for any part of a name: live/*, */test',
      }),
      z.strictObject({
        publish: overridesOf(publish),
        gopCache: overridesOf(gopCache),
        viewers: overridesOf(viewers),
        hls: overridesOf(hls),
      }),
    )
    .default({})
    .describe(
      'Settings for some paths: a pattern (`live/*`) and what differs there. The longest pattern that fits wins.',
    ),
});

/** Everything that a person configures, with defaults put in. */
export type Config = z.output<typeof configSchema>;
/** The settings that hold for one path. */
export type PathSettings = Pick<Config, 'publish' | 'gopCache' | 'viewers' | 'hls'>;
