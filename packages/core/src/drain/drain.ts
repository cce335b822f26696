import type { Millis } from '@sluice/media';
import type { AccessRequest } from '../access/request.js';
import type { OpenSession, SessionRegistry } from '../access/session-registry.js';
import type { Clock } from '../clock.js';
import { Refusal } from '../errors.js';
import type { Logger } from '../logger.js';
import { baseUrlFor, type Place, type PlaceScheme } from './place.js';

export interface DrainSettings {
  /** Over how long the viewers are sent away, evenly. */
  readonly viewerSeconds: number;
  /** How long publishers may take to leave by themselves. */
  readonly publisherSeconds: number;
}

export type DrainState =
  | 'serving'
  /** Nobody new is let in, and those who are here are handed on. */
  | 'draining'
  /** Nobody is here any more: the server ends. */
  | 'drained';

export interface DrainStatus {
  readonly state: DrainState;
  /** When it began. Wall clock. */
  readonly since: Millis | undefined;
  readonly by: string | undefined;
  /** When publishers are cut that are still here. Wall clock. */
  readonly publishersUntil: Millis | undefined;
  readonly publishers: number;
  readonly viewers: number;
}

export interface DrainOptions {
  readonly clock: Clock;
  readonly registry: SessionRegistry;
  readonly settings: () => DrainSettings;
  /** Where publishers and viewers can be sent. */
  readonly places: () => readonly Place[];
  readonly log: Logger;
}

/** What those see who ask for it, and those who begin it. */
export interface DrainControl {
  readonly status: DrainStatus;
  /** Begins it, where it hasn't begun. */
  begin(by: string, settings?: Partial<DrainSettings>): void;
}

const TICK_MS = 200;
/** After its cut a connection says its last words. */
const LAST_WORDS_MS = 3000;
const MOVED = 'the server is being drained';
/** The server's own, which ends with what it is made of; and what needs what is on this machine's disk. */
const STAYS: ReadonlySet<string> = new Set(['transcode', 'snapshot', 'recording']);
/** They have no connection: their next playlist sends them away, while they fetch the segments that they know. */
const BY_PLAYLIST: ReadonlySet<string> = new Set(['hls', 'dash']);

interface Course {
  readonly by: string;
  readonly since: Millis;
  /** Monotonic. */
  readonly began: Millis;
  readonly settings: DrainSettings;
  /** Ids of viewers with connections, who are cut one after the other. */
  readonly viewers: readonly string[];
  cutViewers: number;
}

/**
 * Takes a server out of service: nobody new is let in, who is here is handed on to other servers, viewers first, then
 * publishers; when all are gone it is done, and the server may end.
 */
export class Drain implements DrainControl {
  /** Resolves when nobody is here any more. */
  readonly done: Promise<void>;
  readonly #options: DrainOptions;
  #course: Course | undefined;
  #state: DrainState = 'serving';
  #timer: NodeJS.Timeout | undefined;
  #finish: () => void = () => undefined;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  get isOn(): boolean {
    return this.#state !== 'serving';
  }

  get status(): DrainStatus {
    const course = this.#course;
    const remaining = this.#remaining();
    const publishers = remaining.filter(({ session }) => session.action === 'publish').length;
    return {
      state: this.#state,
      since: course?.since,
      by: course?.by,
      publishersUntil: course && ((course.since + course.settings.publisherSeconds * 1000) as Millis),
      publishers,
      viewers: remaining.length - publishers,
    };
  }

  begin(by: string, settings: Partial<DrainSettings> = {}): void {
    if (this.isOn) return;
    this.#state = 'draining';
    const { clock, log } = this.#options;
    const asked = { ...this.#options.settings(), ...settings };
    const here = this.#remaining();
    const [publishers, viewers] = [here.filter(isPublisher), here.filter((open) => !isPublisher(open))];
    this.#course = {
      by,
      since: clock.wall(),
      began: clock.monotonic(),
      settings: asked,
      viewers: viewers.map(({ session }) => session.id),
      cutViewers: 0,
    };
    const facts = { by, ...asked, publishers: publishers.length, viewers: viewers.length };
    log.warn(facts, 'the server is being drained: nobody new is let in');
    for (const open of publishers) open.move(this.placeFor(open.session.ip, ['rtmp', 'rtmps']), MOVED);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Why a request isn't granted at the moment. */
  refusalOf({ protocol, action, ip }: AccessRequest): Refusal | undefined {
    if (!this.isOn || STAYS.has(protocol) || action === 'admin') return undefined;
    const message = 'this server is being taken out of service; ask another one';
    return new Refusal('draining', message, { elsewhere: (schemes) => this.placeFor(ip, schemes) });
  }

  /** Where somebody is sent; undefined while the server serves, and where there is nowhere to go. */
  placeFor(ip: string, schemes: readonly PlaceScheme[]): string | undefined {
    return this.isOn ? baseUrlFor(this.#options.places(), ip, schemes) : undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const course = this.#course;
    if (course === undefined) return;
    const { registry, clock, log } = this.#options;
    const elapsed = clock.monotonic() - course.began;
    const { viewerSeconds, publisherSeconds } = course.settings;
    const share = viewerSeconds === 0 ? 1 : Math.min(1, elapsed / (viewerSeconds * 1000));
    const due = Math.ceil(course.viewers.length * share);
    for (const id of course.viewers.slice(course.cutViewers, due)) registry.cut(id, MOVED);
    course.cutViewers = due;
    if (elapsed >= publisherSeconds * 1000) {
      registry.cutWhere((open) => (isPublisher(open) && !STAYS.has(open.session.protocol) ? MOVED : undefined));
    }
    const isOver = share === 1 && this.#remaining().length === 0;
    const isLate = elapsed >= Math.max(viewerSeconds, publisherSeconds) * 1000 + LAST_WORDS_MS;
    if (!isOver && !isLate) return;
    clearInterval(this.#timer);
    this.#state = 'drained';
    log.warn({ seconds: Math.round(elapsed / 100) / 10, left: this.#remaining().length }, 'the server is drained');
    this.#finish();
  }

  /** Those who have to be handed on. */
  #remaining(): OpenSession[] {
    return [...this.#options.registry.list()].filter(
      ({ session: { protocol } }) => !STAYS.has(protocol) && !BY_PLAYLIST.has(protocol),
    );
  }
}

const isPublisher = ({ session }: OpenSession): boolean => session.action === 'publish';
