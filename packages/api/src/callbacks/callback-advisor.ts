import { type AccessAdvisor, type Clock, type Logger, messageOf, Refusal, type Session } from '@sluice/core';
import { type CallbackSettings, callbackBody, urlsFor } from './callback-body.js';
import { type CallbackClient, shownUrl } from './callback-client.js';
import type { CallbackNews } from './callback-news.js';
import { type CallbackNotifier, isRtmp } from './callback-notifier.js';
import type { ServerNames } from './server-names.js';
import { saysYes } from './srs-answer.js';

type Question = Extract<CallbackNews, { event: 'on_connect' | 'on_publish' | 'on_play' }>['event'];
/** How a question to one URL ended. */
export type CallbackOutcome = 'ok' | 'refused' | 'failed';

export interface CallbackAdvisorOptions {
  readonly client: CallbackClient;
  readonly settings: () => CallbackSettings;
  readonly notifier: CallbackNotifier;
  readonly names: ServerNames;
  readonly clock: Clock;
  readonly log: Logger;
  /** Hears how long each question took, for metrics. */
  readonly observe?: ((event: Question, outcome: CallbackOutcome, seconds: number) => void) | undefined;
}

/** Lets callback URLs decide who comes in: all that are set have to agree, and silence is a no. */
export class CallbackAdvisor implements AccessAdvisor {
  readonly #options: CallbackAdvisorOptions;

  constructor(options: CallbackAdvisorOptions) {
    this.#options = options;
  }

  async ask(session: Session): Promise<void> {
    if (session.identity.kind === 'configuration') return;
    const questions: readonly Question[] = [
      ...(isRtmp(session) ? (['on_connect'] as const) : []),
      session.action === 'publish' ? 'on_publish' : 'on_play',
    ];
    const agreed = new Set<Question>();
    try {
      for (const event of questions) await this.#askAll(event, session, () => agreed.add(event));
    } catch (error) {
      const [connect, stream] = [agreed.has('on_connect'), agreed.has('on_publish') || agreed.has('on_play')];
      this.#options.notifier.ended(session, { connect, stream }, messageOf(error));
      throw error;
    }
  }

  /** Somebody else refused a session that was counted in already: it is counted out again. */
  withdraw(session: Session): void {
    this.#options.notifier.ended(session, { connect: isRtmp(session), stream: true }, 'the session was refused');
  }

  async #askAll(event: Question, session: Session, agreed: () => void): Promise<void> {
    const { settings, names, clock, log } = this.#options;
    const current = settings();
    const urls = urlsFor(event, current);
    if (urls.length === 0) return;
    const body = callbackBody({ event, session }, current.format, names, clock);
    for (const url of urls) {
      const outcome = await this.#askOne(event, url, body, current);
      if (outcome === 'ok') agreed();
      if (outcome === 'refused') {
        log.info({ event, url: shownUrl(url), session: session.id }, 'a callback said no');
        throw new Refusal('callback-refused', `the ${event} callback said no`);
      }
      if (outcome === 'failed') throw new Refusal('callback-failed', `the ${event} callback gave no answer`);
    }
  }

  async #askOne(event: Question, url: string, body: string, settings: CallbackSettings): Promise<CallbackOutcome> {
    const { client, clock, log, observe } = this.#options;
    const { timeoutMs, secret } = settings;
    const askedAt = clock.monotonic();
    let outcome: CallbackOutcome = 'failed';
    try {
      outcome = saysYes(await client.post({ url, body, timeoutMs, secret })) ? 'ok' : 'refused';
    } catch (error) {
      log.warn({ event, url: shownUrl(url), detail: messageOf(error) }, 'a callback that has a say gave no answer');
    }
    observe?.(event, outcome, (clock.monotonic() - askedAt) / 1000);
    return outcome;
  }
}
