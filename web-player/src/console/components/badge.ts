import { element, setText } from '../../dom.js';
import type { Tone } from './tone.js';

/** A word with a colour; the word alone says it, too. */
export interface Badge {
  readonly root: HTMLElement;
  set(text: string, tone: Tone): void;
}

export function badge(text = '', tone: Tone = 'neutral'): Badge {
  const root = element('span', { class: 'badge' });
  const set = (next: string, nextTone: Tone) => {
    setText(root, next);
    if (root.dataset.tone !== nextTone) root.dataset.tone = nextTone;
  };
  set(text, tone);
  return { root, set };
}
