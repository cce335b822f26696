import { element } from '../../../dom.js';
import { askDialog } from '../../components/dialog.js';
import { selectField, textField } from '../../components/field.js';
import { lifetimeField } from '../../components/lifetime-field.js';
import type { PageContext } from '../../page.js';
import { keyList, type ListedKey } from './key-list.js';
import { texts } from './texts.js';

interface StreamKey extends ListedKey {
  readonly action: 'publish' | 'play';
  readonly path: string;
}

interface Made {
  readonly streamKey: StreamKey;
  readonly key: string;
}

/** The stream keys. */
export function streamKeys(context: PageContext): HTMLElement {
  const words = context.i18n.words(texts);
  return keyList<StreamKey, { streamKeys: StreamKey[] }>(context, {
    route: '/stream-keys',
    read: (answer) => answer.streamKeys,
    columns: [
      { title: words('action'), sortBy: ({ action }) => action, cell: ({ action }) => words(action) },
      { title: words('path'), sortBy: ({ path }) => path, cell: ({ path }) => element('code', {}, path) },
    ],
    words: {
      caption: 'streamKeys',
      intro: 'streamKeysText',
      none: 'noStreamKeys',
      noneText: 'noStreamKeysText',
      add: 'newStreamKey',
      revokeTitle: 'revokeStreamTitle',
      revokeText: 'revokeStreamText',
    },
    make: async () => {
      const made = await makeKey(context);
      if (made === undefined) return undefined;
      const { key, streamKey } = made;
      const isOne = streamKey.action === 'publish' && !streamKey.path.includes('*');
      const name = streamKey.path.split('/').slice(1).join('/');
      return [
        { label: words('key'), text: key },
        { label: words('query'), text: `?key=${key}` },
        ...(isOne ? [{ label: words('obs'), text: `${name}?key=${key}` }] : []),
      ];
    },
  });
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
