import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import { table } from '../../components/table.js';
import type { Mount } from '../../page.js';
import { auditFilter, queryOf } from './audit-filter.js';
import { texts } from './texts.js';

interface Entry {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly ip: string | null;
  readonly action: string;
  readonly target: string;
  readonly result: 'ok' | 'refused' | 'failed';
  readonly detail: string | null;
}

const PAGE = 100;
const TONES = { ok: 'good', refused: 'warning', failed: 'bad' } as const;

/** The audit log: filtered, page by page. */
export const mount: Mount = (root, context) => {
  const { api, i18n, signal, fail } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  let entries: readonly Entry[] = [];
  let hasMore = false;
  const empty = element('div');
  const log = table<Entry>({
    caption: words('title'),
    key: ({ id }) => String(id),
    empty,
    columns: [
      {
        title: words('at'),
        cell: ({ at }) => element('time', { datetime: at }, i18n.format.dateTime(at)),
      },
      { title: words('actor'), cell: ({ actor }) => (actor === 'system' ? words('from_machine') : actor) },
      { title: words('action'), cell: ({ action }) => element('code', {}, action) },
      { title: words('target'), cell: ({ target }) => element('span', { class: 'breakable' }, target || '–') },
      { title: words('result'), cell: ({ result }) => badge(words(result), TONES[result]).root },
      { title: words('ip'), cell: ({ ip }) => ip ?? '–' },
      { title: words('detail'), cell: ({ detail }) => element('span', { class: 'breakable' }, detail ?? '–') },
    ],
  });
  const ask = async (before?: number): Promise<readonly Entry[]> => {
    const query = { ...queryOf(filter.values), limit: PAGE, before };
    return (await api.get<{ entries: Entry[] }>('/audit', { query, signal })).entries;
  };
  const show = (found: readonly Entry[]) => {
    entries = found;
    const isFiltered = Object.keys(filter.values).length > 0;
    empty.replaceChildren(
      isFiltered ? emptyState(words('none'), words('noneText')) : emptyState(words('empty'), words('emptyText')),
    );
    log.show(entries);
    older.hidden = !hasMore;
    end.hidden = hasMore || entries.length === 0;
  };
  const older = button({
    label: words('older'),
    onPress: async () => {
      try {
        const more = await ask(entries.at(-1)?.id);
        if (signal.aborted) return;
        hasMore = more.length === PAGE;
        show([...entries, ...more]);
      } catch (error) {
        fail(error);
      }
    },
  });
  const end = element('p', { class: 'hint' }, words('end'));
  const filter = auditFilter(i18n, context.query, (values) => {
    context.setQuery(values as Record<string, string>);
    void list.reload();
  });
  const list = loaded<readonly Entry[]>(context, {
    ask: () => ask(),
    show: (found) => {
      hasMore = found.length === PAGE;
      show(found);
    },
    content: [log.root, element('div', { class: 'list-foot' }, older, end)],
  });
  root.append(element('p', { class: 'intro' }, words('intro')), filter.root, list.root);
  return () => undefined;
};
