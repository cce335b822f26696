import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import type { Tone } from '../../components/tone.js';
import type { CaptureView } from '../../feed/views.js';
import type { I18n } from '../../i18n/i18n.js';
import { stateTexts, texts } from './texts.js';

const TONES: Readonly<Record<CaptureView['state'], Tone>> = {
  waiting: 'neutral',
  joining: 'warning',
  live: 'live',
  degraded: 'warning',
  ended: 'neutral',
  failed: 'bad',
};

export const isUnderWay = ({ state }: CaptureView): boolean => state !== 'ended' && state !== 'failed';

/** The state of a capture, with what is wrong in words. */
export function stateCell(i18n: I18n, { state, step, trouble, reason, failure, detail }: CaptureView): HTMLElement {
  const words = i18n.words(texts);
  const why = i18n.words(stateTexts);
  const code = trouble ?? failure ?? reason;
  const told = code === null ? '' : code in stateTexts.en ? why(code as keyof typeof stateTexts.en) : code;
  const root = element(
    'div',
    { class: 'capture-state' },
    badge(words(state, { step: step ?? '…' }), TONES[state]).root,
  );
  if (told !== '') root.append(element('span', {}, told));
  if (detail !== null && detail !== '') root.append(element('span', { class: 'hint', lang: 'en' }, detail));
  return root;
}
