import { element, setText } from '../../dom.js';

/** A list of names with what is known of each: `dl`. */
export function figures(rows: readonly { readonly label: string; readonly value: Node | string }[]): HTMLElement {
  const list = element('dl', { class: 'figures' });
  for (const { label, value } of rows) {
    list.append(element('div', {}, element('dt', {}, label), element('dd', {}, value)));
  }
  return list;
}

export interface Meter {
  readonly root: HTMLElement;
  /** @param share 0 to 1; undefined where it isn't known */
  set(text: string, share: number | undefined): void;
}

/** How full something is: a bar, and the same in words. */
export function meter(label: string): Meter {
  const text = element('span', { class: 'meter-text' });
  const bar = element('meter', { min: '0', max: '1', high: '0.9', low: '0.75', optimum: '0', 'aria-label': label });
  const root = element('div', { class: 'meter' }, element('span', { class: 'meter-label' }, label), text, bar);
  return {
    root,
    set: (words, share) => {
      setText(text, words);
      bar.hidden = share === undefined;
      if (share !== undefined) bar.value = Math.min(1, Math.max(0, share));
    },
  };
}
