import { element } from '../../dom.js';
import type { FeedEvent } from '../feed/views.js';
import type { I18n } from '../i18n/i18n.js';
import { eventTone, eventWords } from './event-words.js';
import { keyedList } from './keyed-list.js';

/** What has happened, newest first. */
export function eventList(
  i18n: I18n,
  empty: string,
): { readonly root: HTMLElement; show(events: readonly FeedEvent[]): void } {
  const list = element('ol', { class: 'events' });
  const nothing = element('p', { class: 'hint' }, empty);
  const items = keyedList<FeedEvent>(list, {
    key: ({ id }) => String(id),
    changed: () => false,
    make: (event) => {
      const text = element('span', {}, eventWords(event, i18n) ?? event.type);
      const at = element('time', { datetime: event.at }, i18n.format.time(event.at));
      const root = element('li', {}, at, text);
      root.dataset.tone = eventTone(event);
      return { root, update: () => undefined };
    },
  });
  const show = (events: readonly FeedEvent[]) => {
    nothing.hidden = events.length > 0;
    items.show(events);
  };
  return { root: element('div', {}, list, nothing), show };
}
