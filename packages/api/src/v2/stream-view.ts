import {
  HEALTH_CODES,
  type SessionsInSight,
  type Stream,
  type StreamElsewhere,
  type StreamFigures,
  type StreamHealth,
  type StreamPath,
  streamHealth,
  wholeSight,
} from '@sluice/core';
import type { TrackConfig } from '@sluice/media';
import { z } from 'zod';
import type { Control } from './control.js';
import { iso, streamPath, time } from './schemas.js';

const figuresSchema = z.object({
  bitrate: z.number().describe('Bit/s that came in over the last 5 s.'),
  fps: z.number().nullable().describe('Pictures a second over the last 5 s.'),
  keyframeInterval: z.number().nullable().describe('Seconds between the last two keyframes.'),
  sinceKeyframe: z.number().nullable().describe('Seconds since the last keyframe.'),
  avDrift: z
    .number()
    .nullable()
    .describe('How far sound and picture have moved apart since the encoder began, ms; positive: sound is ahead.'),
});

const healthSchema = z.object({
  state: z.enum(['good', 'warning', 'bad']),
  reasons: z.array(
    z.object({
      code: z.enum(HEALTH_CODES),
      severity: z.enum(['warning', 'bad']),
      value: z.number().nullable().describe('The figure that it is about.'),
      message: z.string(),
    }),
  ),
});

export const streamSchema = z.object({
  path: streamPath,
  node: z.string().describe('The server of the cluster that its encoder publishes to.'),
  state: z.enum(['live', 'waiting', 'ended']),
  since: time,
  viewers: z.number().int().describe('On all servers of the cluster.'),
  viewersByProtocol: z.record(z.string(), z.number().int()).describe('Sessions that watch, of each protocol.'),
  received: z.object({ bytes: z.number().int(), frames: z.number().int() }),
  tracks: z.array(z.record(z.string(), z.unknown())),
  bFrames: z
    .boolean()
    .describe('Pictures come in another order than they are shown in: WebRTC leaves out what it can, or stutters.'),
  figures: figuresSchema,
  health: healthSchema,
});

/** A stream, as the API tells it. */
export type StreamView = z.input<typeof streamSchema>;

/** How many watch by each protocol. */
export type ByProtocol = Readonly<Record<string, number>>;

const NOBODY: ByProtocol = {};

/** What isn't somebody who watches a stream live. */
const NO_VIEWERS: ReadonlySet<string> = new Set(['snapshot', 'recording', 'transcode']);

/** How many watch each stream, by protocol: one look at all sessions. */
export function viewersByProtocol(registry: Pick<SessionsInSight, 'list'>): ReadonlyMap<StreamPath, ByProtocol> {
  const counts = new Map<StreamPath, Record<string, number>>();
  for (const { session } of registry.list()) {
    const { action, protocol, path } = session;
    if (action !== 'play' || NO_VIEWERS.has(protocol)) continue;
    let count = counts.get(path);
    if (count === undefined) {
      count = {};
      counts.set(path, count);
    }
    count[protocol] = (count[protocol] ?? 0) + 1;
  }
  return counts;
}

/** What streams are told of. */
export type StreamSources = Pick<Control, 'router' | 'registry' | 'cluster'>;

/** A stream as one server sees it. */
interface Seen {
  readonly view: StreamView;
  /** Whether its encoder publishes to that server. */
  readonly isOrigin: boolean;
}

/** Each stream of the cluster once: as the server of its encoder sees it, with the viewers of all. */
export function streamViews(
  { router, registry, cluster }: StreamSources,
  watching: ReadonlyMap<string, ByProtocol> = viewersByProtocol(wholeSight(registry, () => cluster)),
): StreamView[] {
  const byPath = new Map<string, Seen>();
  const note = (seen: Seen): void => {
    const known = byPath.get(seen.view.path);
    const { view, isOrigin } = known === undefined || (seen.isOrigin && !known.isOrigin) ? seen : known;
    const viewers = seen.view.viewers + (known?.view.viewers ?? 0);
    byPath.set(view.path, { view: known === undefined ? view : { ...view, viewers }, isOrigin });
  };
  for (const stream of router.streams()) {
    const publisher = router.publisherOf(stream.path);
    // What is relayed from another server has its session there.
    const isOrigin = publisher !== undefined && registry.get(publisher.id) !== undefined;
    note({ view: ownView(stream, cluster.node, watching.get(stream.path)), isOrigin });
  }
  for (const stream of cluster.streams()) {
    note({ view: viewElsewhere(stream, watching.get(stream.path)), isOrigin: stream.isOrigin });
  }
  return [...byPath.values()].map(({ view }) => view);
}

function viewElsewhere(stream: StreamElsewhere, watching: ByProtocol = NOBODY): StreamView {
  const { isOrigin: _isOrigin, since, received, tracks, figures, health, ...rest } = stream;
  return {
    ...rest,
    since: iso(since),
    viewersByProtocol: watching,
    received: { ...received },
    tracks: tracks.map((track) => ({ ...track })),
    figures: figuresOf(figures),
    health: healthOf(health),
  };
}

function ownView(stream: Stream, node: string, watching: ByProtocol = NOBODY): StreamView {
  const { path, state, viewers, received, description, hasBFrames, figures } = stream;
  const health = streamHealth({
    ...{ state, hasBFrames, figures },
    tracks: description.tracks,
    webRtcViewers: watching.webrtc ?? 0,
  });
  return {
    path,
    node,
    state,
    since: iso(stream.startedAt),
    viewers,
    viewersByProtocol: watching,
    received: { bytes: received.bytes, frames: received.frames },
    tracks: tracksOf(description.tracks),
    bFrames: hasBFrames,
    figures: figuresOf(figures),
    health: healthOf(health),
  };
}

/** Tracks change seldom: the same are told by the same object. */
const told = new WeakMap<readonly TrackConfig[], StreamView['tracks']>();

function tracksOf(tracks: readonly TrackConfig[]): StreamView['tracks'] {
  let known = told.get(tracks);
  if (known === undefined) {
    known = tracks.map(({ description: _bytes, ...rest }) => rest);
    told.set(tracks, known);
  }
  return known;
}

function figuresOf({ bitrate, fps, keyframeInterval, sinceKeyframe, avDrift }: StreamFigures): StreamView['figures'] {
  return {
    bitrate,
    fps: fps ?? null,
    keyframeInterval: keyframeInterval === undefined ? null : thousandths(keyframeInterval),
    sinceKeyframe: sinceKeyframe === undefined ? null : thousandths(sinceKeyframe),
    avDrift: avDrift ?? null,
  };
}

function healthOf({ state, reasons }: StreamHealth): StreamView['health'] {
  return { state, reasons: reasons.map(({ value, ...rest }) => ({ ...rest, value: value ?? null })) };
}

const thousandths = (value: number): number => Math.round(value * 1000) / 1000;
