import { element } from '../../dom.js';
import type { I18n } from '../i18n/i18n.js';
import { button } from './button.js';
import type { Tone } from './tone.js';

const texts = { en: { dismiss: 'Dismiss' }, de: { dismiss: 'Ausblenden' } } as const;

const SHOWN_MS = 6000;
/** What has gone wrong is to be read. */
const SHOWN_BAD_MS = 15_000;
const MOST = 4;

/** Short messages at the edge of the page, which go away by themselves. */
export class Toasts {
  readonly root = element('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });

  show(i18n: I18n, text: string, tone: Tone = 'neutral'): void {
    const toast = element('div', { class: 'toast' }, element('span', {}, text));
    toast.dataset.tone = tone;
    const remove = () => toast.remove();
    toast.append(
      button({
        label: i18n.words(texts)('dismiss'),
        icon: 'close',
        kind: 'quiet',
        iconOnly: true,
        onPress: remove,
      }),
    );
    this.root.append(toast);
    while (this.root.childElementCount > MOST) this.root.firstElementChild?.remove();
    setTimeout(remove, tone === 'bad' ? SHOWN_BAD_MS : SHOWN_MS);
  }
}
