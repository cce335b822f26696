import { askDialog } from '../../components/dialog.js';
import { selectField, textField } from '../../components/field.js';
import { lifetimeField } from '../../components/lifetime-field.js';
import type { PageContext } from '../../page.js';
import { texts } from './texts.js';

const KINDS = ['ip', 'viewer', 'token', 'session'] as const;
export type BanKind = (typeof KINDS)[number];

/** Asks whom to keep out. @returns whether somebody is kept out now */
export async function banDialog({ api, i18n, toast }: PageContext): Promise<boolean> {
  const words = i18n.words(texts);
  const kind = selectField({
    label: words('kind'),
    name: 'kind',
    options: KINDS.map((value) => ({ value, label: words(value) })),
    hint: words('ipHint'),
  });
  const kindOf = () => kind.input.value as BanKind;
  const hint = kind.root.querySelector('.hint');
  kind.input.addEventListener('change', () => {
    if (hint !== null) hint.textContent = words(`${kindOf()}Hint`);
  });
  const value = textField({ label: words('value'), name: 'value', required: true, maxLength: 8192 });
  const path = textField({ label: words('pathLabel'), name: 'path', hint: words('pathHint'), maxLength: 255 });
  const lifetime = lifetimeField(i18n, { ever: words('forever'), value: 'day', label: words('lifetime') });
  const reason = textField({ label: words('reason'), name: 'reason', maxLength: 200 });
  let ended = 0;
  const done = await askDialog({
    i18n,
    title: words('addTitle'),
    body: [],
    action: words('add'),
    danger: true,
    fields: { kind, value, path, seconds: lifetime, reason },
    act: async () => {
      const answer = await api.post<{ ended: number }>('/bans', {
        kind: kindOf(),
        value: value.input.value.trim(),
        ...(path.input.value.trim() === '' ? {} : { path: path.input.value.trim() }),
        ...(lifetime.seconds === undefined ? {} : { seconds: lifetime.seconds }),
        ...(reason.input.value.trim() === '' ? {} : { reason: reason.input.value.trim() }),
      });
      ended = answer.ended;
    },
  });
  if (done) toast(words('ended', { n: ended }), 'good');
  return done;
}
