import { element, setText } from '../../../dom.js';
import { ApiFailure } from '../../api-client/api-failure.js';
import { button } from '../../components/button.js';
import { confirm } from '../../components/confirm.js';
import { askDialog } from '../../components/dialog.js';
import { emptyState } from '../../components/empty-state.js';
import { selectField, textField } from '../../components/field.js';
import { loaded } from '../../components/loaded.js';
import type { Mount, PageContext } from '../../page.js';
import { type Change, fits, grouped, type Setting, SHOWN, type Shown } from './setting.js';
import { marked, settingRow } from './setting-row.js';
import { texts } from './texts.js';
import { valueField } from './value-field.js';

/** The configuration: what is default and what is set, and changed where it can be. */
export const mount: Mount = (root, context) => {
  const { api, i18n, query, setQuery, signal, toast } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  let settings: readonly Setting[] = [];
  const search = textField({ label: words('search'), name: 'q', type: 'search', value: query.get('q') ?? '' });
  const shown = selectField({
    label: words('show'),
    name: 'show',
    value: SHOWN.find((name) => name === query.get('show')) ?? 'all',
    options: SHOWN.map((value) => ({ value, label: words(value) })),
  });
  const count = element('p', { class: 'hint', role: 'status' });
  const groups = element('div', { class: 'stack' });
  const draw = () => {
    const found = settings.filter((setting) =>
      fits(setting, shown.input.value as Shown, search.input.value.trim().toLowerCase()),
    );
    setText(count, words('count', { n: found.length }));
    if (found.length === 0) {
      groups.replaceChildren(emptyState(words('none'), words('noneText')));
      return;
    }
    const sections = [...grouped(found)].map(([name, own]) => {
      const id = `group-${name}`;
      const rows = own.map((setting) => settingRow(setting, words, { edit, reset }));
      const list = element('ul', { class: 'settings' }, ...rows);
      return element('section', { 'aria-labelledby': id }, element('h2', { id }, name), list);
    });
    groups.replaceChildren(...sections);
  };
  const again = async (key: string) => {
    await list.reload();
    groups.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"] button`)?.focus();
  };
  const edit = async (setting: Setting) => {
    if (await changeSetting(context, setting)) await again(setting.key);
  };
  const reset = async ({ key }: Setting) => {
    const done = await confirm(context, {
      title: words('resetTitle', { key }),
      text: words('resetText'),
      action: words('resetAction'),
      act: () => api.delete(`/config/${key}`),
    });
    if (!done) return;
    toast(words('takenBack', { key }), 'good');
    await again(key);
  };
  const filter = () => {
    const show = shown.input.value;
    setQuery({ q: search.input.value.trim(), show: show === 'all' ? '' : show });
    draw();
  };
  search.input.addEventListener('input', filter);
  shown.input.addEventListener('change', filter);
  const list = loaded<{ settings: Setting[] }>(context, {
    ask: () => api.get('/config', { signal }),
    show: (answer) => {
      settings = answer.settings;
      draw();
    },
    content: [count, groups],
  });
  const reload = button({
    label: words('reload'),
    onPress: async () => {
      if (await readAgain(context)) await list.reload();
    },
  });
  root.append(
    element('p', { class: 'intro' }, words('intro')),
    element('div', { class: 'toolbar' }, search.root, shown.root, reload),
    list.root,
  );
  return () => undefined;
};

async function changeSetting({ api, i18n, toast }: PageContext, setting: Setting): Promise<boolean> {
  const words = i18n.words(texts);
  const { key, description } = setting;
  const value = valueField(setting, words);
  let change: Change = { applied: [], needRestart: [] };
  const done = await askDialog({
    i18n,
    title: key,
    body: [element('p', { class: 'hint', lang: 'en' }, ...marked(description))],
    action: words('save'),
    fields: { [key]: value.field },
    act: async () => {
      try {
        change = await api.patch<Change>('/config', { [key]: value.read() });
      } catch (error) {
        // A value may be at odds with another setting, which the API names then: it is still this field that is wrong.
        if (!(error instanceof ApiFailure) || error.code !== 'bad-config') throw error;
        throw new ApiFailure(error.status, error.code, error.message, key, { cause: error });
      }
    },
  });
  if (!done) return false;
  const told = change.applied.includes(key)
    ? 'applied'
    : change.needRestart.includes(key)
      ? 'needRestart'
      : 'unchanged';
  toast(words(told, { key }), 'good');
  return true;
}

async function readAgain(context: PageContext): Promise<boolean> {
  const { api, i18n, toast } = context;
  const words = i18n.words(texts);
  let change: Change = { applied: [], needRestart: [] };
  const done = await confirm(context, {
    title: words('reloadTitle'),
    text: words('reloadText'),
    action: words('reloadAction'),
    act: async () => {
      change = await api.post<Change>('/config/reload');
    },
  });
  if (!done) return false;
  const waiting = change.needRestart.length;
  const told = words('reloaded', { n: change.applied.length });
  toast(waiting === 0 ? told : `${told} ${words('reloadedWaiting', { n: waiting })}`, 'good');
  return true;
}
