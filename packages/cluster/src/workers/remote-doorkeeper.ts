import {
  type AccessRequest,
  type Admission,
  type Doorkeeper,
  type Identity,
  Refusal,
  type Session,
  type SessionControl,
  type StreamPath,
  type Traffic,
} from '@sluice/core';
import {
  type Answer,
  type FromWorker,
  type Question,
  refusalFromWire,
  type SessionFigures,
  type ToWorker,
  toWire,
  type WireAdmission,
} from './messages.js';

interface Asked {
  resolve(answer: Answer): void;
  reject(refusal: Refusal): void;
}

interface Entry {
  readonly session: Session;
  control: SessionControl | undefined;
  ending: string | undefined;
  /** As they were told last. */
  told: SessionFigures | undefined;
}

const NO_TRAFFIC: Traffic = { received: 0, sent: 0 };

/** A worker's way to the gate of the main process, where its sessions are kept, counted and ended. */
export class RemoteDoorkeeper implements Doorkeeper {
  readonly #send: (message: FromWorker) => void;
  readonly #onAdmitted: (path: StreamPath, canFetch: boolean) => void;
  readonly #asked = new Map<number, Asked>();
  readonly #entries = new Map<string, Entry>();
  #lastId = 0;

  /** @param options.onAdmitted told of each path that somebody was let in to, and whether it can be had */
  constructor(options: {
    send: (message: FromWorker) => void;
    onAdmitted: (path: StreamPath, canFetch: boolean) => void;
  }) {
    this.#send = options.send;
    this.#onAdmitted = options.onAdmitted;
  }

  /** Sessions that are served here. */
  get sessions(): number {
    return this.#entries.size;
  }

  async admit(request: AccessRequest): Promise<Admission> {
    return this.#admitted(await this.#ask({ about: 'admit', request: toWire(request) }));
  }

  async inspect(request: AccessRequest): Promise<Identity> {
    const answer = await this.#ask({ about: 'inspect', request: toWire(request) });
    return (answer as { identity: Identity }).identity;
  }

  async resume(request: AccessRequest, before: Session): Promise<Admission> {
    return this.#admitted(await this.#ask({ about: 'resume', request: toWire(request), before }));
  }

  /** Never: bans are known to the gate alone, which is asked about each who comes. */
  isOpenTo(): boolean {
    return false;
  }

  /** Asks for a session's media to be published. @throws {Refusal} */
  async publish(session: Session, stream: number): Promise<void> {
    await this.#ask({ about: 'publish', session: session.id, stream });
  }

  /** Takes what the gate says. */
  take(message: ToWorker & { type: 'answer' | 'refusal' | 'cut' | 'move' }): void {
    if (message.type === 'cut') {
      const entry = this.#entries.get(message.session);
      if (entry === undefined) return;
      entry.ending = message.reason;
      entry.control?.cut(message.reason);
      return;
    }
    if (message.type === 'move') {
      this.#entries.get(message.session)?.control?.move?.(message.baseUrl, message.reason);
      return;
    }
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.type === 'refusal') {
      asked?.reject(refusalFromWire(message.refusal));
      return;
    }
    // At once, because a cut may come right behind it.
    if ('session' in message.answer) this.#remember(message.answer);
    asked?.resolve(message.answer);
  }

  /** Tells what sessions have come to since the last time. Called about once a second. */
  tellTraffic(): void {
    const sessions: SessionFigures[] = [];
    for (const entry of this.#entries.values()) {
      const figures = figuresOf(entry);
      if (figures === undefined || isKnown(figures, entry.told)) continue;
      entry.told = figures;
      sessions.push(figures);
    }
    if (sessions.length > 0) this.#send({ type: 'traffic', sessions });
  }

  #ask(question: Question): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#send({ type: 'question', id, question });
    });
  }

  #remember({ session, canFetch }: WireAdmission): void {
    this.#entries.set(session.id, { session, control: undefined, ending: undefined, told: undefined });
    this.#onAdmitted(session.path, canFetch);
  }

  #admitted(answer: Answer): Admission {
    const { session } = answer as WireAdmission;
    const entry = this.#entries.get(session.id);
    if (entry === undefined) throw new Refusal('banned', 'the session was ended before it began');
    return {
      session,
      bind: (control) => {
        entry.control = control;
        if (entry.ending !== undefined) control.cut(entry.ending);
      },
      close: (reason) => {
        if (!this.#entries.delete(session.id)) return;
        const traffic = entry.control?.traffic() ?? NO_TRAFFIC;
        this.#send({ type: 'session-closed', session: session.id, reason, traffic });
      },
    };
  }
}

function figuresOf({ session, control }: Entry): SessionFigures | undefined {
  if (control === undefined) return undefined;
  const addresses = control.addresses?.();
  const transport = control.transport?.();
  return { session: session.id, traffic: control.traffic(), addresses, transport };
}

/** Addresses only become more, and a line that tells of itself always has news. */
function isKnown(now: SessionFigures, told: SessionFigures | undefined): boolean {
  return (
    told !== undefined &&
    now.transport === undefined &&
    now.traffic.sent === told.traffic.sent &&
    now.traffic.received === told.traffic.received &&
    now.traffic.skips === told.traffic.skips &&
    now.addresses?.length === told.addresses?.length
  );
}
