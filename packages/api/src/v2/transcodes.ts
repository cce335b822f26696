import type { RenditionInfo, TranscoderStatus } from '@sluice/core';
import { z } from 'zod';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { streamPath } from './schemas.js';

const renditionSchema = z.object({
  name: z.string(),
  path: streamPath,
  state: z.enum(['idle', 'starting', 'live', 'refused', 'failed']),
  reason: z.string().nullable().describe('Why it is not made, where it is refused or has failed.'),
  width: z.number().int().nullable(),
  height: z.number().int().nullable(),
  bandwidth: z.number().int().describe('The most that it takes, in bit/s.'),
  codecs: z.string().nullable().describe('RFC 6381; null before it is live.'),
});

const jobSchema = z.object({
  path: streamPath.describe('The stream that the renditions are made of.'),
  mode: z.enum(['on-demand', 'always']),
  state: z
    .enum(['idle', 'waiting', 'running'])
    .describe('`idle`: nobody watches; `waiting`: for a keyframe, for room in the CPU budget, or for the next try.'),
  pid: z.number().int().nullable().describe("ffmpeg's process."),
  cpuReserved: z.number().describe('Cores.'),
  cpu: z.number().nullable().describe('Cores that it takes.'),
  speed: z.number().nullable().describe('1 is real time.'),
  fps: z.number().nullable(),
  behindSeconds: z.number().nullable().describe('How far its output is behind its input.'),
  dropped: z.number().int().describe('Samples that were left out because ffmpeg was behind.'),
  restarts: z.number().int().describe('How often ffmpeg ended by itself.'),
  errors: z.number().int().describe('Errors in its log.'),
  renditions: z.array(renditionSchema),
});

function renditionOf(info: RenditionInfo): z.input<typeof renditionSchema> {
  const { name, path, state, reason, width, height, bandwidth, codecs } = info;
  return {
    ...{ name, path, state, bandwidth },
    reason: reason ?? null,
    width: width ?? null,
    height: height ?? null,
    codecs: codecs ?? null,
  };
}

function jobOf(ladder: TranscoderStatus['ladders'][number]): z.input<typeof jobSchema> {
  const { path, mode, state, pid, reserved, cpu, speed, fps, behind, dropped, restarts, errors, renditions } = ladder;
  return {
    ...{ path, mode, state, dropped, restarts, errors },
    pid: pid ?? null,
    cpuReserved: reserved,
    cpu: cpu ?? null,
    speed: speed ?? null,
    fps: fps ?? null,
    behindSeconds: behind ?? null,
    renditions: renditions.map(renditionOf),
  };
}

export function transcodeRoutes({ transcoder }: Control): Route[] {
  return [
    route({
      method: 'get',
      path: '/transcodes',
      tag: 'Streams',
      summary: 'Renditions that ffmpeg makes of streams, what they take, and which ones are refused',
      needs: 'open-read',
      answer: z.object({
        ffmpeg: z.string().nullable().describe('Its file; null where there is none.'),
        cpuBudget: z.number().describe('Cores that renditions may take in all.'),
        cpuReserved: z.number().describe('Cores that are taken of it.'),
        jobs: z.array(jobSchema),
      }),
      handle: () => {
        const { ffmpeg, cpuBudget, cpuReserved, ladders } = transcoder.status;
        return { ffmpeg: ffmpeg ?? null, cpuBudget, cpuReserved, jobs: ladders.map(jobOf) };
      },
    }),
  ];
}
