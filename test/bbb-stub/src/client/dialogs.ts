/// <reference lib="dom" />
import type { ModalKind } from '../protocol.js';
import { type Attributes, button, element } from './dom.js';
import type { Look } from './look.js';
import type { Word } from './words.js';

const TOAST_MS = 5000;

/** Shows a dialog that covers the picture and takes all clicks. @returns what takes it away */
export function showDialog(
  attributes: Attributes,
  content: readonly (Node | string)[],
  canEscape: boolean,
): () => void {
  const dialog = element('div', { role: 'dialog', ...attributes, class: 'dialog' }, ...content);
  const backdrop = element('div', { class: 'backdrop modalOverlay' }, dialog);
  const close = () => {
    backdrop.remove();
    removeEventListener('keydown', onKey);
  };
  const onKey = ({ key }: KeyboardEvent) => {
    if (key === 'Escape' && canEscape) close();
  };
  addEventListener('keydown', onKey);
  document.body.append(backdrop);
  return close;
}

/** What comes up in the course of a meeting. */
export function showModal(kind: ModalKind, look: Look, words: Readonly<Record<Word, string>>): void {
  let close = () => {};
  const closing = (text: string, attributes: Attributes) => button(text, attributes, () => close());
  switch (kind) {
    case 'poll': {
      const poll = element('div', { class: 'corner', 'data-test': 'pollingContainer' }, element('h3', {}, words.poll));
      const answers = ['A', 'B'].map((answer) =>
        button(answer, { 'data-test': 'pollAnswerOption' }, () => poll.remove()),
      );
      poll.append(words.pollQuestion, ...answers);
      document.body.append(poll);
      break;
    }
    case 'breakout':
      close = showDialog({}, [element('h3', {}, words.breakout), closing(words.close, look.dismiss)], true);
      break;
    case 'recording':
      close = showDialog(
        {},
        [element('h3', {}, words.recording), closing(words.continueRecording, look.recordingContinue)],
        true,
      );
      break;
    case 'session-details':
      close = showDialog(
        look.sessionDetails,
        [
          element('h3', {}, words.sessionDetails),
          closing(words.close, { 'data-test': 'closeModal', 'aria-label': words.close }),
        ],
        true,
      );
      break;
  }
}

/** Lies over everything, unseen, and takes all clicks. */
export function coverClicks(ms: number): void {
  const overlay = element('div', { class: 'overlay' });
  document.body.append(overlay);
  setTimeout(() => overlay.remove(), ms);
}

/** Short messages in a corner. */
export class Toasts {
  readonly #container = element('div', { class: 'Toastify' });
  readonly #isHidden: boolean;

  constructor(isHidden: boolean) {
    this.#isHidden = isHidden;
    document.body.append(this.#container);
  }

  show(text: string): void {
    if (this.#isHidden) return;
    const toast = element('div', { class: 'toast', 'data-test': 'toastSmallMsg' }, text);
    this.#container.append(toast);
    setTimeout(() => toast.remove(), TOAST_MS);
  }
}
