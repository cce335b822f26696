import { element, setText } from '../../dom.js';

/** An input with its label, a hint, and a place for what is wrong with it. */
export interface Field<I extends HTMLElement> {
  readonly root: HTMLElement;
  readonly input: I;
  /** Says what is wrong; an empty text takes it back. */
  setError(text: string): void;
}

interface FieldOptions {
  readonly label: string;
  readonly name: string;
  readonly hint?: string;
  readonly required?: boolean;
}

export interface TextFieldOptions extends FieldOptions {
  readonly type?: 'text' | 'password' | 'number' | 'search' | 'url' | 'datetime-local';
  readonly value?: string;
  readonly placeholder?: string;
  readonly autocomplete?: AutoFill;
  readonly maxLength?: number;
}

export interface SelectFieldOptions extends FieldOptions {
  readonly value?: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

let count = 0;

export function textField(options: TextFieldOptions): Field<HTMLInputElement> {
  const { type = 'text', name, value = '', placeholder = '', autocomplete = 'off', maxLength } = options;
  const input = element('input', { type, name, placeholder, autocomplete, autocapitalize: 'off', spellcheck: 'false' });
  input.value = value;
  if (maxLength !== undefined) input.maxLength = maxLength;
  return field(input, options);
}

export function selectField(options: SelectFieldOptions): Field<HTMLSelectElement> {
  const choices = options.options.map(({ value, label }) => new Option(label, value));
  const input = element('select', { name: options.name }, ...choices);
  if (options.value !== undefined) input.value = options.value;
  return field(input, options);
}

export function checkField(options: FieldOptions & { readonly checked?: boolean }): Field<HTMLInputElement> {
  const input = element('input', { type: 'checkbox', name: options.name });
  input.checked = options.checked ?? false;
  const made = field(input, options);
  made.root.classList.add('check');
  return made;
}

function field<I extends HTMLInputElement | HTMLSelectElement>(input: I, options: FieldOptions): Field<I> {
  const id = `field-${++count}`;
  input.id = id;
  input.required = options.required ?? false;
  const hint = element('span', { class: 'hint', id: `${id}-hint` }, options.hint ?? '');
  const error = element('span', { class: 'error', id: `${id}-error`, role: 'alert' });
  hint.hidden = options.hint === undefined;
  input.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  const root = element('div', { class: 'field' }, element('label', { for: id }, options.label), input, hint, error);
  const setError = (text: string) => {
    setText(error, text);
    if (text === '') input.removeAttribute('aria-invalid');
    else input.setAttribute('aria-invalid', 'true');
  };
  input.addEventListener('input', () => setError(''));
  return { root, input, setError };
}
