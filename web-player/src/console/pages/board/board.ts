import { element } from '../../../dom.js';
import { emptyState } from '../../components/empty-state.js';
import { eventList } from '../../components/event-list.js';
import { selectField, textField } from '../../components/field.js';
import { keyedList } from '../../components/keyed-list.js';
import { Posters } from '../../components/posters.js';
import type { StreamView } from '../../feed/views.js';
import type { Mount } from '../../page.js';
import { type Choice, chooseStreams } from './choose-streams.js';
import { type StreamCard, streamCard } from './stream-card.js';
import { summary } from './summary.js';
import { boardTexts } from './texts.js';

const SHOWN_EVENTS = 12;
/** Cards that are about to be seen are ready by then. */
const MARGIN = '200px';

/** All streams that are live, as they are now. */
export const mount: Mount = (root, { api, feed, i18n, signal, query, setQuery }) => {
  const words = i18n.words(boardTexts);
  const posters = new Posters(api, signal);
  const figures = summary(i18n);
  const search = textField({
    label: words('search'),
    name: 'search',
    type: 'search',
    value: query.get('search') ?? '',
  });
  const show = selectField({
    label: words('show'),
    name: 'show',
    value: query.get('show') ?? 'all',
    options: [
      { value: 'all', label: words('all') },
      { value: 'troubled', label: words('troubled') },
      { value: 'watched', label: words('watched') },
    ],
  });
  const sort = selectField({
    label: words('sort'),
    name: 'sort',
    value: query.get('sort') ?? 'name',
    options: [
      { value: 'name', label: words('name') },
      { value: 'health', label: words('worst') },
      { value: 'viewers', label: words('mostViewers') },
      { value: 'bitrate', label: words('bitrate') },
    ],
  });
  const toolbar = element('div', { class: 'toolbar' }, search.root, show.root, sort.root);
  const cards = element('ul', { class: 'stream-cards' });
  const nothing = emptyState(words('nothing'), words('nothingText'));
  const noMatch = emptyState(words('noMatch'), words('noMatchText'));
  const events = eventList(i18n, words('quiet'));
  const happened = element('section', { class: 'panel' }, element('h2', {}, words('happened')), events.root);
  root.append(figures.root, toolbar, cards, nothing, noMatch, happened);

  const known = new Map<Element, StreamCard>();
  const sight = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) known.get(target)?.setVisible(isIntersecting);
    },
    { rootMargin: MARGIN },
  );
  const list = keyedList<StreamView, StreamCard>(cards, {
    key: ({ path }) => path,
    changed: () => true,
    make: ({ path }) => {
      const card = streamCard({ path, i18n, feed, posters });
      known.set(card.root, card);
      sight.observe(card.root);
      return card;
    },
    removed: ({ root: gone }) => {
      known.delete(gone);
      sight.unobserve(gone);
      posters.drop(gone.dataset.path ?? '');
    },
  });

  const choice = (): Choice => ({
    search: search.input.value,
    show: show.input.value as Choice['show'],
    sort: sort.input.value as Choice['sort'],
  });
  const refresh = () => {
    const all = feed.streams.values();
    const chosen = chooseStreams(all, choice());
    list.show(chosen);
    nothing.hidden = all.length > 0 || !feed.isReady;
    toolbar.hidden = all.length === 0;
    noMatch.hidden = all.length === 0 || chosen.length > 0;
  };
  toolbar.addEventListener('input', () => {
    const { search: text, show: what, sort: by } = choice();
    setQuery({ search: text, show: what === 'all' ? '' : what, sort: by === 'name' ? '' : by });
    refresh();
  });
  feed.follow((changed) => {
    if (changed.has('totals') || changed.has('load')) figures.show(feed);
    if (changed.has('events')) events.show(feed.events.slice(0, SHOWN_EVENTS));
    refresh();
  }, signal);
  return () => sight.disconnect();
};
