import { parseStreamPath, type Stream, type StreamElsewhere } from '@sluice/core';
import { z } from 'zod';
import { notFound } from '../http/api-error.js';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { iso, streamPath, time } from './schemas.js';

const streamSchema = z.object({
  path: streamPath,
  node: z.string().describe('The server of the cluster that its encoder publishes to.'),
  state: z.enum(['live', 'waiting', 'ended']),
  since: time,
  viewers: z.number().int().describe('On all servers of the cluster.'),
  received: z.object({ bytes: z.number().int(), frames: z.number().int() }),
  tracks: z.array(z.record(z.string(), z.unknown())),
  bFrames: z
    .boolean()
    .describe('Pictures come in another order than they are shown in: WebRTC leaves out what it can, or stutters.'),
});

type StreamTold = z.input<typeof streamSchema>;

/** A stream as one server sees it. */
interface Seen extends StreamTold {
  readonly isOrigin: boolean;
}

function ownStream(stream: Stream, { router, registry, cluster }: Control): Seen {
  const publisher = router.publisherOf(stream.path);
  const { bytes, frames } = stream.received;
  return {
    path: stream.path,
    node: cluster.node,
    // What is relayed from another server has its session there.
    isOrigin: publisher !== undefined && registry.get(publisher.id) !== undefined,
    state: stream.state,
    since: iso(stream.startedAt),
    viewers: stream.viewers,
    received: { bytes, frames },
    tracks: stream.description.tracks.map(({ description: _bytes, ...told }) => told),
    bFrames: stream.hasBFrames,
  };
}

const otherStream = ({ since, received, tracks, ...rest }: StreamElsewhere): Seen => ({
  ...rest,
  since: iso(since),
  received: { ...received },
  tracks: tracks.map((track) => ({ ...track })),
});

/** Each stream once: as the server of its encoder sees it, with the viewers of all. */
function allStreams(control: Control): StreamTold[] {
  const seen = [
    ...control.router.streams().map((stream) => ownStream(stream, control)),
    ...control.cluster.streams().map(otherStream),
  ];
  const byPath = new Map<string, Seen>();
  for (const stream of seen) {
    const known = byPath.get(stream.path);
    const shown = known === undefined || (stream.isOrigin && !known.isOrigin) ? stream : known;
    byPath.set(stream.path, { ...shown, viewers: stream.viewers + (known?.viewers ?? 0) });
  }
  return [...byPath.values()].map(({ isOrigin: _isOrigin, ...told }) => told);
}

const params = z.object({ path: streamPath }).strict();

export function streamRoutes(control: Control): Route[] {
  const { registry, cluster, audit } = control;
  const find = (text: string): StreamTold => {
    const path = parseStreamPath(text);
    const stream = allStreams(control).find((known) => known.path === path);
    if (stream === undefined) throw notFound(`stream ${text}`);
    return stream;
  };
  return [
    route({
      method: 'get',
      path: '/streams',
      tag: 'Streams',
      summary: 'All streams that are live or wait for their encoder',
      needs: 'open-read',
      answer: z.object({ streams: z.array(streamSchema) }),
      handle: () => ({ streams: allStreams(control) }),
    }),
    route({
      method: 'get',
      path: '/streams/{path}',
      tag: 'Streams',
      summary: 'One stream',
      needs: 'open-read',
      params,
      answer: streamSchema,
      handle: ({ params: { path } }) => find(path),
    }),
    route({
      method: 'delete',
      path: '/streams/{path}',
      tag: 'Streams',
      summary: 'Cut off the encoder of a stream; it may come back',
      needs: 'sessions',
      params,
      handle: ({ params, principal, ip }) => {
        const { path } = find(params.path);
        const reason = `cut off by ${principal.name}`;
        registry.cutWhere(({ session }) =>
          session.action === 'publish' && session.path === path ? reason : undefined,
        );
        cluster.cutPublishers(path, reason);
        audit.record({ actor: principal.name, ip, action: 'stream.cut', target: path, result: 'ok' });
        return undefined;
      },
    }),
  ];
}
