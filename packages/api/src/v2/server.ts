import type { AuditEntry } from '@sluice/core';
import { millis } from '@sluice/media';
import { z } from 'zod';
import { type Route, route } from '../http/route.js';
import { SystemReader } from '../srs/system-figures.js';
import type { Control, MediaPorts } from './control.js';
import { iso, limit, numberInQuery, time, timeInQuery } from './schemas.js';

const auditSchema = z.object({
  id: z.number().int(),
  at: time,
  actor: z.string(),
  ip: z.string().nullable(),
  action: z.string(),
  target: z.string(),
  result: z.enum(['ok', 'refused', 'failed']),
  detail: z.string().nullable(),
});

const auditOf = ({ at, ip, detail, ...rest }: AuditEntry & { readonly id: number }): z.input<typeof auditSchema> => ({
  ...rest,
  at: iso(at),
  ip: ip ?? null,
  detail: detail ?? null,
});

const loadSchema = z.object({
  cores: z.number().int(),
  averages: z.array(z.number()).describe('Of the machine, over 1, 5 and 15 minutes.'),
  machineCpu: z.number().describe('Share of all cores that is busy, 0 to 1.'),
  processCpu: z.number().describe('Cores that this process takes.'),
  processMemoryBytes: z.number().int(),
  machineMemoryBytes: z.object({ total: z.number().int(), free: z.number().int() }),
});

const diskSchema = z.object({
  use: z.string().describe('What it is for: `data`, `recordings`.'),
  path: z.string().nullable().describe('Null for who shows no credential.'),
  totalBytes: z.number().int().nullable().describe('Null where the disk does not say.'),
  freeBytes: z.number().int().nullable(),
});

const KIB = 1024;

function loadOf(reader: SystemReader): z.input<typeof loadSchema> {
  const { cores, load, systemCpu, processCpu, memory } = reader.read();
  const free = memory.free + memory.buffers + memory.cached;
  return {
    cores,
    averages: [...load],
    machineCpu: systemCpu,
    processCpu,
    processMemoryBytes: process.memoryUsage.rss(),
    machineMemoryBytes: { total: memory.total * KIB, free: free * KIB },
  };
}

const port = z.number().int().nullable();
const portsSchema = z.object({
  ...{ rtmp: z.number().int(), rtmps: port, http: z.number().int(), https: port },
  ...{ srt: port, webrtc: port },
});

function portsOf(ports: MediaPorts | undefined): z.input<typeof portsSchema> | null {
  if (ports === undefined) return null;
  const { rtmp, rtmps, http, https, srt, webrtc } = ports;
  return { rtmp, rtmps: rtmps ?? null, http, https: https ?? null, srt: srt ?? null, webrtc: webrtc ?? null };
}

export function serverRoutes(control: Control): Route[] {
  const { version, startedAt, clock, router, registry, auditLog, health, disks, mediaPorts } = control;
  const reader = new SystemReader(clock);
  return [
    route({
      method: 'get',
      path: '/server',
      tag: 'Server',
      summary: 'What runs here, since when, and how it is',
      needs: 'open-read',
      answer: z.object({
        version: z.string(),
        startedAt: time,
        uptimeSeconds: z.number().int(),
        streams: z.number().int(),
        sessions: z.number().int(),
        problems: z.array(z.string()).describe('What keeps it from serving; empty while all is well.'),
        node: z.string().describe('Version of Node.js.'),
        platform: z.string(),
        pid: z.number().int(),
        load: loadSchema,
        disks: z.array(diskSchema),
        ports: portsSchema.nullable().describe('Where media is to be had; null while it is not yet.'),
      }),
      handle: async ({ principal }) => ({
        version,
        startedAt: iso(startedAt),
        uptimeSeconds: Math.floor((clock.wall() - startedAt) / 1000),
        streams: router.streams().length,
        sessions: registry.size,
        problems: [...health.problems()],
        node: process.versions.node,
        platform: `${process.platform} ${process.arch}`,
        pid: process.pid,
        load: loadOf(reader),
        disks: (await disks.spaces()).map(({ use, path, total, free }) => ({
          use,
          path: principal.scopes.has('read') ? path : null,
          totalBytes: total ?? null,
          freeBytes: free ?? null,
        })),
        ports: portsOf(mediaPorts()),
      }),
    }),
    route({
      method: 'get',
      path: '/audit',
      tag: 'Server',
      summary: 'Who did what, newest first',
      needs: 'admin',
      query: z
        .object({
          from: timeInQuery.optional(),
          to: timeInQuery.optional(),
          actor: z.string().max(200).optional(),
          action: z.string().max(100).optional().describe('`user.create`, or all of an area: `user.`'),
          target: z.string().max(255).optional(),
          ip: z.string().max(64).optional(),
          result: z.enum(['ok', 'refused', 'failed']).optional(),
          before: numberInQuery(1, Number.MAX_SAFE_INTEGER)
            .optional()
            .describe('The id of the last entry of the page before.'),
          limit,
        })
        .strict(),
      answer: z.object({ entries: z.array(auditSchema) }),
      handle: async ({ query: { from, to, ...rest } }) => {
        const at = (ms: number | undefined) => (ms === undefined ? undefined : millis(ms));
        return { entries: (await auditLog.query({ ...rest, from: at(from), to: at(to) })).map(auditOf) };
      },
    }),
  ];
}
