import { z } from 'zod';

/** The answers of SRS's HTTP API, as its dashboards and scripts read them. */
const count = z.number().int().min(0);
const kbps = z.object({ recv_30s: count, send_30s: count });

/** In front of every answer. `pid` is text. */
const envelope = { code: z.literal(0), server: z.string(), service: z.string(), pid: z.string() };

export const streamSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  vhost: z.string(),
  app: z.string(),
  tcUrl: z.string(),
  url: z.string(),
  live_ms: count,
  clients: count,
  frames: count,
  audio_frames: count,
  video_frames: count,
  send_bytes: count,
  recv_bytes: count,
  kbps,
  publish: z.strictObject({ active: z.boolean(), cid: z.string().optional() }),
  video: z
    .strictObject({
      codec: z.enum(['H264', 'HEVC', 'AV1', 'VP9']),
      profile: z.string(),
      level: z.string(),
      width: count,
      height: count,
    })
    .nullable(),
  audio: z
    .strictObject({ codec: z.enum(['AAC', 'MP3', 'Opus']), sample_rate: count, channel: count, profile: z.string() })
    .nullable(),
});

export const clientSchema = z.strictObject({
  id: z.string(),
  vhost: z.string(),
  stream: z.string(),
  ip: z.string(),
  pageUrl: z.string(),
  swfUrl: z.string(),
  tcUrl: z.string(),
  url: z.string(),
  name: z.string(),
  type: z.enum([
    'rtmp-play',
    'hls-play',
    'flv-play',
    'rtc-play',
    'srt-play',
    'fmle-publish',
    'rtc-publish',
    'srt-publish',
  ]),
  publish: z.boolean(),
  alive: z.number().min(0),
  send_bytes: count,
  recv_bytes: count,
  kbps,
});

const vhostSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  clients: count,
  streams: count,
  send_bytes: count,
  recv_bytes: count,
  kbps,
  hls: z.strictObject({ enabled: z.boolean(), fragment: z.number().optional() }),
});

const summariesSchema = z.strictObject({
  ok: z.boolean(),
  now_ms: count,
  self: z.strictObject({
    version: z.string(),
    pid: count,
    ppid: count,
    argv: z.string(),
    cwd: z.string(),
    mem_kbyte: count,
    mem_percent: z.number(),
    cpu_percent: z.number(),
    srs_uptime: count,
  }),
  system: z.strictObject({
    cpu_percent: z.number(),
    disk_read_KBps: count,
    disk_write_KBps: count,
    disk_busy_percent: z.number(),
    mem_ram_kbyte: count,
    mem_ram_percent: z.number(),
    mem_swap_kbyte: count,
    mem_swap_percent: z.number(),
    cpus: count,
    cpus_online: count,
    uptime: z.number(),
    ilde_time: z.number(),
    load_1m: z.number(),
    load_5m: z.number(),
    load_15m: z.number(),
    net_sample_time: count,
    net_recv_bytes: count,
    net_send_bytes: count,
    net_recvi_bytes: count,
    net_sendi_bytes: count,
    srs_sample_time: count,
    srs_recv_bytes: count,
    srs_send_bytes: count,
    conn_sys: count,
    conn_sys_et: count,
    conn_sys_tw: count,
    conn_sys_udp: count,
    conn_srs: count,
  }),
});

const versionsSchema = z.strictObject({ major: count, minor: count, revision: count, version: z.string() });

/** By route, what it answers when all is well. */
export const SRS_ANSWERS = {
  versions: z.strictObject({ ...envelope, data: versionsSchema }),
  summaries: z.strictObject({ ...envelope, data: summariesSchema }),
  streams: z.strictObject({ ...envelope, streams: z.array(streamSchema) }),
  stream: z.strictObject({ ...envelope, stream: streamSchema }),
  clients: z.strictObject({ ...envelope, clients: z.array(clientSchema) }),
  client: z.strictObject({ ...envelope, client: clientSchema }),
  vhosts: z.strictObject({ ...envelope, vhosts: z.array(vhostSchema) }),
  vhost: z.strictObject({ ...envelope, vhost: vhostSchema }),
} as const;

export type SrsStream = z.input<typeof streamSchema>;
export type SrsClient = z.input<typeof clientSchema>;
export type SrsVhost = z.input<typeof vhostSchema>;
export type SrsSummaries = z.input<typeof summariesSchema>;
