import { HEALTH_CODES, type Session, type StreamFigures, type Traffic } from '@sluice/core';
import { millis } from '@sluice/media';
import { z } from 'zod';

/** What nodes tell each other, as JSON. What doesn't fit is left out by who reads it, and said. */

const id = z.string().min(1).max(128);
const time = z.number().transform((ms) => millis(ms));
const count = z.number().int().min(0);
/** Which run of a node says it: a node that was restarted begins anew. */
const sender = { node: id, epoch: z.string().min(1).max(64) };

export const presenceMessage = z.object({
  ...sender,
  name: z.string().min(1).max(64),
  version: z.string().max(64),
  since: time,
  state: z.enum(['serving', 'draining', 'leaving']),
  elected: z.boolean(),
  streams: count,
  publishers: count,
  sessions: count,
  cpu: z.number().min(0),
  memoryBytes: count,
  urls: z.array(z.string().max(2048)).max(100),
  /** Of what all nodes share. */
  revision: count.default(0),
  /** The number of the newest batch of sessions. */
  batch: count,
});
export type Presence = z.output<typeof presenceMessage>;

const sessionFacts = z.object({
  id,
  action: z.enum(['publish', 'play', 'record', 'admin']),
  protocol: z.string().max(20),
  path: z.string().max(255),
  ip: z.string().max(64),
  userAgent: z.string().max(16_384).optional(),
  identity: z.object({
    kind: z.string().max(20),
    viewer: z.string().max(16_384).optional(),
    credential: z.string().max(16_384).optional(),
    expiresAt: time.optional(),
    network: z.string().max(64).optional(),
  }),
  fingerprint: z.string().max(64),
  openedAt: time,
});

export const batchMessage = z.object({
  ...sender,
  /** One more than that of the batch before. */
  batch: count,
  opened: z.array(sessionFacts),
  closed: z.array(id),
});
export type Batch = z.output<typeof batchMessage>;

/** All sessions of a node, in parts; the last one has `more: false`. */
export const snapshotMessage = z.object({
  ...sender,
  /** The batch up to which it holds. */
  batch: count,
  sessions: z.array(sessionFacts),
  more: z.boolean(),
});

/** How far sessions have come: id, bytes received, bytes sent, and why it is being ended. */
export const figuresMessage = z.object({
  ...sender,
  figures: z.array(z.tuple([id, z.number(), z.number(), z.string().nullable(), z.array(z.string().max(64)).max(32)])),
});

const known = z.number().optional();

const streamFigures = z
  .object({
    bitrate: z.number(),
    fps: known,
    usualFps: known,
    keyframeInterval: known,
    sinceKeyframe: known,
    avDrift: known,
    silentSeconds: z.number(),
    picturelessSeconds: z.number(),
    reconnects: z.number(),
  })
  .transform(({ fps, usualFps, keyframeInterval, sinceKeyframe, avDrift, ...rest }): StreamFigures => {
    return { ...rest, fps, usualFps, keyframeInterval, sinceKeyframe, avDrift };
  });

const streamHealth = z.object({
  state: z.enum(['good', 'warning', 'bad']),
  reasons: z
    .array(
      z
        .object({
          code: z.enum(HEALTH_CODES),
          severity: z.enum(['warning', 'bad']),
          value: known,
          message: z.string().max(1024),
        })
        .transform(({ value, ...reason }) => ({ ...reason, value })),
    )
    .max(HEALTH_CODES.length)
    .readonly(),
});

export const streamsMessage = z.object({
  ...sender,
  /** The same for all parts of one round; a part with another one begins anew. */
  round: count,
  more: z.boolean(),
  streams: z.array(
    z.object({
      path: z.string().max(255),
      isOrigin: z.boolean(),
      state: z.enum(['live', 'waiting', 'ended']),
      since: time,
      viewers: count,
      received: z.object({ bytes: z.number(), frames: z.number() }),
      tracks: z.array(z.record(z.string(), z.unknown())).max(64),
      bFrames: z.boolean(),
      figures: streamFigures,
      health: streamHealth,
    }),
  ),
});
export type StreamFacts = z.output<typeof streamsMessage>['streams'][number];

export const orderMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cut-session'), id, reason: z.string().max(1024) }),
  z.object({ kind: z.literal('cut-publishers'), path: z.string().max(255), reason: z.string().max(1024) }),
]);
export type Order = z.output<typeof orderMessage>;

export const orderAnswer = z.object({ found: z.boolean() });

export type SessionFacts = z.output<typeof sessionFacts>;

/** What other nodes get to know of a session: not its query, which may hold credentials. */
export function factsOf({ id, action, protocol, path, ip, userAgent, identity, ...rest }: Session): SessionFacts {
  const { fingerprint, openedAt } = rest;
  return { id, action, protocol, path, ip, userAgent, identity, fingerprint, openedAt };
}

/** The session that facts tell of. */
export function sessionOf(facts: SessionFacts): Session {
  // Another version of Sluice may know other protocols: they are shown as they are called.
  return { ...facts, client: {}, query: '' } as unknown as Session;
}

export const NO_TRAFFIC: Traffic = { received: 0, sent: 0 };
