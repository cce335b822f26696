import { ApiFailure } from '../../api-client/api-failure.js';
import { type Field, selectField, textField } from '../../components/field.js';
import { linesField } from '../../components/lines-field.js';
import type { ConfigWords, Setting } from './setting.js';

export interface ValueField {
  readonly field: Field<HTMLElement>;
  /** As the API takes it. @throws {ApiFailure} where it can't be read, about the field */
  read(): unknown;
}

/** An input that fits a setting, with what it may be. */
export function valueField(setting: Setting, words: ConfigWords): ValueField {
  const { key, type, choices, secret, allowed, restart } = setting;
  const value = setting.pending ?? setting.value;
  const label = words('newValue');
  const hintOf = (...more: string[]) =>
    [...more, words('allowed', { allowed }), words(restart ? 'restart' : 'live')].join(' ');
  if (type === 'boolean') {
    const options = (['true', 'false'] as const).map((name) => ({
      value: name,
      label: words(name === 'true' ? 'yes' : 'no'),
    }));
    const field = selectField({ label, name: key, value: String(value), options, hint: hintOf() });
    return { field, read: () => field.input.value === 'true' };
  }
  if (choices !== null) {
    const options = choices.map((choice) => ({ value: choice, label: choice }));
    const field = selectField({ label, name: key, value: String(value), options, hint: hintOf() });
    return { field, read: () => field.input.value };
  }
  if (type === 'list' && isPlainList(value)) {
    const text = secret ? '' : (value ?? []).join('\n');
    const hint = secret ? hintOf(words('secretHint'), words('onePerLine')) : hintOf(words('onePerLine'));
    const field = linesField({ label, name: key, value: text, hint, rows: 4 });
    return { field, read: () => field.lines };
  }
  if (type === 'list' || type === 'map') {
    const text = JSON.stringify(value ?? (type === 'list' ? [] : {}), null, 2);
    const field = linesField({ label, name: key, value: text, hint: hintOf(words('json')), rows: 10 });
    return { field, read: () => jsonOf(field.input.value, key, words) };
  }
  if (type === 'number') {
    const field = textField({ label, name: key, value: value === null ? '' : String(value), hint: hintOf() });
    field.input.inputMode = 'decimal';
    return { field, read: () => numberOf(field.input.value, key, words) };
  }
  const field = textField({
    label,
    name: key,
    type: secret ? 'password' : 'text',
    autocomplete: secret ? 'new-password' : 'off',
    value: secret || value === null || value === undefined ? '' : String(value),
    hint: secret ? hintOf(words('secretHint')) : hintOf(),
  });
  return { field, read: () => field.input.value };
}

function isPlainList(value: unknown): value is readonly unknown[] | null | undefined {
  return (
    value === null || value === undefined || (Array.isArray(value) && value.every((one) => typeof one !== 'object'))
  );
}

function numberOf(text: string, key: string, words: ConfigWords): number {
  // Who writes German writes a comma.
  const value = Number(text.trim().replace(',', '.'));
  if (text.trim() === '' || !Number.isFinite(value)) throw new ApiFailure(0, 'bad-config', words('notANumber'), key);
  return value;
}

function jsonOf(text: string, key: string, words: ConfigWords): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ApiFailure(0, 'bad-config', words('notJson', { message }), key);
  }
}
