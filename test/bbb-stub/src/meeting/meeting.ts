import { createHash } from 'node:crypto';
import type { PictureMode, ServerMessage, SoundMode } from '../protocol.js';
import type { Skin } from '../skin.js';
import { type Action, action } from './action.js';
import { Attendee, type ClientLink, type Joiner } from './attendee.js';
import type { MeetingSettings } from './options.js';

export interface ChatMessage {
  readonly from: string;
  readonly text: string;
}

/** So long after its client was gone somebody is in the meeting yet, in ms. */
const LEAVE_GRACE_MS = 1500;

/** One meeting, from its creation until its end. */
export class Meeting {
  readonly settings: MeetingSettings;
  readonly skin: Skin;
  readonly createTime: number;
  readonly internalId: string;
  readonly attendees: Attendee[] = [];
  readonly chat: ChatMessage[] = [];
  state: 'open' | 'ending' | 'ended' = 'open';
  picture: PictureMode = 'moving';
  sound: SoundMode = 'tone';
  readonly #restart: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();

  /**
   * @param createTime ms since 1970
   * @param restart makes a meeting with the same settings in this one's place
   */
  constructor(settings: MeetingSettings, skin: Skin, createTime: number, restart: () => void) {
    this.settings = settings;
    this.skin = skin;
    this.createTime = createTime;
    this.#restart = restart;
    this.internalId = `${createHash('sha1').update(settings.meetingID).digest('hex')}-${createTime}`;
  }

  get id(): string {
    return this.settings.meetingID;
  }

  /** Those whose client is connected. */
  get present(): Attendee[] {
    return this.attendees.filter((attendee) => attendee.isPresent);
  }

  /** Whether somebody is in it. */
  get isRunning(): boolean {
    return this.state !== 'ended' && (this.settings.hasTeacher || this.present.length > 0);
  }

  /** The one who uses a link. Who is in it by the same ID has to go. @param cookie of the browser's session */
  join(joiner: Joiner, cookie: string): Attendee {
    for (const other of this.attendees) {
      if (other.joiner.userID === joiner.userID) this.#remove(other, { kind: 'out', reason: 'duplicate' });
    }
    const attendee = new Attendee(joiner, cookie);
    this.attendees.push(attendee);
    return attendee;
  }

  /** A client is connected. */
  came(attendee: Attendee, link: ClientLink): void {
    attendee.link?.drop();
    attendee.link = link;
    attendee.isConnected = true;
  }

  /** A client's connection is gone. */
  gone(attendee: Attendee): void {
    attendee.link = undefined;
    this.#after(LEAVE_GRACE_MS, () => {
      if (attendee.link !== undefined) return;
      attendee.isConnected = false;
      attendee.audio = 'none';
    });
  }

  say(message: ChatMessage): void {
    this.chat.push(message);
    this.#tell(undefined, { kind: 'chat', ...message });
  }

  /** Makes something happen. @throws {ZodError} for what isn't an action */
  act(wanted: Action): void {
    const act = action.parse(wanted);
    switch (act.do) {
      case 'end':
        this.state = 'ending';
        this.#after(act.delayMs, () => this.#end());
        break;
      case 'restart':
        this.#end();
        this.#restart();
        break;
      case 'kick':
      case 'time-out': {
        const reason = act.do === 'kick' ? 'kicked' : 'inactive';
        for (const attendee of this.#those(act.userID)) this.#remove(attendee, { kind: 'out', reason });
        break;
      }
      case 'disconnect':
        for (const attendee of this.#those(act.userID)) {
          attendee.refusedUntil = Date.now() + act.ms;
          attendee.link?.drop();
        }
        break;
      case 'admit':
      case 'deny':
        for (const attendee of this.#those(act.userID)) {
          if (attendee.guestStatus !== 'WAIT') continue;
          attendee.guestStatus = act.do === 'admit' ? 'ALLOW' : 'DENY';
          attendee.tell({ kind: act.do === 'admit' ? 'admitted' : 'denied' });
        }
        break;
      case 'chat':
        this.say({ from: act.from, text: act.text });
        break;
      case 'toast':
        this.#tell(act.userID, { kind: 'toast', text: act.text });
        break;
      case 'modal':
        this.#tell(act.userID, { kind: 'modal', modal: act.modal });
        break;
      case 'error':
        this.#tell(act.userID, { kind: 'error', code: act.code });
        break;
      case 'overlay':
      case 'hang':
        this.#tell(act.userID, { kind: act.do, ms: act.ms });
        break;
      case 'crash':
        this.#tell(act.userID, { kind: 'crash' });
        break;
      case 'picture':
        if (act.userID === undefined) this.picture = act.mode;
        this.#tell(act.userID, { kind: 'picture', mode: act.mode });
        break;
      case 'sound':
        // A client that joins anew has its peer connection.
        if (act.userID === undefined && act.mode !== 'lost') this.sound = act.mode;
        this.#tell(act.userID, { kind: 'sound', mode: act.mode });
        break;
    }
  }

  /** Lets go of what it waits for. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #end(): void {
    this.state = 'ended';
    for (const attendee of this.attendees) this.#remove(attendee, { kind: 'out', reason: 'ended' });
  }

  #remove(attendee: Attendee, why: ServerMessage): void {
    if (attendee.isOut) return;
    attendee.tell(why);
    attendee.isOut = true;
    attendee.audio = 'none';
  }

  #those(userID: string | undefined): Attendee[] {
    return this.attendees.filter(({ isOut, joiner }) => !isOut && (userID === undefined || joiner.userID === userID));
  }

  #tell(userID: string | undefined, message: ServerMessage): void {
    for (const attendee of this.#those(userID)) attendee.tell(message);
  }

  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
