import { element } from '../../dom.js';

/** Names and values, each changed in place; a value that is undefined hides its row. */
export interface FactList<K extends string> {
  readonly root: HTMLElement;
  show(values: Readonly<Partial<Record<K, string | undefined>>>): void;
}

/** @param labels in the order in which they are shown */
export function factList<K extends string>(labels: Readonly<Record<K, string>>): FactList<K> {
  const rows = new Map<string, { readonly root: HTMLElement; readonly value: HTMLElement }>();
  for (const [key, label] of Object.entries<string>(labels)) {
    const value = element('dd');
    const root = element('div', {}, element('dt', {}, label), value);
    root.hidden = true;
    rows.set(key, { root, value });
  }
  const root = element('dl', { class: 'facts' }, ...[...rows.values()].map((row) => row.root));
  return {
    root,
    show: (values) => {
      for (const [key, { root: row, value }] of rows) {
        const text = values[key as K];
        row.hidden = text === undefined;
        if (value.textContent !== text) value.textContent = text ?? '';
      }
    },
  };
}
