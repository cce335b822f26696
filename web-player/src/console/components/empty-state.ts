import { element } from '../../dom.js';

/** Says why there is nothing here, and what would change that. */
export function emptyState(title: string, text: string, ...actions: readonly HTMLElement[]): HTMLElement {
  const words = [element('p', { class: 'empty-title' }, title), element('p', {}, text)];
  const foot = actions.length === 0 ? [] : [element('div', { class: 'actions' }, ...actions)];
  return element('div', { class: 'empty' }, ...words, ...foot);
}
