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
  const wordOf = (name: string) => (name in eventTexts.en ? told(name as keyof typeof eventTexts.en) : name);
  const list = table<FeedEvent>({
    caption: words('events'),
    key: ({ id }) => String(id),
    empty: emptyState(words('noEvents'), words('noEventsText')),
    columns: [
      { title: told('when'), cell: ({ at }) => element('time', { datetime: at }, i18n.format.time(at)) },
      { title: told('what'), cell: ({ type }) => wordOf(type) },
      { title: told('stream'), cell: ({ path }) => path ?? '–' },
      {
        title: told('details'),
        cell: ({ detail }) => {
          const shown = Object.entries(detail).filter(([name]) => name !== 'session');
          const parts = shown.map(([name, value]) => `${wordOf(name)}: ${value}`);
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
