import type { Clock, EventBus, Session, Traffic } from '@sluice/core';
import { type CallbackSettings, callbackBody, urlsFor } from './callback-body.js';
import type { CallbackNews, HlsSegmentNews } from './callback-news.js';
import type { OutboxSender } from './outbox-sender.js';
import type { ServerNames } from './server-names.js';

/** Which of the questions about a session were answered with yes, by somebody at least. */
export interface Agreed {
  readonly connect: boolean;
  readonly stream: boolean;
}

const NO_TRAFFIC: Traffic = { received: 0, sent: 0 };

/** Tells callback URLs what has happened. They are told in the end of all that they agreed to, so that counts come out. */
export class CallbackNotifier {
  readonly #settings: () => CallbackSettings;
  readonly #sender: OutboxSender;
  readonly #names: ServerNames;
  readonly #clock: Clock;
  readonly #stopListening: () => void;

  constructor(options: {
    events: EventBus;
    settings: () => CallbackSettings;
    sender: OutboxSender;
    names: ServerNames;
    clock: Clock;
  }) {
    this.#settings = options.settings;
    this.#sender = options.sender;
    this.#names = options.names;
    this.#clock = options.clock;
    this.#stopListening = options.events.on('session-closed', ({ session, reason, traffic }) => {
      this.ended(session, { connect: isRtmp(session), stream: true }, reason, traffic);
    });
  }

  /** Tells of the end of a session, or of one that was agreed to and never opened. */
  ended(session: Session, agreed: Agreed, reason: string, traffic: Traffic = NO_TRAFFIC): void {
    if (session.identity.kind === 'configuration') return;
    if (agreed.stream) {
      this.#tell({ event: session.action === 'publish' ? 'on_unpublish' : 'on_stop', session, reason, traffic });
    }
    if (agreed.connect) this.#tell({ event: 'on_close', session, reason, traffic });
  }

  /** Tells of an HLS segment that players can fetch now. @param session the publisher's */
  hlsSegment(session: Session, segment: HlsSegmentNews): void {
    this.#tell({ event: 'on_hls', session, segment });
  }

  /** Hears of nothing more. What was told is on its way. */
  close(): void {
    this.#stopListening();
  }

  #tell(news: CallbackNews): void {
    const settings = this.#settings();
    const urls = urlsFor(news.event, settings);
    if (urls.length === 0) return;
    const body = callbackBody(news, settings.format, this.#names, this.#clock);
    for (const url of urls) this.#sender.send(url, body);
  }
}

/** Whether a session has a connection of its own, of which SRS tells. */
export function isRtmp({ protocol }: Session): boolean {
  return protocol === 'rtmp' || protocol === 'rtmps';
}
