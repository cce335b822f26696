import { element } from '../../../dom.js';
import { button } from '../../components/button.js';
import { confirm } from '../../components/confirm.js';
import { askDialog } from '../../components/dialog.js';
import { emptyState } from '../../components/empty-state.js';
import { selectField, textField } from '../../components/field.js';
import { lifetimeField } from '../../components/lifetime-field.js';
import { loaded } from '../../components/loaded.js';
import { showSecrets } from '../../components/secret-dialog.js';
import { table } from '../../components/table.js';
import type { PageContext } from '../../page.js';
import { holdsUntil } from './key-dates.js';
import { texts } from './texts.js';

interface StreamKey {
  readonly id: string;
  readonly label: string;
  readonly action: 'publish' | 'play';
  readonly path: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

interface Made {
  readonly streamKey: StreamKey;
  readonly key: string;
}

/** The stream keys: listed, made and shown once, revoked. */
export function streamKeys(context: PageContext): HTMLElement {
  const { api, i18n, toast, signal } = context;
  const words = i18n.words(texts);
  const revoke = async ({ id, label }: StreamKey) => {
    const done = await confirm(context, {
      title: words('revokeStreamTitle', { label }),
      text: words('revokeStreamText'),
      action: words('revokeAction'),
      act: () => api.delete(`/stream-keys/${id}`),
    });
    if (!done) return;
    toast(words('revoked', { label }), 'good');
    await list.reload();
  };
  const keys = table<StreamKey>({
    caption: words('streamKeys'),
    key: ({ id }) => id,
    empty: emptyState(words('noStreamKeys'), words('noStreamKeysText')),
    sort: { column: 0 },
    columns: [
      { title: words('label'), sortBy: ({ label }) => label.toLowerCase(), cell: ({ label }) => label },
      { title: words('action'), sortBy: ({ action }) => action, cell: ({ action }) => words(action) },
      { title: words('path'), sortBy: ({ path }) => path, cell: ({ path }) => element('code', {}, path) },
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
  const list = loaded<{ streamKeys: StreamKey[] }>(context, {
    ask: () => api.get('/stream-keys', { signal }),
    show: (answer) => keys.show(answer.streamKeys),
    content: [keys.root],
  });
  const make = async () => {
    const made = await makeKey(context);
    if (made === undefined) return;
    await list.reload();
    const { key, streamKey } = made;
    const isOne = streamKey.action === 'publish' && !streamKey.path.includes('*');
    const name = streamKey.path.split('/').slice(1).join('/');
    showSecrets(i18n, {
      title: words('onceTitle'),
      text: words('onceText'),
      rows: [
        { label: words('key'), text: key },
        { label: words('query'), text: `?key=${key}` },
        ...(isOne ? [{ label: words('obs'), text: `${name}?key=${key}` }] : []),
      ],
    });
  };
  const add = button({ label: words('newStreamKey'), icon: 'plus', kind: 'primary', onPress: make });
  const toolbar = element('div', { class: 'toolbar' }, element('p', { class: 'intro' }, words('streamKeysText')), add);
  return element('div', { class: 'stack' }, toolbar, list.root);
}

async function makeKey({ api, i18n }: PageContext): Promise<Made | undefined> {
  const words = i18n.words(texts);
  const label = textField({
    label: words('label'),
    name: 'label',
    hint: words('labelHint'),
    maxLength: 200,
    required: true,
  });
  const path = textField({
    label: words('path'),
    name: 'path',
    hint: words('pathHint'),
    required: true,
    maxLength: 255,
  });
  const action = selectField({
    label: words('action'),
    name: 'action',
    options: (['publish', 'play'] as const).map((value) => ({ value, label: words(value) })),
  });
  const lifetime = lifetimeField(i18n, { ever: words('ever') });
  let made: Made | undefined;
  await askDialog({
    i18n,
    title: words('newStreamKey'),
    body: [],
    action: words('make'),
    fields: { label, action, path, seconds: lifetime },
    act: async () => {
      made = await api.post<Made>('/stream-keys', {
        label: label.input.value.trim(),
        action: action.input.value,
        path: path.input.value.trim(),
        ...(lifetime.seconds === undefined ? {} : { seconds: lifetime.seconds }),
      });
    },
  });
  return made;
}
