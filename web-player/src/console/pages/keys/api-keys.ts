import { element } from '../../../dom.js';
import { ApiFailure } from '../../api-client/api-failure.js';
import { button } from '../../components/button.js';
import { checkGroup } from '../../components/check-group.js';
import { confirm } from '../../components/confirm.js';
import { askDialog } from '../../components/dialog.js';
import { emptyState } from '../../components/empty-state.js';
import { textField } from '../../components/field.js';
import { lifetimeField } from '../../components/lifetime-field.js';
import { loaded } from '../../components/loaded.js';
import { showSecrets } from '../../components/secret-dialog.js';
import { table } from '../../components/table.js';
import type { PageContext } from '../../page.js';
import type { Scope } from '../../session/session.js';
import { holdsUntil } from './key-dates.js';
import { texts } from './texts.js';

interface ApiKey {
  readonly id: string;
  readonly label: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

const SCOPES = ['read', 'sessions', 'keys', 'config', 'admin'] as const;

/** The API keys: listed, made and shown once, revoked. */
export function apiKeys(context: PageContext): HTMLElement {
  const { api, i18n, toast, signal } = context;
  const words = i18n.words(texts);
  const revoke = async ({ id, label }: ApiKey) => {
    const done = await confirm(context, {
      title: words('revokeApiTitle', { label }),
      text: words('revokeApiText'),
      action: words('revokeAction'),
      act: () => api.delete(`/api-keys/${id}`),
    });
    if (!done) return;
    toast(words('revoked', { label }), 'good');
    await list.reload();
  };
  const keys = table<ApiKey>({
    caption: words('apiKeys'),
    key: ({ id }) => id,
    empty: emptyState(words('noApiKeys'), words('noApiKeysText')),
    sort: { column: 0 },
    columns: [
      { title: words('label'), sortBy: ({ label }) => label.toLowerCase(), cell: ({ label }) => label },
      { title: words('scopes'), cell: ({ scopes }) => scopes.map((scope) => words(scope)).join(', ') },
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
  const list = loaded<{ apiKeys: ApiKey[] }>(context, {
    ask: () => api.get('/api-keys', { signal }),
    show: (answer) => keys.show(answer.apiKeys),
    content: [keys.root],
  });
  const make = async () => {
    const key = await makeKey(context);
    if (key === undefined) return;
    await list.reload();
    showSecrets(i18n, {
      title: words('onceTitle'),
      text: words('onceText'),
      rows: [
        { label: words('key'), text: key },
        { label: words('header'), text: `Authorization: Bearer ${key}` },
      ],
    });
  };
  const add = button({ label: words('newApiKey'), icon: 'plus', kind: 'primary', onPress: make });
  const toolbar = element('div', { class: 'toolbar' }, element('p', { class: 'intro' }, words('apiKeysText')), add);
  return element('div', { class: 'stack' }, toolbar, list.root);
}

async function makeKey({ api, i18n }: PageContext): Promise<string | undefined> {
  const words = i18n.words(texts);
  const label = textField({
    label: words('label'),
    name: 'label',
    hint: words('labelHint'),
    maxLength: 200,
    required: true,
  });
  const scopes = checkGroup<Scope>({
    label: words('scopes'),
    choices: SCOPES.map((value) => ({ value, label: words(value), hint: words(`${value}Hint`) })),
    chosen: ['read'],
  });
  const lifetime = lifetimeField(i18n, { ever: words('ever') });
  let made: string | undefined;
  await askDialog({
    i18n,
    title: words('newApiKey'),
    body: [],
    action: words('make'),
    fields: { label, scopes, seconds: lifetime },
    act: async () => {
      const { values } = scopes;
      if (values.length === 0) throw new ApiFailure(0, 'bad-request', words('noScope'), 'scopes');
      const { key } = await api.post<{ key: string }>('/api-keys', {
        label: label.input.value.trim(),
        scopes: values,
        ...(lifetime.seconds === undefined ? {} : { seconds: lifetime.seconds }),
      });
      made = key;
    },
  });
  return made;
}
