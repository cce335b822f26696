import { z } from 'zod';
import { RECORDING_CONTAINERS } from '../../recording/recorded-file.js';
import { bytes, count, file, httpUrl, SECRET, START, seconds } from './fields.js';

const DAY_SECONDS = 86_400;
const FOREVER_SECONDS = 100 * 366 * DAY_SECONDS;

/** Of a path. */
export const recordingPath = {
  enabled: z.boolean().default(false).describe('Whether streams are recorded, from their first frame to their last.'),
  container: z
    .enum(RECORDING_CONTAINERS)
    .default('mp4')
    .describe(
      'What files are: `mp4` carries every codec, can be clipped and played back by time; `flv` and `ts` can be fetched.',
    ),
  name: z
    .string()
    .default('{app}/{name}/{yyyy}-{MM}-{dd}/{HH}-{mm}-{ss}.{ext}')
    .describe(
      'Where files go in `recording.dir`: names with `{app}`, `{name}`, `{yyyy}`, `{MM}`, `{dd}`, `{HH}`, `{mm}`, `{ss}`, `{SSS}` (UTC, of the first frame), `{unix}`, `{id}` and `{ext}`. A name that is taken gets a number.',
    ),
  segmentSeconds: z
    .number()
    .min(1)
    .max(DAY_SECONDS)
    .default(3600)
    .describe('A new file begins with the first keyframe after so long.'),
  segmentBytes: bytes().describe('A new file begins with the first keyframe after so many bytes. 0: however many.'),
  flushSeconds: z
    .number()
    .min(0.5)
    .max(60)
    .default(2)
    .describe('At most so much is lost when the machine fails: it is on the disk after so long, and playable.'),
  keepSeconds: seconds(0, FOREVER_SECONDS).describe(
    'Files are removed when they are so old, from the object store too. 0: never.',
  ),
  keepBytes: bytes().describe(
    'The oldest files of a path are removed when it has more bytes than this on the disk; copies in the object store stay. 0: never.',
  ),
};

const s3 = z.strictObject({
  bucket: z
    .string()
    .min(3)
    .optional()
    .describe('Bucket of an S3-compatible object store that finished files are copied to. Without one, none are.'),
  endpoint: httpUrl().optional().describe('Address of the object store; by default that of AWS for the region.'),
  region: z.string().min(1).default('us-east-1').describe('Region of the bucket.'),
  prefix: z.string().max(512).default('').describe("What keys begin with, before the file's place in `recording.dir`."),
  pathStyle: z.boolean().default(true).describe('Whether the bucket is named in the path, rather than in the host.'),
  accessKeyId: z.string().min(1).optional().describe('Id of the access key; by default as the AWS tools find one.'),
  secretAccessKey: z.string().min(1).optional().meta(SECRET).describe('The access key.'),
  deleteLocalAfterSeconds: z
    .number()
    .min(0)
    .max(FOREVER_SECONDS)
    .optional()
    .describe('Local files are removed so long after the object store has them. Without it, they stay.'),
  playback: z
    .enum(['redirect', 'proxy'])
    .default('redirect')
    .describe(
      'How files are played that only the object store has: by a URL that holds for a while, or through this server.',
    ),
});

/** Of all paths together. */
export const recordingServer = {
  dir: file().meta(START).describe('Directory for recordings; by default `recordings` in the data directory.'),
  keepFreeBytes: bytes().describe(
    'The oldest files of all paths are removed when less than this is free on the disk; copies in the object store stay. 0: never.',
  ),
  maxWaitingBytes: count(256 * 1024 * 1024, 2 ** 40).describe(
    'Most bytes in memory that wait for a slow disk, of all recordings together. Beyond it, recordings pause.',
  ),
  s3: s3.prefault({}),
};
