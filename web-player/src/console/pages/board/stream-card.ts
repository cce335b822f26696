import { element, setText } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import type { ListItem } from '../../components/keyed-list.js';
import type { StreamView } from '../../feed/views.js';
import type { I18n } from '../../i18n/i18n.js';
import { boardTexts } from './texts.js';

export function streamCard(path: string, i18n: I18n): ListItem<StreamView> {
  const words = i18n.words(boardTexts);
  const state = badge();
  const viewers = element('p');
  const root = element('li', { class: 'panel' }, element('h2', {}, path), state.root, viewers);
  return {
    root,
    update: (stream) => {
      const isLive = stream.state === 'live';
      state.set(words(isLive ? 'live' : 'waiting'), isLive ? 'live' : 'warning');
      setText(viewers, words('viewers', { n: stream.viewers }));
    },
  };
}
