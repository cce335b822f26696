import { z } from 'zod';

/** The last part of a rendition's path: letters, digits, `.`, `_` and `-`, no dot in front. */
const RENDITION_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,31}$/;
/** Names of encoders and presets go into ffmpeg's arguments as they are. */
const WORD = /^[A-Za-z0-9_-]{1,40}$/;
const word = () => z.string().regex(WORD, { error: 'letters, digits, _ and - are allowed' });

const watermark = z.strictObject({
  file: z.string().min(1).describe('A PNG picture; its transparency is kept.'),
  position: z.enum(['top-left', 'top-right', 'bottom-left', 'bottom-right']).default('top-right'),
});

/** One version of a stream that the server makes itself. */
const rendition = z
  .strictObject({
    codec: z.enum(['h264', 'hevc', 'none']).default('h264'),
    encoder: word().optional(),
    preset: word().optional(),
    height: z.number().int().min(16).max(4320).optional(),
    videoBitrate: z.number().int().min(16).max(200_000).optional(),
    frameRate: z.number().min(1).max(240).optional(),
    audio: z.enum(['aac', 'opus', 'copy', 'none']).default('aac'),
    audioBitrate: z.number().int().min(8).max(1000).default(128),
    deinterlace: z.boolean().default(false),
    watermark: watermark.optional(),
  })
  .superRefine((own, context) => {
    const fault = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], input: own[key as keyof typeof own], message });
    if (own.codec === 'none' && own.audio === 'none') fault('audio', 'a rendition without picture and without sound');
    if (own.codec === 'none') return;
    if (own.height === undefined) fault('height', 'needed for a picture, as in 720; `codec: none` leaves it out');
    if (own.videoBitrate === undefined) fault('videoBitrate', 'needed for a picture, in kbit/s, as in 2500');
  });

/** What of transcoding can differ from path to path. */
export const transcodePath = {
  mode: z
    .enum(['on-demand', 'always'])
    .default('on-demand')
    .describe(
      'Whether renditions are made from their first viewer on, until 30 s after the last one, or as long as the stream is live.',
    ),
  renditions: z
    .record(
      z.string().regex(RENDITION_NAME, { error: 'a name has letters, digits, ".", "_" and "-", 32 at most' }),
      rendition,
    )
    .default({})
    .describe(
      'Versions of a stream that ffmpeg makes, by name: `720p: { height: 720, videoBitrate: 2500 }` is published as `live/show/720p`, and listed by HLS and DASH for `live/show` (DASH: those with a picture). What there is beside these two: `codec` (h264, hevc, none), `encoder`, `preset`, `frameRate`, `audio` (aac, opus, copy, none), `audioBitrate`, `deinterlace`, `watermark` (`file`, `position`). Bitrates are in kbit/s.',
    ),
};

/** What of transcoding holds for the whole server. */
export const transcodeServer = {
  cpuBudget: z
    .number()
    .min(0.1)
    .max(1024)
    .optional()
    .describe(
      'Cores that renditions may take in all; one that does not fit is refused. By default all cores of the machine but one, and half a core at least.',
    ),
  nice: z.number().int().min(0).max(19).default(5).describe('How far ffmpeg stands back when cores are scarce.'),
  memoryMb: z
    .number()
    .int()
    .min(128)
    .max(262_144)
    .default(2048)
    .describe('Most memory that one ffmpeg may take, in MiB. One that needs more ends, and is begun again.'),
  snapshotSeconds: z
    .number()
    .min(1)
    .max(3600)
    .default(5)
    .describe('How often the poster of a stream is made anew, at most.'),
};

/** One version of a stream, as it is configured. */
export type RenditionSettings = z.output<typeof rendition>;
export type TranscodePathSettings = {
  readonly mode: 'on-demand' | 'always';
  readonly renditions: Readonly<Record<string, RenditionSettings>>;
};
