import { pathPart } from '../../api-client/api-client.js';
import { askDialog } from '../../components/dialog.js';
import { selectField, textField } from '../../components/field.js';
import type { SessionView } from '../../feed/views.js';
import type { PageContext } from '../../page.js';
import { sessionTexts } from './texts.js';

const HOUR = 3600;

type Context = Pick<PageContext, 'api' | 'i18n' | 'toast'>;

/** Asks, and ends a session; its peer may come back. */
export async function kickSession({ api, i18n, toast }: Context, { id, ip, path }: SessionView): Promise<void> {
  const words = i18n.words(sessionTexts);
  const done = await askDialog({
    i18n,
    title: words('kickTitle'),
    body: [words('kickText', { ip, path })],
    action: words('kick'),
    danger: true,
    act: () => api.delete(`/sessions/${pathPart(id)}`),
  });
  if (done) toast(words('kicked'), 'good');
}

/** Asks by what and for how long, ends a session, and keeps its peer out. */
export async function denySession({ api, i18n, toast }: Context, session: SessionView): Promise<void> {
  const words = i18n.words(sessionTexts);
  const { id, ip, viewer, credential } = session;
  const deny = selectField({
    label: words('denyBy'),
    name: 'deny',
    options: [
      { value: 'auto', label: words('auto') },
      { value: 'session', label: words('session') },
      ...(viewer === null ? [] : [{ value: 'viewer', label: words('account', { viewer }) }]),
      ...(credential === null ? [] : [{ value: 'token', label: words('token') }]),
      { value: 'ip', label: words('address', { ip }) },
    ],
  });
  const seconds = selectField({
    label: words('denyFor'),
    name: 'seconds',
    value: String(HOUR),
    options: [
      { value: '600', label: words('minutes10') },
      { value: String(HOUR), label: words('hour') },
      { value: String(24 * HOUR), label: words('day') },
      { value: String(7 * 24 * HOUR), label: words('week') },
    ],
  });
  const reason = textField({ label: words('reason'), name: 'reason', hint: words('reasonHint'), maxLength: 200 });
  const done = await askDialog({
    i18n,
    title: words('denyTitle', { ip }),
    body: [words('denyText')],
    action: words('deny'),
    danger: true,
    fields: { deny, seconds, reason },
    act: () =>
      api.delete(`/sessions/${pathPart(id)}`, {
        query: { deny: deny.input.value, seconds: seconds.input.value, reason: reason.input.value.trim() || undefined },
      }),
  });
  if (done) toast(words('denied'), 'good');
}
