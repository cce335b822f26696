import { z } from 'zod';
import { SKINS } from '../skin.js';

/** How a meeting is made. */
export const meetingOptions = z.strictObject({
  meetingID: z.string().min(2).max(256),
  name: z.string().min(2).max(512).default('Room 1'),
  attendeePW: z.string().default('ap'),
  moderatorPW: z.string().default('mp'),
  /** Who has to wait in the lobby, or isn't let in: everybody who isn't a moderator. */
  guestPolicy: z.enum(['ALWAYS_ACCEPT', 'ASK_MODERATOR', 'ALWAYS_DENY']).default('ALWAYS_ACCEPT'),
  /** 0: any number. */
  maxParticipants: z.number().int().min(0).default(0),
  record: z.boolean().default(false),
  /** Whether a teacher is in it from the start. A meeting in which nobody is doesn't run. */
  hasTeacher: z.boolean().default(true),
  /** What the client looks like; as the server's generation by default. */
  skin: z.enum(SKINS).optional(),
  /** The server's language, for links that ask for none. */
  locale: z.enum(['en', 'de']).default('en'),
  audioDialog: z.enum(['auto', 'asks', 'denied']).default('auto'),
  mountDelayMs: z.number().int().min(0).default(150),
  overlayMs: z.number().int().min(0).default(0),
  logoutURL: z.string().default('/'),
  meta: z.record(z.string(), z.string()).default({}),
});
export type MeetingOptions = z.input<typeof meetingOptions>;
export type MeetingSettings = z.output<typeof meetingOptions>;
