import {
  type Admission,
  type Doorkeeper,
  messageOf,
  type PublisherControl,
  Refusal,
  type Session,
  type StreamPath,
} from '@sluice/core';
import {
  type Answer,
  type FromWorker,
  fromWire,
  type Question,
  refusalToWire,
  type SessionFigures,
  type ToWorker,
} from './messages.js';

/** A session that a worker serves. */
interface Entry {
  readonly admission: Admission;
  figures: Omit<SessionFigures, 'session'>;
}

export interface DoorServiceOptions {
  readonly gate: Pick<Doorkeeper, 'admit' | 'inspect' | 'resume'>;
  readonly send: (message: ToWorker) => void;
  /** Whether a path is live, or may be had from elsewhere. */
  readonly canFetch: (path: StreamPath) => boolean;
  /** @throws {Refusal} */
  readonly publish: (session: Session, stream: number, control: PublisherControl) => void;
}

const NONE = { traffic: { received: 0, sent: 0 } };

/** The main process's side of a worker's doors: asks the gate, and has the hold on the worker's sessions. */
export class DoorService {
  readonly #options: DoorServiceOptions;
  readonly #entries = new Map<string, Entry>();
  #closed: string | undefined;

  constructor(options: DoorServiceOptions) {
    this.#options = options;
  }

  get sessions(): number {
    return this.#entries.size;
  }

  /** The session of that id, where this worker serves it. */
  session(id: string): Session | undefined {
    return this.#entries.get(id)?.admission.session;
  }

  take(message: FromWorker & { type: 'question' | 'session-closed' | 'traffic' }): void {
    switch (message.type) {
      case 'question':
        void this.#answer(message.id, message.question);
        break;
      case 'traffic':
        for (const { session, ...figures } of message.sessions) {
          const entry = this.#entries.get(session);
          if (entry !== undefined) entry.figures = figures;
        }
        break;
      case 'session-closed': {
        const entry = this.#entries.get(message.session);
        if (entry === undefined) break;
        entry.figures = { ...entry.figures, traffic: message.traffic };
        this.#close(entry, message.reason);
        break;
      }
    }
  }

  /** The worker is gone, and with it those whom it served. */
  close(reason: string): void {
    this.#closed = reason;
    for (const entry of [...this.#entries.values()]) this.#close(entry, reason);
  }

  /** Never rejects. */
  async #answer(id: number, question: Question): Promise<void> {
    const { send } = this.#options;
    try {
      const answer = await this.#ask(question);
      send({ type: 'answer', id, answer });
      // Behind the answer: a worker cuts only what it knows.
      if ('session' in answer) this.#bind(answer.session.id);
    } catch (error) {
      const refusal =
        error instanceof Refusal ? refusalToWire(error) : { code: 'unavailable' as const, message: messageOf(error) };
      send({ type: 'refusal', id, refusal });
    }
  }

  async #ask(question: Question): Promise<Answer> {
    const { gate } = this.#options;
    switch (question.about) {
      case 'inspect':
        return { identity: await gate.inspect(fromWire(question.request)) };
      case 'admit':
        return this.#serve(await gate.admit(fromWire(question.request)));
      case 'resume':
        return this.#serve(await gate.resume(fromWire(question.request), question.before));
      case 'publish':
        return this.#publish(question);
    }
  }

  #serve(admission: Admission): Answer {
    const { session } = admission;
    if (this.#closed !== undefined) {
      admission.close(this.#closed);
      throw new Refusal('unavailable', this.#closed);
    }
    this.#entries.set(session.id, { admission, figures: NONE });
    return { session, canFetch: session.action === 'play' && this.#options.canFetch(session.path) };
  }

  #bind(id: string): void {
    const entry = this.#entries.get(id);
    entry?.admission.bind({
      cut: (reason) => this.#cut(entry.admission.session, reason),
      move: (baseUrl, reason) => this.#options.send({ type: 'move', session: id, baseUrl, reason }),
      traffic: () => entry.figures.traffic,
      addresses: () => entry.figures.addresses ?? [entry.admission.session.ip],
      transport: () => entry.figures.transport,
    });
  }

  #publish({ session: id, stream }: Question & { about: 'publish' }): Answer {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Refusal('banned', 'the session is over');
    const { session } = entry.admission;
    this.#options.publish(session, stream, {
      cut: (reason) => this.#cut(session, reason),
    });
    return { isPublished: true };
  }

  #cut(session: Session, reason: string): void {
    this.#options.send({ type: 'cut', session: session.id, reason });
  }

  #close(entry: Entry, reason: string): void {
    this.#entries.delete(entry.admission.session.id);
    entry.admission.close(reason);
  }
}
