import { element, setText } from '../../dom.js';
import type { Field } from './field.js';

export interface CheckGroup<V extends string> extends Field<HTMLFieldSetElement> {
  readonly values: readonly V[];
}

let count = 0;

/** Several things of which any number may be chosen. */
export function checkGroup<V extends string>(options: {
  readonly label: string;
  readonly choices: readonly { readonly value: V; readonly label: string; readonly hint?: string }[];
  readonly chosen?: readonly V[];
}): CheckGroup<V> {
  const { label, choices, chosen = [] } = options;
  const id = `checks-${++count}`;
  const error = element('span', { class: 'error', id: `${id}-error`, role: 'alert' });
  const boxes = choices.map(({ value }) => {
    const box = element('input', { type: 'checkbox', value, id: `${id}-${value}` });
    box.checked = chosen.includes(value);
    return box;
  });
  const rows = choices.map(({ value, label: text, hint }, index) => {
    const [box] = boxes.slice(index, index + 1);
    const note = hint === undefined ? [] : [element('span', { class: 'hint' }, hint)];
    return element(
      'label',
      { for: `${id}-${value}` },
      ...(box === undefined ? [] : [box]),
      element('span', {}, text),
      ...note,
    );
  });
  const input = element(
    'fieldset',
    { class: 'checks', 'aria-describedby': `${id}-error`, tabindex: '-1' },
    element('legend', {}, label),
    ...rows,
    error,
  );
  const setError = (text: string) => setText(error, text);
  input.addEventListener('input', () => setError(''));
  return {
    root: input,
    input,
    setError,
    get values() {
      return choices.filter((_, index) => boxes[index]?.checked === true).map(({ value }) => value);
    },
  };
}
