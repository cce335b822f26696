import { element } from '../../../dom.js';
import { button } from '../../components/button.js';
import { confirm } from '../../components/confirm.js';
import { emptyState } from '../../components/empty-state.js';
import { loaded } from '../../components/loaded.js';
import { type SecretRow, showSecrets } from '../../components/secret-dialog.js';
import { type Column, table } from '../../components/table.js';
import type { PageContext } from '../../page.js';
import { holdsUntil } from './key-dates.js';
import { texts } from './texts.js';

type KeyWord = keyof typeof texts.en;

/** A key as the API lists it: without the secret. */
export interface ListedKey {
  readonly id: string;
  readonly label: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

export interface KeyListOptions<Key extends ListedKey, Answer> {
  /** Of the API: keys are listed at it, and revoked at `{route}/{id}`. */
  readonly route: string;
  /** Reads the keys out of the answer. */
  readonly read: (answer: Answer) => readonly Key[];
  /** What this kind of key has beside a name, and when it was made and ends. */
  readonly columns: readonly Column<Key>[];
  readonly words: {
    readonly caption: KeyWord;
    readonly intro: KeyWord;
    readonly none: KeyWord;
    readonly noneText: KeyWord;
    readonly add: KeyWord;
    readonly revokeTitle: KeyWord;
    readonly revokeText: KeyWord;
  };
  /** Asks for what a key is to be, and makes it. @returns what is shown once; undefined where it was not made */
  readonly make: () => Promise<readonly SecretRow[] | undefined>;
}

/** Keys of one kind: listed, made and shown once, revoked. */
export function keyList<Key extends ListedKey, Answer>(
  context: PageContext,
  options: KeyListOptions<Key, Answer>,
): HTMLElement {
  const { api, i18n, toast, signal } = context;
  const { route } = options;
  const words = i18n.words(texts);
  const revoke = async ({ id, label }: Key) => {
    const done = await confirm(context, {
      title: words(options.words.revokeTitle, { label }),
      text: words(options.words.revokeText),
      action: words('revokeAction'),
      act: () => api.delete(`${route}/${id}`),
    });
    if (!done) return;
    toast(words('revoked', { label }), 'good');
    await list.reload();
  };
  const keys = table<Key>({
    caption: words(options.words.caption),
    key: ({ id }) => id,
    empty: emptyState(words(options.words.none), words(options.words.noneText)),
    sort: { column: 0 },
    columns: [
      { title: words('label'), sortBy: ({ label }) => label.toLowerCase(), cell: ({ label }) => label },
      ...options.columns,
      {
        title: words('created'),
        sortBy: ({ createdAt }) => createdAt,
        cell: ({ createdAt }) => i18n.format.dateTime(createdAt),
      },
      {
        title: words('expires'),
        sortBy: ({ expiresAt }) => expiresAt ?? '9',
        cell: ({ expiresAt }) => holdsUntil(i18n, expiresAt),
      },
      {
        title: words('actions'),
        actions: true,
        cell: (key) =>
          button({
            label: words('revoke', { label: key.label }),
            icon: 'trash',
            kind: 'quiet',
            iconOnly: true,
            onPress: () => revoke(key),
          }),
      },
    ],
  });
  const list = loaded<Answer>(context, {
    ask: () => api.get(route, { signal }),
    show: (answer) => keys.show(options.read(answer)),
    content: [keys.root],
  });
  const make = async () => {
    const rows = await options.make();
    if (rows === undefined) return;
    await list.reload();
    showSecrets(i18n, { title: words('onceTitle'), text: words('onceText'), rows });
  };
  const add = button({ label: words(options.words.add), icon: 'plus', kind: 'primary', onPress: make });
  const intro = element('p', { class: 'intro' }, words(options.words.intro));
  return element('div', { class: 'stack' }, element('div', { class: 'toolbar' }, intro, add), list.root);
}
