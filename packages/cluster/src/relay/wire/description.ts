import type { StreamDescription } from '@sluice/core';
import {
  type AmfObject,
  type AudioTrackConfig,
  decodeAmf0,
  encodeAmf0,
  isAmfObject,
  MediaError,
  type Metadata,
  type TrackConfig,
  type VideoTrackConfig,
} from '@sluice/media';
import { z } from 'zod';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
const common = {
  track: z.int().min(0).max(0xffff_ffff),
  codecString: z.string().max(1000),
  profile: z.string().max(1000).optional(),
  description: bytes,
};
const trackSchema = z.discriminatedUnion('kind', [
  z.object({
    ...common,
    kind: z.literal('video'),
    codec: z.enum(['h264', 'hevc', 'av1', 'vp9', 'vp8']),
    width: z.number(),
    height: z.number(),
    level: z.string().max(1000).optional(),
    frameRate: z.number().optional(),
  }),
  z.object({
    ...common,
    kind: z.literal('audio'),
    codec: z.enum(['aac', 'mp3', 'opus']),
    sampleRate: z.number(),
    channels: z.number(),
  }),
]);
/** Tracks of any stream are a handful. */
const MOST_TRACKS = 1000;
const descriptionSchema = z.object({ tracks: z.array(trackSchema).max(MOST_TRACKS), metadata: bytes });

/** JSON, with bytes in base64 and metadata as AMF0, whose values they are. */
export function encodeDescription({ tracks, metadata }: StreamDescription): Buffer {
  return json({ tracks: tracks.map(trackFields), metadata: encodeMetadata(metadata).toString('base64') });
}

/** @throws {MediaError} `malformed` */
export function decodeDescription(data: Buffer): StreamDescription {
  const { tracks, metadata } = parsed(descriptionSchema, 'stream description', data);
  return { tracks: tracks.map(trackOf), metadata: decodeMetadata(metadata) };
}

export function encodeTrack(config: TrackConfig): Buffer {
  return json(trackFields(config));
}

/** @throws {MediaError} `malformed` */
export function decodeTrack(data: Buffer): TrackConfig {
  return trackOf(parsed(trackSchema, 'track configuration', data));
}

export function encodeMetadata(metadata: Metadata): Buffer {
  return encodeAmf0(metadata as AmfObject);
}

/** @throws {MediaError} as AMF0 does, or `malformed` */
export function decodeMetadata(data: Buffer): Metadata {
  const [metadata] = decodeAmf0(data, 1);
  if (isAmfObject(metadata)) return metadata;
  throw new MediaError('malformed', `relayed metadata is ${typeof metadata}, and not an object`);
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

const trackFields = (config: TrackConfig) => ({ ...config, description: config.description.toString('base64') });

function parsed<T extends z.ZodType>(schema: T, what: string, data: Buffer): z.output<T> {
  try {
    return schema.parse(JSON.parse(data.toString()));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new MediaError('malformed', `a relayed ${what} can't be read: ${why}`, { cause });
  }
}

/** Without the keys of what isn't known. */
function trackOf({ profile, ...config }: z.output<typeof trackSchema>): TrackConfig {
  const known = profile === undefined ? {} : { profile };
  if (config.kind === 'audio') return { ...config, ...known } satisfies AudioTrackConfig;
  const { level, frameRate, ...video } = config;
  return {
    ...video,
    ...known,
    ...(level === undefined ? {} : { level }),
    ...(frameRate === undefined ? {} : { frameRate }),
  } satisfies VideoTrackConfig;
}
