import { parseStreamPath, type RenditionInfo, type Session, type StreamPath } from '@sluice/core';
import { type Millis, millis } from '@sluice/media';
import { z } from 'zod';

/** How a stream stands where it comes in. */
export type RegisteredState =
  /** Its encoder publishes. */
  | 'live'
  /** Its encoder is gone, and its viewers wait for it: another one may come, at any node. */
  | 'waiting';

/** A stream, as the cluster knows it. */
export interface RegisteredStream {
  readonly path: StreamPath;
  /** Where it comes in. */
  readonly node: string;
  /** Tells this stream from others of the same path, before and after it. */
  readonly epoch: string;
  readonly state: RegisteredState;
  /** The publisher's, without what is nobody's business. */
  readonly session: Session;
  readonly startedAt: Millis;
  /** That can be had of it there. */
  readonly renditions: readonly RenditionInfo[];
}

const time = z.number().transform(millis);
const size = z.number().optional();
const rendition = z.object({
  name: z.string().max(200),
  path: z.string().transform(parseStreamPath),
  width: size,
  height: size,
  bandwidth: z.number(),
  codecs: z.string().max(1000).optional(),
  video: z.object({ codec: z.string().max(1000), bandwidth: z.number() }).optional(),
  state: z.enum(['idle', 'starting', 'live', 'refused', 'failed']),
  reason: z.string().max(10_000).optional(),
});
const schema = z.object({
  node: z.string().min(1).max(64),
  epoch: z.string().min(1).max(64),
  state: z.enum(['live', 'waiting']),
  startedAt: time,
  renditions: z.array(rendition).max(100),
  session: z.object({
    id: z.string().max(200),
    protocol: z.enum([
      'rtmp',
      'rtmps',
      'http-flv',
      'ws-flv',
      'hls',
      'dash',
      'srt',
      'webrtc',
      'file',
      'api',
      'transcode',
      'snapshot',
      'recording',
    ]),
    ip: z.string().max(200),
    userAgent: z.string().optional(),
    kind: z.enum([
      'anonymous',
      'configuration',
      'stream-key',
      'jwt',
      'signed-url',
      'wms-auth',
      'password',
      'http-auth',
    ]),
    viewer: z.string().optional(),
    openedAt: time,
  }),
});

export function encodeEntry({ node, epoch, state, startedAt, session, renditions }: RegisteredStream): string {
  const { id, protocol, ip, userAgent, identity, openedAt } = session;
  const { kind, viewer } = identity;
  const facts = { id, protocol, ip, userAgent, kind, viewer, openedAt };
  return JSON.stringify({ node, epoch, state, startedAt, renditions, session: facts });
}

/** @throws {Refusal | SyntaxError | z.ZodError} for what no node has written */
export function decodeEntry(name: string, value: string): RegisteredStream {
  const path = parseStreamPath(name);
  const { session, renditions, ...entry } = schema.parse(JSON.parse(value));
  const { id, protocol, ip, userAgent, kind, viewer, openedAt } = session;
  return {
    ...entry,
    path,
    renditions: renditions.map(({ width, height, codecs, video, reason, ...known }) => ({
      ...known,
      ...{ width, height, codecs, video, reason },
    })),
    session: {
      ...{ id, protocol, ip, userAgent, path, openedAt },
      ...{ action: 'publish', identity: { kind, viewer }, client: {}, query: '', fingerprint: id, node: entry.node },
    },
  };
}
