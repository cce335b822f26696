/// <reference lib="dom" />
import type { EndReason } from '../protocol.js';
import { isSince, type Skin } from '../skin.js';
import { button, element } from './dom.js';
import type { Look } from './look.js';
import type { Word } from './words.js';

/** What the screens without a meeting are made with. */
export interface ScreenContext {
  readonly app: HTMLElement;
  readonly skin: Skin;
  readonly words: Readonly<Record<Word, string>>;
  readonly look: Look;
}

const UNAUTHORISED = 401;
const GONE = 410;

export function loadingScreen({ app, words }: ScreenContext): void {
  app.replaceChildren(element('div', { class: 'screen' }, words.loading));
}

/** The lobby. @returns what changes its message */
export function lobbyScreen({ app, skin, words }: ScreenContext): (message: string) => void {
  // The older page is one of its own, with a heading.
  const isOld = !isSince(skin, '2.7');
  const message = isOld
    ? element('h1', { id: 'heading' }, words.guestWait)
    : element('p', { 'data-test': 'guestMessage' }, words.guestWait);
  const queue = isOld ? '' : element('p', { id: 'positionInWaitingQueue' }, words.queue);
  app.replaceChildren(element('div', { class: 'screen' }, message, queue));
  return (text) => {
    message.textContent = text;
  };
}

/** What is there when one is out of the meeting. */
export function endScreen({ app, words, look }: ScreenContext, reason: EndReason, logoutUrl: string): void {
  const leave = button('OK', { 'data-test': 'redirectButton' }, () => location.assign(logoutUrl));
  app.replaceChildren(
    element(
      'div',
      { class: 'screen', ...look.ended },
      element('h1', look.endedTitle, words[reason]),
      element('p', {}, words.endedMore),
      leave,
    ),
  );
}

export function errorScreen({ app, skin, words }: ScreenContext, code: number): void {
  let text = words.errorOther;
  if (code === UNAUTHORISED) text = words.errorUnauthorised;
  if (code === GONE) text = words.errorGone;
  const number =
    skin === 'livekit' ? element('div', { 'data-test': 'errorScreenCode' }, `${code}`) : element('div', {}, `${code}`);
  app.replaceChildren(
    element('div', { class: 'screen' }, element('h1', { 'data-test': 'errorScreenMessage' }, text), number),
  );
}
