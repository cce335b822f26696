import { z } from 'zod';
import { PROCESS_NUMBERS, type ProcessNumber } from './process-stat.js';

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
      codec: z.enum(['H264', 'HEVC', 'AV1', 'VP9', 'VP8']),
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
  dvr: z.strictObject({ enabled: z.boolean() }),
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

/** In front of what is measured. */
const sample = { ok: z.boolean(), sample_time: count };

const usageSchema = z.strictObject({
  ...sample,
  ru_utime: count,
  ru_stime: count,
  ru_maxrss: count,
  ru_ixrss: count,
  ru_idrss: count,
  ru_isrss: count,
  ru_minflt: count,
  ru_majflt: count,
  ru_nswap: count,
  ru_inblock: count,
  ru_oublock: count,
  ru_msgsnd: count,
  ru_msgrcv: count,
  ru_nsignals: count,
  ru_nvcsw: count,
  ru_nivcsw: count,
});

const processNumbers = Object.fromEntries(PROCESS_NUMBERS.map((name) => [name, z.number().int()])) as Record<
  ProcessNumber,
  z.ZodNumber
>;

const processSchema = z.strictObject({
  ...sample,
  percent: z.number().min(0),
  pid: count,
  comm: z.string(),
  state: z.string().length(1),
  ppid: count,
  ...processNumbers,
});

const systemSchema = z.strictObject({
  ...sample,
  percent: z.number().min(0).max(1),
  user: count,
  nice: count,
  sys: count,
  idle: count,
  iowait: count,
  irq: count,
  softirq: count,
  steal: count,
  guest: count,
});

const memorySchema = z.strictObject({
  ...sample,
  percent_ram: z.number().min(0).max(1),
  percent_swap: z.number().min(0).max(1),
  MemActive: count,
  RealInUse: count,
  NotInUse: count,
  MemTotal: count,
  MemFree: count,
  Buffers: count,
  Cached: count,
  SwapTotal: count,
  SwapFree: count,
});

const featuresSchema = z.strictObject({
  options: z.string(),
  options2: z.string(),
  build: z.string(),
  build2: z.string(),
  features: z.strictObject({
    ssl: z.boolean(),
    hls: z.boolean(),
    hds: z.boolean(),
    callback: z.boolean(),
    api: z.boolean(),
    httpd: z.boolean(),
    dvr: z.boolean(),
    transcode: z.boolean(),
    ingest: z.boolean(),
    stat: z.boolean(),
    caster: z.boolean(),
    complex_send: z.boolean(),
    tcp_nodelay: z.boolean(),
    so_sendbuf: z.boolean(),
    mr: z.boolean(),
  }),
});

const authorsSchema = z.strictObject({ license: z.string(), contributors: z.string() });

const clustersSchema = z.strictObject({
  query: z.strictObject({ ip: z.string(), vhost: z.string(), app: z.string(), stream: z.string() }),
  origin: z.null(),
});

/** By route, what it answers when all is well. */
export const SRS_ANSWERS = {
  versions: z.strictObject({ ...envelope, data: versionsSchema }),
  summaries: z.strictObject({ ...envelope, data: summariesSchema }),
  rusages: z.strictObject({ ...envelope, data: usageSchema }),
  self_proc_stats: z.strictObject({ ...envelope, data: processSchema }),
  system_proc_stats: z.strictObject({ ...envelope, data: systemSchema }),
  meminfos: z.strictObject({ ...envelope, data: memorySchema }),
  authors: z.strictObject({ ...envelope, data: authorsSchema }),
  features: z.strictObject({ ...envelope, data: featuresSchema }),
  clusters: z.strictObject({ ...envelope, data: clustersSchema }),
  streams: z.strictObject({ ...envelope, streams: z.array(streamSchema) }),
  stream: z.strictObject({ ...envelope, stream: streamSchema }),
  clients: z.strictObject({ ...envelope, clients: z.array(clientSchema) }),
  client: z.strictObject({ ...envelope, client: clientSchema }),
  vhosts: z.strictObject({ ...envelope, vhosts: z.array(vhostSchema) }),
  vhost: z.strictObject({ ...envelope, vhost: vhostSchema }),
  /** A kick, a reload. */
  done: z.strictObject(envelope),
} as const;

export type SrsStream = z.input<typeof streamSchema>;
export type SrsClient = z.input<typeof clientSchema>;
export type SrsVhost = z.input<typeof vhostSchema>;
export type SrsSummaries = z.input<typeof summariesSchema>;
export type SrsVersions = z.input<typeof versionsSchema>;
export type SrsUsage = z.input<typeof usageSchema>;
export type SrsProcess = z.input<typeof processSchema>;
export type SrsSystem = z.input<typeof systemSchema>;
export type SrsMemory = z.input<typeof memorySchema>;
export type SrsFeatures = z.input<typeof featuresSchema>;
