import { randomBytes } from 'node:crypto';
import {
  type CaptureControl,
  type CaptureFailure,
  type CaptureInfo,
  type CaptureLogLine,
  type CaptureMeans,
  type CaptureProfile,
  CaptureRefusal,
  type CaptureRequest,
  type CaptureState,
  type CaptureTotals,
  type CaptureTrouble,
  type Clock,
  type Config,
  defaultCaptureProfile,
  type Logger,
} from '@sluice/core';
import { BbbClient } from '../api/bbb-client.js';
import { BbbError } from '../api/errors.js';
import { readSecretFile } from '../api/secret-file.js';
import { findChromium } from '../browser/find-chromium.js';
import { CaptureError } from '../capture/capture-error.js';
import type { PublishTarget } from '../publish/target.js';
import { Capture } from './capture.js';
import { CaptureLog } from './capture-log.js';
import { captureMeans, DEFAULT_PROFILE, NO_FFMPEG } from './capture-means.js';
import { MeetingDoor } from './meeting-door.js';

export interface SupervisorOptions {
  readonly settings: () => Config['bbb'];
  /**
   * What the target of a request stands for: an RTMP URL that is allowed, or a stream of this server.
   *
   * @throws {CaptureError} `target-not-allowed`
   */
  readonly targetOf: (text: string) => PublishTarget;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** ffmpeg's file; undefined where there is none. */
  readonly ffmpeg: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** A capture has got into another state. */
  readonly onState?: (info: CaptureInfo) => void;
}

const MOST_PAST = 50;
const MEETING_ID = /^[^\p{Cc}\p{Cf},]{2,256}$/u;

/** Captures of meetings, several at a time. It holds no secret beyond what each capture needs itself. */
export class CaptureSupervisor implements CaptureControl {
  readonly #options: SupervisorOptions;
  readonly #captures = new Map<string, Capture>();
  readonly #logs = new Map<string, CaptureLog>();
  readonly #errors = new Map<CaptureFailure | CaptureTrouble, number>();
  readonly #present = new Map<string, CaptureFailure | CaptureTrouble>();
  #started = 0;
  #isClosed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get captures(): readonly CaptureInfo[] {
    return [...this.#captures.values()].map(({ info }) => info);
  }

  get totals(): CaptureTotals {
    return { started: this.#started, errors: this.#errors };
  }

  get means(): CaptureMeans {
    const { settings, environment, ffmpeg } = this.#options;
    return captureMeans(settings(), environment, ffmpeg);
  }

  logOf(id: string): readonly CaptureLogLine[] | undefined {
    return this.#logs.get(id)?.lines;
  }

  start(request: CaptureRequest, by: string): CaptureInfo {
    const capture = this.#make(request, by);
    this.#captures.set(capture.info.id, capture);
    this.#started += 1;
    const { meetingId, target, profile, id } = capture.info;
    this.#logs.get(id)?.log.info({ meeting: meetingId, target, profile, by }, 'a capture begins');
    capture.begin();
    this.#forgetOld();
    return capture.info;
  }

  stop(id: string, by: string): boolean {
    const capture = this.#captures.get(id);
    if (capture === undefined || capture.isOver) return false;
    this.#logs.get(id)?.log.info({ by }, 'a capture is stopped');
    capture.stop();
    return true;
  }

  /** Ends all, and waits until nothing of them is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#captures.values()];
    for (const capture of all) capture.stop();
    await Promise.all(all.map(({ finished }) => finished));
  }

  #make(request: CaptureRequest, by: string): Capture {
    const { clock, log, settings } = this.#options;
    const { meetingId, profile: profileName = DEFAULT_PROFILE } = request;
    const { maxCaptures, profiles } = settings();
    const underWay = [...this.#captures.values()].filter(({ isOver }) => !isOver).map(({ info }) => info);
    if (this.#isClosed) throw new CaptureRefusal('over-limit', 'the server is going down');
    if (!MEETING_ID.test(meetingId)) {
      throw new CaptureRefusal('bad-request', 'a meeting ID has 2 to 256 characters and no comma', 'meetingId');
    }
    const profile = profiles[profileName] ?? (profileName === DEFAULT_PROFILE ? defaultCaptureProfile : undefined);
    if (profile === undefined) {
      const known = [...new Set([DEFAULT_PROFILE, ...Object.keys(profiles)])].join(', ');
      throw new CaptureRefusal('bad-request', `there is no profile ${profileName}; there is: ${known}`, 'profile');
    }
    if (underWay.length >= maxCaptures) {
      throw new CaptureRefusal(
        'over-limit',
        `${underWay.length} meetings are captured; bbb.maxCaptures allows no more`,
      );
    }
    const { target, browser, door } = refusing(() => this.#means(request, profile));
    const same = underWay.find((info) => info.meetingId === meetingId && info.target === target.shown);
    if (same !== undefined) {
      throw new CaptureRefusal(
        'already-captured',
        `meeting ${meetingId} is captured to there: ${same.id}`,
        'meetingId',
      );
    }
    const ffmpeg = this.#ffmpeg();
    const id = randomBytes(8).toString('hex');
    const own = new CaptureLog({ capture: id, clock, log });
    this.#logs.set(id, own);
    return new Capture({
      ...{ id, request, profileName, profile, target, door, browser, ffmpeg, clock, startedBy: by },
      log: own.log,
      onState: (state) => this.#stateIs(id, state),
    });
  }

  /** @throws {CaptureError | BbbError} */
  #means(request: CaptureRequest, profile: CaptureProfile) {
    const { targetOf, environment, settings } = this.#options;
    const target = targetOf(request.target);
    const browser = findChromium(settings().browser, environment);
    const userId = `sluice-${randomBytes(6).toString('hex')}`;
    const door = new MeetingDoor({ request, profile, client: this.#client(request), userId });
    return { target, browser, door };
  }

  #client({ joinUrl, password }: CaptureRequest): BbbClient | undefined {
    const { url, secretFile, checksum } = this.#options.settings();
    if (url === undefined) {
      if (joinUrl !== undefined) return undefined;
      throw new CaptureRefusal('not-configured', 'bbb.url is not set; set it, or give a link to join', 'joinUrl');
    }
    if (secretFile === undefined) {
      if (joinUrl !== undefined) return undefined;
      if (password !== undefined) return new BbbClient({ url, checksum });
      const advice = 'set it, or give a password or a link to join';
      throw new CaptureRefusal('not-configured', `bbb.secretFile is not set; ${advice}`, 'joinUrl');
    }
    return new BbbClient({
      url,
      checksum,
      secret: async () => {
        try {
          return await readSecretFile(secretFile);
        } catch (error) {
          throw new BbbError('wrong-secret', `bbb.secretFile: ${error instanceof Error ? error.message : error}`);
        }
      },
    });
  }

  #ffmpeg(): string {
    const { ffmpeg } = this.#options;
    if (ffmpeg !== undefined) return ffmpeg;
    throw new CaptureRefusal('no-encoder', NO_FFMPEG);
  }

  #stateIs(id: string, state: CaptureState): void {
    const info = this.#captures.get(id)?.info;
    const { onState } = this.#options;
    this.#count(id, state);
    const isBad = state.kind === 'failed' || state.kind === 'degraded';
    this.#logs.get(id)?.log[isBad ? 'warn' : 'info']({ ...state }, `the capture is ${state.kind}`);
    if (info !== undefined) onState?.(info);
  }

  /** Each error when it begins, however often more is said of it. */
  #count(id: string, state: CaptureState): void {
    const error = state.kind === 'failed' ? state.failure : state.kind === 'degraded' ? state.trouble : undefined;
    if (error !== undefined && this.#present.get(id) !== error) {
      this.#errors.set(error, (this.#errors.get(error) ?? 0) + 1);
    }
    if (error === undefined) this.#present.delete(id);
    else this.#present.set(id, error);
  }

  /** What is over is kept for a while, so that one can see how it ended. */
  #forgetOld(): void {
    const past = [...this.#captures].filter(([, capture]) => capture.isOver);
    for (const [id] of past.slice(0, Math.max(0, past.length - MOST_PAST))) {
      this.#captures.delete(id);
      this.#logs.delete(id);
      this.#present.delete(id);
    }
  }
}

/** What the parts can't use is a refusal of the request. */
function refusing<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof CaptureError) {
      throw new CaptureRefusal(error.code, error.message, error.code === 'target-not-allowed' ? 'target' : undefined);
    }
    if (error instanceof BbbError) throw new CaptureRefusal('bad-request', error.message, 'joinUrl');
    throw error;
  }
}
