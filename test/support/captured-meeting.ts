import {
  CaptureBrowser,
  findChromium,
  listenerUserdata,
  type MeetingSession,
  openMeeting,
  SecretUrl,
  type SessionEvent,
} from '@sluice/bbb-capture';
import { type CaptureProfile, findFfmpeg, silentLogger } from '@sluice/core';
import type { Micros } from '@sluice/media';
import type { BbbStub } from '../bbb-stub/src/index.js';

/** A small picture: where it doesn't matter, a test shall not take a whole core. */
export const SMALL_PROFILE: CaptureProfile = {
  width: 640,
  height: 360,
  fps: 15,
  videoKbps: 500,
  audioKbps: 64,
  method: 'tab',
  hideChat: true,
  chatMessage: '',
  locale: 'en',
  waitSeconds: 10,
  maxSeconds: 0,
  memoryMib: 4096,
  cpus: 0,
};

type Ended = Extract<SessionEvent, { type: 'ended' }>;

/** A meeting of the stub that is being captured, with what was told of it. */
export interface CapturedMeeting {
  readonly session: MeetingSession;
  readonly events: readonly SessionEvent[];
  readonly types: () => string[];
  readonly ended: () => Ended | undefined;
  close(): Promise<void>;
}

/** The link by which a capture joins; `role` and password as the API would set them. */
export function listenerLink(stub: BbbStub, meetingID: string, more: Readonly<Record<string, string>> = {}): SecretUrl {
  const userdata = Object.entries(listenerUserdata({ locale: 'en', hides: true })).map(([name, value]) => [
    `userdata-${name}`,
    String(value),
  ]);
  const parameters = { role: 'VIEWER', password: 'ap', ...Object.fromEntries(userdata), ...more };
  return new SecretUrl(stub.joinUrl({ meetingID, fullName: 'Stream', ...parameters }));
}

export function launchBrowser(profile: CaptureProfile): Promise<CaptureBrowser> {
  const executable = findChromium(process.env.CHROMIUM_PATH, process.env);
  return CaptureBrowser.launch({ executable, profile, log: silentLogger });
}

export async function captureMeeting(options: {
  readonly browser: CaptureBrowser;
  readonly link: SecretUrl;
  readonly profile?: CaptureProfile;
  readonly joinMs?: number;
  readonly lobbyMs?: number;
  readonly epoch?: Micros;
  readonly onEvent?: (event: SessionEvent) => void;
}): Promise<CapturedMeeting> {
  const { onEvent, profile = SMALL_PROFILE, ...rest } = options;
  const events: SessionEvent[] = [];
  const session = await openMeeting({
    ...rest,
    profile,
    ffmpeg: findFfmpeg(process.env) ?? 'ffmpeg',
    log: silentLogger,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event);
    },
  });
  return {
    session,
    events,
    types: () => events.map(({ type }) => type),
    ended: () => events.find((event) => event.type === 'ended'),
    close: () => session.close(),
  };
}
