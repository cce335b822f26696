import type { Skin } from '../skin.js';
import type { Attendee } from './attendee.js';
import { Meeting } from './meeting.js';
import { type MeetingOptions, meetingOptions } from './options.js';

/** The meetings of a server: those that are, and of those that were the last of each ID. */
export class Meetings implements Iterable<Meeting> {
  readonly #byId = new Map<string, Meeting>();
  readonly #skin: Skin;
  #lastCreateTime = 0;

  constructor(skin: Skin) {
    this.#skin = skin;
  }

  [Symbol.iterator](): Iterator<Meeting> {
    return this.#byId.values();
  }

  /** Makes a meeting; one with this ID that hasn't ended is gone from then on. @throws {ZodError} */
  create(options: MeetingOptions): Meeting {
    const settings = meetingOptions.parse(options);
    // Two meetings never have the same.
    this.#lastCreateTime = Math.max(Date.now(), this.#lastCreateTime + 1);
    const meeting = new Meeting(settings, settings.skin ?? this.#skin, this.#lastCreateTime, () => {
      this.create(options);
    });
    this.#byId.get(settings.meetingID)?.close();
    this.#byId.set(settings.meetingID, meeting);
    return meeting;
  }

  get(meetingID: string): Meeting | undefined {
    return this.#byId.get(meetingID);
  }

  /** A meeting that isn't over. */
  open(meetingID: string): Meeting | undefined {
    const meeting = this.#byId.get(meetingID);
    return meeting?.state === 'ended' ? undefined : meeting;
  }

  /** Forgets a meeting, as the server does some time after its end. */
  forget(meetingID: string): void {
    this.#byId.get(meetingID)?.close();
    this.#byId.delete(meetingID);
  }

  session(sessionToken: string): { meeting: Meeting; attendee: Attendee } | undefined {
    for (const meeting of this.#byId.values()) {
      const attendee = meeting.attendees.find((one) => one.sessionToken === sessionToken);
      if (attendee !== undefined) return { meeting, attendee };
    }
    return undefined;
  }

  close(): void {
    for (const meeting of this.#byId.values()) meeting.close();
  }
}
