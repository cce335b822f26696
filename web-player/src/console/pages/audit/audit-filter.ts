import { element } from '../../../dom.js';
import { button } from '../../components/button.js';
import { selectField, textField } from '../../components/field.js';
import type { I18n } from '../../i18n/i18n.js';
import { texts } from './texts.js';

const AREAS = [
  'auth',
  'session',
  'ban',
  'stream-key',
  'token',
  'api-key',
  'user',
  'config',
  'recording',
  'capture',
  'stream',
  'api',
] as const;
const RESULTS = ['ok', 'refused', 'failed'] as const;
const NAMES = ['action', 'result', 'actor', 'target', 'ip', 'from', 'to'] as const;

/** What of the log is asked for, as it is in the page's address. */
export type AuditFilterValues = Readonly<Partial<Record<(typeof NAMES)[number], string>>>;

/** The form in which somebody says what of the log is to be shown. */
export function auditFilter(
  i18n: I18n,
  query: URLSearchParams,
  onChange: (values: AuditFilterValues) => void,
): { readonly root: HTMLFormElement; readonly values: AuditFilterValues } {
  const words = i18n.words(texts);
  const value = (name: string) => query.get(name) ?? '';
  const fields = {
    action: selectField({
      label: words('action'),
      name: 'action',
      value: value('action'),
      options: [
        { value: '', label: words('all') },
        ...AREAS.map((area) => ({ value: `${area}.`, label: words(area) })),
      ],
    }),
    result: selectField({
      label: words('result'),
      name: 'result',
      value: value('result'),
      options: [
        { value: '', label: words('any') },
        ...RESULTS.map((result) => ({ value: result, label: words(result) })),
      ],
    }),
    actor: textField({ label: words('actor'), name: 'actor', value: value('actor'), placeholder: 'user:anna' }),
    target: textField({ label: words('target'), name: 'target', value: value('target') }),
    ip: textField({ label: words('ip'), name: 'ip', value: value('ip') }),
    from: textField({ label: words('from'), name: 'from', type: 'datetime-local', value: value('from') }),
    to: textField({ label: words('to'), name: 'to', type: 'datetime-local', value: value('to') }),
  };
  const read = (): AuditFilterValues =>
    Object.fromEntries(NAMES.map((name) => [name, fields[name].input.value.trim()]).filter(([, text]) => text !== ''));
  const clear = button({
    label: words('clear'),
    onPress: () => {
      for (const name of NAMES) fields[name].input.value = '';
      onChange(read());
    },
  });
  const show = button({ label: words('show'), icon: 'search', kind: 'primary', type: 'submit' });
  const root = element(
    'form',
    { class: 'filter', 'aria-label': words('filter') },
    ...NAMES.map((name) => fields[name].root),
    element('div', { class: 'actions' }, clear, show),
  );
  root.addEventListener('submit', (event) => {
    event.preventDefault();
    onChange(read());
  });
  for (const select of [fields.action, fields.result]) select.input.addEventListener('change', () => onChange(read()));
  return {
    root,
    get values() {
      return read();
    },
  };
}

/** The filter as the API reads it: local times as points in time. */
export function queryOf({ from, to, ...rest }: AuditFilterValues): Record<string, string> {
  const at = (local: string | undefined) => {
    const ms = Date.parse(local ?? '');
    return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
  };
  const times = { from: at(from), to: at(to) };
  const all = { ...rest, ...times };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
