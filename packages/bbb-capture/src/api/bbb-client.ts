import { type AnswerReader, type ApiVersion, type MeetingInfo, meetingIn, readAnswer } from './answers.js';
import { apiBase, type Bounds, type CallParameters, callUrl, get, type Signature } from './call.js';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from './checksum.js';
import { BbbError } from './errors.js';
import { SecretFileError } from './secret-file.js';
import { SecretUrl } from './secret-url.js';

export interface BbbClientOptions {
  /** `bbb.url`: https://bbb.example.org/bigbluebutton/api */
  readonly url: string;
  /** Asked for at each call, so that it can be changed; `SecretFileError` is `wrong-secret`. Without it, requests are not signed: few servers take those. */
  readonly secret?: (() => Promise<string>) | undefined;
  /** `auto` finds what the server takes, and remembers it. */
  readonly checksum: ChecksumAlgorithm | 'auto';
  readonly fetch?: typeof globalThis.fetch;
  /** For one request and the whole answer to it. */
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

/** Whom a link lets in, and how. */
export interface JoinRequest {
  readonly meetingId: string;
  /** What the attendee is called. */
  readonly name: string;
  /** By which the attendee is found again in `getMeetingInfo`. Another one of the same id is thrown out. */
  readonly userId: string;
  readonly role: 'VIEWER' | 'MODERATOR';
  /** BBB below 2.4 tells the role by it, and takes no join without. */
  readonly password?: string | undefined;
  /** Of the meeting that is meant: the link is refused by a later one of the same id. */
  readonly createTime?: number | undefined;
  /** Settings of the client, without `userdata-`: `{ bbb_auto_join_audio: true }`. */
  readonly userdata?: Readonly<Record<string, string | boolean>>;
  /** More parameters of `join`. */
  readonly parameters?: CallParameters;
}

/** A meeting to be created. */
export interface CreateRequest {
  readonly meetingId: string;
  readonly name: string;
  readonly attendeePassword?: string | undefined;
  readonly moderatorPassword?: string | undefined;
  /** More parameters of `create`. */
  readonly parameters?: CallParameters;
}

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 4 * 1024 * 1024;
/** Of a chat message that `sendChatMessage` takes, in UTF-16 units. */
const MOST_CHAT_CHARACTERS = 500;

/**
 * The API of a BigBlueButton, 2.2 to 3.0. Each call is one HTTP request, more where it has to find out how to sign;
 * each throws `BbbError`, and the reason of `signal` where that is aborted.
 */
export class BbbClient {
  readonly #base: string;
  readonly #options: BbbClientOptions;
  readonly #bounds: Bounds;
  #works: ChecksumAlgorithm | undefined;

  /** @throws {BbbError} `bad-answer` for a URL that can't be one of an API */
  constructor(options: BbbClientOptions) {
    this.#base = apiBase(options.url);
    this.#options = options;
    this.#bounds = { timeoutMs: options.timeoutMs ?? TIMEOUT_MS, maxBytes: options.maxBytes ?? MOST_BYTES };
  }

  /** How requests are signed; undefined while that isn't known, or where they are not. */
  get algorithm(): ChecksumAlgorithm | undefined {
    if (this.#options.secret === undefined) return undefined;
    return this.#options.checksum === 'auto' ? this.#works : this.#options.checksum;
  }

  /** What the API says of itself. Needs no secret. */
  async version(signal?: AbortSignal): Promise<ApiVersion> {
    const answer = await this.#get('the API', this.#base, signal);
    return { api: answer.text('apiVersion') || answer.text('version'), server: answer.optional('bbbVersion') };
  }

  /** @throws {BbbError} `no-meeting` where there is none of this id */
  async getMeetingInfo(meetingId: string, password?: string, signal?: AbortSignal): Promise<MeetingInfo> {
    return meetingIn(await this.#call('getMeetingInfo', { meetingID: meetingId, password }, signal));
  }

  /** Whether somebody is in it. A meeting that does not exist isn't running. */
  async isMeetingRunning(meetingId: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#call('isMeetingRunning', { meetingID: meetingId }, signal)).flag('running');
  }

  async getMeetings(signal?: AbortSignal): Promise<MeetingInfo[]> {
    const answer = await this.#call('getMeetings', {}, signal);
    return (answer.child('meetings')?.children('meeting') ?? []).map(meetingIn);
  }

  /** @returns the meeting of this id, which may have been there before with the same settings */
  async create(request: CreateRequest, signal?: AbortSignal): Promise<MeetingInfo> {
    const { meetingId, name, attendeePassword, moderatorPassword, parameters } = request;
    const passwords = { attendeePW: attendeePassword, moderatorPW: moderatorPassword };
    const answer = await this.#call('create', { name, meetingID: meetingId, ...passwords, ...parameters }, signal);
    return { ...meetingIn(answer), name };
  }

  /** Asks for a meeting to be ended. It is over a little later. */
  async end(meetingId: string, password?: string, signal?: AbortSignal): Promise<void> {
    await this.#call('end', { meetingID: meetingId, password }, signal);
  }

  /** Writes into the public chat; BBB 3.0 and later. @param message of 500 characters, what is more is cut off */
  async sendChatMessage(
    meetingId: string,
    { message, userName }: { readonly message: string; readonly userName: string },
    signal?: AbortSignal,
  ): Promise<void> {
    const cut = message.slice(0, MOST_CHAT_CHARACTERS);
    // Not half of a character that takes two.
    const text = /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
    await this.#call('sendChatMessage', { meetingID: meetingId, message: text, userName }, signal);
  }

  /**
   * Makes a link into a meeting. It may have to ask the server how to sign it, once.
   *
   * @returns a secret, for one browser
   */
  async joinLink(request: JoinRequest, signal?: AbortSignal): Promise<SecretUrl> {
    const { meetingId, name, userId, role, password, createTime, userdata = {}, parameters } = request;
    if (this.#options.secret !== undefined && this.algorithm === undefined) {
      await this.isMeetingRunning(meetingId, signal);
    }
    const settings = Object.entries(userdata).map(([key, value]) => [`userdata-${key}`, value] as const);
    const query: CallParameters = {
      fullName: name,
      meetingID: meetingId,
      password,
      role,
      userID: userId,
      createTime,
      redirect: true,
      ...parameters,
      ...Object.fromEntries(settings),
    };
    return new SecretUrl(callUrl(this.#base, 'join', query, await this.#signature(this.algorithm)));
  }

  async #call(call: string, parameters: CallParameters, signal: AbortSignal | undefined): Promise<AnswerReader> {
    let refusal: BbbError | undefined;
    for (const algorithm of this.#candidates()) {
      try {
        const signature = await this.#signature(algorithm);
        const answer = await this.#get(call, callUrl(this.#base, call, parameters, signature), signal);
        this.#works = algorithm;
        return answer;
      } catch (error) {
        if (!(error instanceof BbbError)) throw error;
        if (error.code !== 'wrong-secret') {
          // Who refuses for another reason has looked at the checksum before.
          if (error.messageKey !== undefined) this.#works = algorithm;
          throw error;
        }
        refusal ??= error;
      }
    }
    if (refusal !== undefined && this.#options.secret === undefined) {
      const advice = 'set bbb.secretFile, or use a link to join';
      throw new BbbError('wrong-secret', `BigBlueButton takes signed requests only: ${advice}`, refusal.messageKey);
    }
    throw refusal ?? new BbbError('refused', `${call} can't be signed: no checksum is known`);
  }

  #candidates(): readonly (ChecksumAlgorithm | undefined)[] {
    const { secret, checksum } = this.#options;
    if (secret === undefined) return [undefined];
    if (checksum !== 'auto') return [checksum];
    const known = this.#works;
    return known === undefined
      ? CHECKSUM_ALGORITHMS
      : [known, ...CHECKSUM_ALGORITHMS.filter((other) => other !== known)];
  }

  async #signature(algorithm: ChecksumAlgorithm | undefined): Promise<Signature | undefined> {
    const { secret } = this.#options;
    if (secret === undefined || algorithm === undefined) return undefined;
    try {
      return { algorithm, secret: await secret() };
    } catch (error) {
      if (error instanceof SecretFileError)
        throw new BbbError('wrong-secret', `the secret can't be read: ${error.message}`);
      throw error;
    }
  }

  async #get(call: string, url: string, signal: AbortSignal | undefined): Promise<AnswerReader> {
    const { fetch = globalThis.fetch } = this.#options;
    const { status, text, location } = await get(call, url, this.#bounds, { fetch, signal });
    const { host } = new URL(url);
    if (status >= 300 && status < 400) {
      const where = location === undefined ? 'nowhere' : new URL(location).origin;
      throw new BbbError('bad-answer', `${host} sends ${call} on to ${where}: set bbb.url to where its API is`);
    }
    // Versions differ in the status of refusals, which are XML in all of them.
    if (status >= 500 && !text.includes('<response')) {
      throw new BbbError('unreachable', `${host} answers ${call} with HTTP ${status}: is BigBlueButton running there?`);
    }
    return readAnswer(call, text);
  }
}
