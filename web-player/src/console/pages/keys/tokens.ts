import { element } from '../../../dom.js';
import { button } from '../../components/button.js';
import { askDialog } from '../../components/dialog.js';
import { selectField, textField } from '../../components/field.js';
import { lifetimeField } from '../../components/lifetime-field.js';
import { showSecrets } from '../../components/secret-dialog.js';
import type { PageContext } from '../../page.js';
import { texts } from './texts.js';

const KINDS = ['sign', 'jwt', 'wms-auth'] as const;

interface Token {
  readonly value: string;
  readonly query: string;
  readonly expiresAt: string;
}

/** Tokens: made and shown, banned. There is no list of them: the server keeps none. */
export function tokens(context: PageContext): HTMLElement {
  const { i18n, may, toast } = context;
  const words = i18n.words(texts);
  const make = async () => {
    const token = await makeToken(context);
    if (token === undefined) return;
    const holds = words('expiresAt', { time: i18n.format.dateTime(token.expiresAt) });
    showSecrets(i18n, {
      title: words('tokenTitle'),
      text: `${words('tokenText')} ${holds}`,
      rows: [
        { label: words('query'), text: token.query },
        { label: words('key'), text: token.value },
      ],
    });
  };
  const ban = async () => {
    if (await banToken(context)) toast(words('banned'), 'good');
  };
  const actions = element(
    'div',
    { class: 'actions' },
    ...(may('sessions') ? [button({ label: words('banToken'), icon: 'ban', onPress: ban })] : []),
    button({ label: words('newToken'), icon: 'plus', kind: 'primary', onPress: make }),
  );
  const intro = element('p', { class: 'intro' }, words('tokensText'));
  return element('div', { class: 'stack' }, element('div', { class: 'toolbar' }, intro, actions));
}

async function makeToken({ api, i18n }: PageContext): Promise<Token | undefined> {
  const words = i18n.words(texts);
  const kind = selectField({
    label: words('kind'),
    name: 'kind',
    hint: words('kindHint'),
    options: KINDS.map((value) => ({ value, label: words(value) })),
  });
  const action = selectField({
    label: words('action'),
    name: 'action',
    options: (['play', 'publish'] as const).map((value) => ({ value, label: words(value) })),
  });
  const path = textField({
    label: words('path'),
    name: 'path',
    hint: words('pathHint'),
    required: true,
    maxLength: 255,
  });
  const viewer = textField({ label: words('viewer'), name: 'viewer', hint: words('viewerHint'), maxLength: 200 });
  const ip = textField({ label: words('ip'), name: 'ip', hint: words('ipHint'), maxLength: 64 });
  const lifetime = lifetimeField(i18n, { value: 'day', label: words('lifetime') });
  let made: Token | undefined;
  await askDialog({
    i18n,
    title: words('newToken'),
    body: [],
    action: words('make'),
    fields: { kind, action, path, viewer, ip, seconds: lifetime },
    act: async () => {
      const optional = { viewer: viewer.input.value.trim(), ip: ip.input.value.trim() };
      made = await api.post<Token>('/tokens', {
        kind: kind.input.value,
        action: action.input.value,
        path: path.input.value.trim(),
        seconds: lifetime.seconds,
        ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== '')),
      });
    },
  });
  return made;
}

function banToken({ api, i18n }: PageContext): Promise<boolean> {
  const words = i18n.words(texts);
  const value = textField({ label: words('banTokenField'), name: 'value', required: true, maxLength: 8192 });
  return askDialog({
    i18n,
    title: words('banTokenTitle'),
    body: [element('p', {}, words('banTokenText'))],
    action: words('banAction'),
    danger: true,
    fields: { value },
    act: () => api.post('/bans', { kind: 'token', value: value.input.value.trim() }),
  });
}
