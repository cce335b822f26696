import { setTimeout as wait } from 'node:timers/promises';
import type { CaptureProfile, CaptureRequest } from '@sluice/core';
import type { MeetingInfo } from '../api/answers.js';
import type { BbbClient } from '../api/bbb-client.js';
import { BbbError } from '../api/errors.js';
import { listenerUserdata } from '../api/listener-userdata.js';
import { type MeetingEvent, watchMeeting } from '../api/meeting-watch.js';
import type { SecretUrl } from '../api/secret-url.js';

export interface MeetingDoorOptions {
  readonly request: CaptureRequest;
  /** A ready link in, in place of one by the API. */
  readonly link: SecretUrl | undefined;
  readonly profile: CaptureProfile;
  /** Of `bbb.url`; undefined where only the link of the request leads in. */
  readonly client: BbbClient | undefined;
  /** By which the attendee is known: the same one at each time, so that it takes its own place. */
  readonly userId: string;
}

const NAME = 'Live stream';
/** Of BigBlueButton, with `sendChatMessage`. */
const SINCE_VERSION = 3;

/** The ways in: to be told how the meeting is, to enter it, to write into its chat. */
export class MeetingDoor {
  readonly #options: MeetingDoorOptions;
  #password: string | undefined;

  constructor(options: MeetingDoorOptions) {
    this.#options = options;
    this.#password = options.request.password;
  }

  /** Whether BBB can be asked how the meeting is. */
  get isWatched(): boolean {
    return this.#options.client !== undefined;
  }

  /** Tells how the meeting is until the signal is aborted. `onAnswer` is for each answer, also of one that has not begun. */
  async watch(
    { onEvent, onAnswer }: { onEvent: (event: MeetingEvent) => void; onAnswer: () => void },
    signal: AbortSignal,
  ): Promise<void> {
    const { client, request } = this.#options;
    if (client === undefined) return;
    await watchMeeting({
      poll: async (pollSignal) => {
        try {
          const info = await client.getMeetingInfo(request.meetingId, request.password, pollSignal);
          // BBB before 2.4 lets in by password alone, and tells it to who holds its secret.
          this.#password ??= info.attendeePassword;
          onAnswer();
          return info;
        } catch (error) {
          if (error instanceof BbbError && !error.isPassing) onAnswer();
          throw error;
        }
      },
      onEvent,
      signal,
      wait: async (ms, waitSignal) => wait(ms, undefined, { signal: waitSignal }),
      random: Math.random,
    });
  }

  /** The link in. @param createTime of the meeting that is meant */
  async link(createTime: number | undefined, signal: AbortSignal): Promise<SecretUrl> {
    const { client, link, request, profile, userId } = this.#options;
    if (link !== undefined) return link;
    if (client === undefined) throw new Error('there is neither an API nor a link');
    const writesInChat = profile.chatMessage !== '' && !(await this.#canSay(client, signal));
    return client.joinLink(
      {
        meetingId: request.meetingId,
        name: this.name,
        userId,
        role: 'VIEWER',
        password: this.#password,
        createTime,
        userdata: listenerUserdata({ locale: profile.locale, hides: profile.hideChat, writesInChat }),
        parameters: { excludeFromDashboard: true, bot: true },
      },
      signal,
    );
  }

  /** Writes into the public chat by the API, which BBB 3.0 has. @throws {BbbError} */
  async say(message: string): Promise<void> {
    const { client, request } = this.#options;
    if (client === undefined) throw new Error('there is no API to say it by');
    await client.sendChatMessage(request.meetingId, { message, userName: this.name });
  }

  /** Whether the server is known to write into the chat itself. Many don't tell their version. */
  async #canSay(client: BbbClient, signal: AbortSignal): Promise<boolean> {
    try {
      const { server = '' } = await client.version(signal);
      return Number.parseInt(server, 10) >= SINCE_VERSION;
    } catch (error) {
      // What is wrong there the way in will tell; a notice isn't worth it.
      if (error instanceof BbbError) return false;
      throw error;
    }
  }

  /** Whether nobody is in the meeting but this attendee. */
  isAloneIn({ attendees }: MeetingInfo): boolean {
    return attendees.length > 0 && attendees.every(({ userId }) => userId === this.#options.userId);
  }

  /** What the attendee is called. */
  get name(): string {
    return this.#options.request.name ?? NAME;
  }
}
