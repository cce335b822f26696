import { element } from '../../../dom.js';
import { emptyState } from '../../components/empty-state.js';
import { keyedList } from '../../components/keyed-list.js';
import type { StreamView } from '../../feed/views.js';
import type { Mount } from '../../page.js';
import { streamCard } from './stream-card.js';
import { boardTexts } from './texts.js';

/** All streams that are live, as they are now. */
export const mount: Mount = (root, { feed, i18n, signal }) => {
  const words = i18n.words(boardTexts);
  const cards = element('ul', { class: 'stream-cards' });
  const nothing = emptyState(words('nothing'), words('nothingText'));
  const list = keyedList<StreamView>(cards, {
    key: ({ path }) => path,
    make: (stream) => streamCard(stream.path, i18n),
    changed: (before, after) => before !== after,
  });
  root.append(cards, nothing);
  feed.follow((changed) => {
    if (!changed.has('streams')) return;
    const streams = feed.streams.values().sort((a, b) => a.path.localeCompare(b.path));
    list.show(streams);
    nothing.hidden = streams.length > 0 || !feed.isReady;
  }, signal);
  return () => undefined;
};
