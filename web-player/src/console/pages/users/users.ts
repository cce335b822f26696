import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import { confirm } from '../../components/confirm.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import { table } from '../../components/table.js';
import type { Mount } from '../../page.js';
import { texts } from './texts.js';
import { type User, userDialog } from './user-dialog.js';

/** Users: listed, added, changed, deleted. */
export const mount: Mount = (root, context) => {
  const { api, i18n, me, toast, signal } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  const edit = async (user?: User) => {
    if (await userDialog(context, user)) await list.reload();
  };
  const remove = async ({ id, name }: User) => {
    const done = await confirm(context, {
      title: words('deleteTitle', { name }),
      text: words('deleteText', { name }),
      action: words('deleteAction'),
      act: () => api.delete(`/users/${id}`),
    });
    if (!done) return;
    toast(words('deleted', { name }), 'good');
    await list.reload();
  };
  const paths = (patterns: readonly string[]) => (patterns.length === 0 ? '–' : patterns.join(', '));
  const users = table<User>({
    caption: words('caption'),
    key: ({ id }) => id,
    empty: emptyState(words('none'), words('noneText')),
    sort: { column: 0 },
    columns: [
      {
        title: words('name'),
        sortBy: ({ name }) => name.toLowerCase(),
        cell: ({ name }) =>
          name === me.name ? element('span', {}, name, ' ', badge(words('you')).root) : element('span', {}, name),
      },
      { title: words('role'), sortBy: ({ role }) => role, cell: ({ role }) => words(role) },
      { title: words('publish'), cell: ({ publish }) => paths(publish) },
      { title: words('play'), cell: ({ play }) => paths(play) },
      {
        title: words('state'),
        sortBy: ({ disabled }) => Number(disabled),
        cell: ({ disabled }) =>
          disabled ? badge(words('disabled'), 'warning').root : badge(words('active'), 'good').root,
      },
      {
        title: words('created'),
        sortBy: ({ createdAt }) => createdAt,
        cell: ({ createdAt }) => i18n.format.dateTime(createdAt),
      },
      {
        title: words('actions'),
        actions: true,
        cell: (user) =>
          element(
            'span',
            {},
            button({
              label: words('edit', { name: user.name }),
              icon: 'edit',
              kind: 'quiet',
              iconOnly: true,
              onPress: () => edit(user),
            }),
            button({
              label: words('delete', { name: user.name }),
              icon: 'trash',
              kind: 'quiet',
              iconOnly: true,
              onPress: () => remove(user),
            }),
          ),
      },
    ],
  });
  const list = loaded<{ users: User[] }>(context, {
    ask: () => api.get('/users', { signal }),
    show: (answer) => users.show(answer.users),
    content: [users.root],
  });
  const add = button({ label: words('add'), icon: 'plus', kind: 'primary', onPress: () => edit() });
  root.append(element('div', { class: 'toolbar' }, element('p', { class: 'intro' }, words('intro')), add), list.root);
  return () => undefined;
};
