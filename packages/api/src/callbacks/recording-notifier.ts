import type { Clock, EventBus, LifecycleEvents, RecordedFile, Session, StreamPath } from '@sluice/core';
import { type CallbackSettings, callbackBody, urlsFor } from './callback-body.js';
import type { OutboxSender } from './outbox-sender.js';
import { RECORDING_EVENTS, type RecordingEvent, recordingBody } from './recording-body.js';
import type { ServerNames } from './server-names.js';

/** Publishers that are remembered, for files that are finished when they are gone. */
const MOST_PUBLISHERS = 10_000;

export interface RecordingNotifierOptions {
  readonly events: EventBus;
  readonly settings: () => CallbackSettings;
  readonly sender: Pick<OutboxSender, 'send'>;
  readonly names: ServerNames;
  readonly clock: Clock;
  /** Where a file is on the disk, and what that is relative to. */
  readonly placeOf: (file: RecordedFile) => { readonly file: string; readonly cwd: string };
}

/** Tells callback URLs of recordings: of each file in the form of SRS, and of all that happens to them in our own. */
export class RecordingNotifier {
  readonly #options: RecordingNotifierOptions;
  readonly #publishers = new Map<StreamPath, Session>();
  readonly #stopListening: (() => void)[];

  constructor(options: RecordingNotifierOptions) {
    this.#options = options;
    const { events } = options;
    const remember = ({ path, session }: { path: StreamPath; session: Session }) => this.#remember(path, session);
    this.#stopListening = [
      events.on('stream-started', remember),
      events.on('stream-resumed', remember),
      events.on('recording-file-ready', ({ file }) => this.#tellOfFile(file)),
    ];
    for (const name of Object.keys(RECORDING_EVENTS) as RecordingEvent[]) this.#tellOf(name);
  }

  /** Hears of nothing more. What was told is on its way. */
  close(): void {
    for (const stop of this.#stopListening) stop();
  }

  #remember(path: StreamPath, session: Session): void {
    this.#publishers.delete(path);
    this.#publishers.set(path, session);
    if (this.#publishers.size <= MOST_PUBLISHERS) return;
    const [oldest] = this.#publishers.keys();
    if (oldest !== undefined) this.#publishers.delete(oldest);
  }

  #tellOfFile(recorded: RecordedFile): void {
    const { settings, sender, names, clock, placeOf } = this.#options;
    const urls = urlsFor('on_dvr', settings());
    if (urls.length === 0) return;
    const session = this.#publishers.get(recorded.path);
    const news = { event: 'on_dvr', session, recording: { recorded, ...placeOf(recorded) } } as const;
    const body = callbackBody(news, settings().format, names, clock);
    for (const url of urls) sender.send(url, body);
  }

  #tellOf<K extends RecordingEvent>(name: K): void {
    const { events, settings, sender, names, clock } = this.#options;
    const tell = (event: LifecycleEvents[K]) => {
      const urls = settings().onRecording;
      if (urls.length === 0) return;
      const body = JSON.stringify(recordingBody(name, event, { serverId: names.serverId, at: clock.wall() }));
      for (const url of urls) sender.send(url, body);
    };
    this.#stopListening.push(events.on(name, tell));
  }
}
