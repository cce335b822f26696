import { ApiFailure } from '../../api-client/api-failure.js';
import { checkGroup } from '../../components/check-group.js';
import { askDialog } from '../../components/dialog.js';
import { textField } from '../../components/field.js';
import { lifetimeField } from '../../components/lifetime-field.js';
import type { PageContext } from '../../page.js';
import type { Scope } from '../../session/session.js';
import { keyList, type ListedKey } from './key-list.js';
import { texts } from './texts.js';

interface ApiKey extends ListedKey {
  readonly scopes: readonly Scope[];
}

const SCOPES = ['read', 'sessions', 'keys', 'config', 'admin'] as const;

/** The API keys. */
export function apiKeys(context: PageContext): HTMLElement {
  const words = context.i18n.words(texts);
  return keyList<ApiKey, { apiKeys: ApiKey[] }>(context, {
    route: '/api-keys',
    read: (answer) => answer.apiKeys,
    columns: [{ title: words('scopes'), cell: ({ scopes }) => scopes.map((scope) => words(scope)).join(', ') }],
    words: {
      caption: 'apiKeys',
      intro: 'apiKeysText',
      none: 'noApiKeys',
      noneText: 'noApiKeysText',
      add: 'newApiKey',
      revokeTitle: 'revokeApiTitle',
      revokeText: 'revokeApiText',
    },
    make: async () => {
      const key = await makeKey(context);
      if (key === undefined) return undefined;
      return [
        { label: words('key'), text: key },
        { label: words('header'), text: `Authorization: Bearer ${key}` },
      ];
    },
  });
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
