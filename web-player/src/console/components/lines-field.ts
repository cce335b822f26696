import { element, setText } from '../../dom.js';
import type { Field } from './field.js';

export interface LinesField extends Field<HTMLTextAreaElement> {
  /** Without empty ones. */
  readonly lines: readonly string[];
}

let count = 0;

/** A text of several lines: a list with an entry in each, or JSON. */
export function linesField(options: {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly hint?: string;
  readonly rows?: number;
}): LinesField {
  const id = `lines-${++count}`;
  const { label, name, value, hint, rows = 3 } = options;
  const input = element('textarea', { id, name, rows: String(rows), spellcheck: 'false', autocapitalize: 'off' });
  input.value = value;
  const told = element('span', { class: 'hint', id: `${id}-hint` }, hint ?? '');
  told.hidden = hint === undefined;
  const error = element('span', { class: 'error', id: `${id}-error`, role: 'alert' });
  input.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  const root = element('div', { class: 'field' }, element('label', { for: id }, label), input, told, error);
  const setError = (text: string) => {
    setText(error, text);
    if (text === '') input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  };
  input.addEventListener('input', () => setError(''));
  return {
    root,
    input,
    setError,
    get lines() {
      return input.value
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
    },
  };
}
