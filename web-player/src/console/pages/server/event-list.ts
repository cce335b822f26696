import { element } from '../../../dom.js';
import { emptyState } from '../../components/empty-state.js';
import { table } from '../../components/table.js';
import type { FeedEvent } from '../../feed/views.js';
import type { PageContext } from '../../page.js';
import { eventTexts } from './event-texts.js';
import { texts } from './texts.js';

const MOST = 50;

/** What has happened of late, newest first. */
export function eventList({ feed, i18n }: PageContext): { readonly root: HTMLElement; show(): void } {
  const words = i18n.words(texts);
  const told = i18n.words(eventTexts);
  const nameOf = (type: string) => (type in eventTexts.en ? told(type as keyof typeof eventTexts.en) : type);
  const list = table<FeedEvent>({
    caption: words('events'),
    key: ({ id }) => String(id),
    empty: emptyState(words('noEvents'), words('noEventsText')),
    columns: [
      { title: told('when'), cell: ({ at }) => element('time', { datetime: at }, i18n.format.time(at)) },
      { title: told('what'), cell: ({ type }) => nameOf(type) },
      { title: told('stream'), cell: ({ path }) => path ?? '–' },
      {
        title: told('details'),
        cell: ({ detail }) => {
          const parts = Object.entries(detail).map(([name, value]) => `${name}: ${value}`);
          return element('span', { class: 'breakable' }, parts.join(', ') || '–');
        },
      },
    ],
  });
  const show = () => {
    if (feed.isReady) list.show(feed.events.slice(0, MOST));
  };
  return { root: list.root, show };
}
