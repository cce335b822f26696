import { z } from 'zod';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { iso, time } from './schemas.js';

const figures = {
  sessions: z.number().int(),
  cpu: z.number().describe('Cores that it keeps busy.'),
  memoryBytes: z.number().int(),
};

const nodeSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(['origin', 'edge']).describe('origin: encoders publish to it; edge: it only has viewers.'),
  state: z.enum(['serving', 'draining', 'lost']).describe('lost: it has not been heard of for cluster.leaseSeconds.'),
  elected: z.boolean().describe('Whether it does what one node does for all.'),
  version: z.string(),
  streams: z.number().int(),
  ...figures,
  since: time,
  revision: z
    .number()
    .int()
    .describe('Of the bans, users, keys and settings that all share: the same on all nodes that agree.'),
  urls: z.array(z.string()).describe('Where viewers and publishers reach it: cluster.advertise.'),
});

const workerSchema = z.object({
  id: z.number().int(),
  pid: z.number().int().nullable(),
  state: z.string(),
  ...figures,
  restarts: z.number().int(),
});

export function clusterRoutes({ cluster, workers }: Control): Route[] {
  return [
    route({
      method: 'get',
      path: '/cluster',
      tag: 'Server',
      summary: 'The servers that serve together, this one first, and the worker processes of this one',
      needs: 'open-read',
      answer: z.object({
        node: z.string().describe('The name of this server.'),
        state: z
          .enum(['none', 'alone', 'connected'])
          .describe('none: no cluster is configured; alone: NATS can’t be reached, and the node goes on by itself.'),
        nodes: z.array(nodeSchema),
        workers: z.array(workerSchema),
      }),
      handle: () => ({
        node: cluster.node,
        state: cluster.state,
        nodes: cluster.nodes().map(({ since, urls, ...rest }) => ({ ...rest, since: iso(since), urls: [...urls] })),
        workers: (workers?.() ?? []).map(({ pid, ...rest }) => ({ ...rest, pid: pid ?? null })),
      }),
    }),
  ];
}
