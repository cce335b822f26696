import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { confirm } from '../../components/confirm.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import { table } from '../../components/table.js';
import type { Mount } from '../../page.js';
import { type BanKind, banDialog } from './ban-dialog.js';
import { texts } from './texts.js';

interface Ban {
  readonly id: string;
  readonly kind: BanKind;
  readonly value: string;
  readonly path: string | null;
  readonly reason: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

/** Bans: listed, made, lifted. */
export const mount: Mount = (root, context) => {
  const { api, i18n, may, toast, signal } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  const lift = async ({ id, value }: Ban) => {
    const done = await confirm(context, {
      title: words('liftTitle', { value }),
      text: words('liftText'),
      action: words('liftAction'),
      act: () => api.delete(`/bans/${id}`),
    });
    if (!done) return;
    toast(words('lifted'), 'good');
    await list.reload();
  };
  const actions = {
    title: words('actions'),
    actions: true,
    cell: (ban: Ban) =>
      button({
        label: words('lift', { value: ban.value }),
        icon: 'trash',
        kind: 'quiet',
        iconOnly: true,
        onPress: () => lift(ban),
      }),
  };
  const bans = table<Ban>({
    caption: words('caption'),
    key: ({ id }) => id,
    empty: emptyState(words('none'), words('noneText')),
    columns: [
      { title: words('kind'), sortBy: ({ kind }) => kind, cell: ({ kind }) => badge(words(kind)).root },
      {
        title: words('value'),
        sortBy: ({ value }) => value,
        cell: ({ value }) => element('code', value.length > 40 ? { class: 'breakable' } : {}, value),
      },
      { title: words('path'), cell: ({ path }) => path ?? words('everywhere') },
      { title: words('reason'), cell: ({ reason }) => reason },
      {
        title: words('by'),
        sortBy: ({ createdAt }) => createdAt,
        cell: ({ createdBy, createdAt }) =>
          element(
            'div',
            { class: 'two-lines' },
            createdBy,
            element('time', { class: 'hint', datetime: createdAt }, i18n.format.dateTime(createdAt)),
          ),
      },
      {
        title: words('until'),
        sortBy: ({ expiresAt }) => expiresAt ?? '9',
        cell: ({ expiresAt }) => (expiresAt === null ? words('forever') : i18n.format.dateTime(expiresAt)),
      },
      ...(may('sessions') ? [actions] : []),
    ],
  });
  const list = loaded<{ bans: Ban[] }>(context, {
    ask: () => api.get('/bans', { signal }),
    show: (answer) => bans.show(answer.bans),
    content: [bans.root],
  });
  const toolbar = element('div', { class: 'toolbar' }, element('p', { class: 'intro' }, words('intro')));
  if (may('sessions')) {
    const add = async () => {
      if (await banDialog(context)) await list.reload();
    };
    toolbar.append(button({ label: words('add'), icon: 'ban', kind: 'primary', onPress: add }));
  }
  root.append(toolbar, list.root);
  return () => undefined;
};
