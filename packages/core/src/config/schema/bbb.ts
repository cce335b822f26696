import { z } from 'zod';
import { count, file, httpUrl, iceUrl, list, origins, START, seconds } from './fields.js';

const profile = z.strictObject({
  width: z.number().int().min(320).max(1920).default(1280).describe('Width of the picture.'),
  height: z.number().int().min(240).max(1080).default(720).describe('Height of the picture.'),
  fps: z.number().int().min(5).max(30).default(30).describe('Pictures a second, at most.'),
  videoKbps: count(2500, 20_000).describe('Bit rate of the picture, in kbit/s.'),
  audioKbps: z.number().int().min(32).max(320).default(128).describe('Bit rate of the sound (AAC), in kbit/s.'),
  method: z
    .enum(['auto', 'tab', 'display'])
    .default('auto')
    .describe(
      'How it is captured: `tab` inside the browser, `display` from a virtual display (Xvfb, PulseAudio, ffmpeg); `auto` is `tab` up to 1280x720 and `display` above where its programs are installed, and the other one where it can not begin.',
    ),
  hideChat: z
    .boolean()
    .default(true)
    .describe('Whether chat, user list, bars and notifications are kept out of the picture.'),
  chatMessage: z
    .string()
    .max(500)
    .default('')
    .describe('What the attendee writes into the public chat when it is live. Empty: nothing.'),
  locale: z.string().min(2).max(35).default('en').describe("Language of the meeting's client."),
  waitSeconds: seconds(3600, 604_800).describe('How long a capture waits for its meeting to begin.'),
  maxSeconds: seconds(43_200, 604_800).describe('A capture ends after so long, whatever happens. 0: never.'),
  memoryMib: z
    .number()
    .int()
    .min(256)
    .max(65_536)
    .default(4096)
    .describe('Most memory of the browser and its helpers; beyond it, it is started anew.'),
  cpus: z
    .number()
    .min(0)
    .max(64)
    .default(0)
    .describe(
      'Most processors that the browser and its helpers may take for a minute on end; beyond it, it is started anew. 0: no limit.',
    ),
});

/** Capture of BigBlueButton meetings. */
export const bbb = z.strictObject({
  url: httpUrl()
    .optional()
    .describe('Address of the BigBlueButton API, as in https://bbb.example.org/bigbluebutton/api.'),
  secretFile: file().describe(
    "File with the API's secret, readable by this user alone. Without it, captures need a link to join, or the meeting's password and a server that takes unsigned requests.",
  ),
  checksum: z
    .enum(['auto', 'sha1', 'sha256', 'sha384', 'sha512'])
    .default('auto')
    .describe('How requests are signed; `auto` tries what the server takes.'),
  targets: origins('RTMP origins, as in rtmps://live.example.org:443', 'rtmp', 'rtmps').describe(
    'Where meetings may be published to beside this server: scheme, host and port, exactly.',
  ),
  joinOrigins: origins('origins, as in https://rooms.example.org', 'http', 'https').describe(
    'Where ready links into meetings may lead to beside bbb.url: scheme, host and port, exactly. Of links by the control API; who runs `sluice bbb start` may use any.',
  ),
  iceServers: list(iceUrl('stun', 'turn', 'turns'), 'URLs (stun, turn, turns)').describe(
    'STUN and TURN servers that BigBlueButton tells its clients of: `sluice bbb check` tries them, and `sluice bbb firewall` lets them be reached.',
  ),
  turnSecretFile: file().describe(
    "File with the secret of BigBlueButton's TURN servers (static-auth-secret), readable by this user alone. Used by `sluice bbb check`.",
  ),
  browser: file().meta(START).describe('Chromium; by default the one that is installed.'),
  maxCaptures: z.number().int().min(0).max(100).default(2).describe('Most meetings captured at a time.'),
  profiles: z
    .record(z.string().regex(/^[a-z0-9-]{1,32}$/), profile)
    .default({})
    .describe('How meetings are captured, by name; `default` is used where none is named.'),
});

/** How a meeting is captured. */
export type CaptureProfile = z.output<typeof profile>;

/** How a meeting is captured where nothing else is said. */
export const defaultCaptureProfile: CaptureProfile = profile.parse({});
