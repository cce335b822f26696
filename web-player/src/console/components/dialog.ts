import { element } from '../../dom.js';
import { ApiFailure } from '../api-client/api-failure.js';
import { describeFailure } from '../api-client/describe-failure.js';
import type { I18n } from '../i18n/i18n.js';
import { button, whileBusy } from './button.js';
import type { Field } from './field.js';

const texts = {
  en: { cancel: 'Cancel', close: 'Close', refused: '{message}' },
  // What is wrong with a value, the server says in English.
  de: { cancel: 'Abbrechen', close: 'Schließen', refused: 'So nimmt es der Server nicht: {message}' },
} as const;

let count = 0;

export interface DialogOptions {
  readonly i18n: I18n;
  readonly title: string;
  readonly body: readonly (Node | string)[];
  /** What the button that does it says. */
  readonly action: string;
  readonly danger?: boolean;
  /** By the name that the API has for each, so that its errors are told where they belong. */
  readonly fields?: Readonly<Record<string, Field<HTMLElement>>>;
  /** Does it. What it throws is told in the dialog, which stays open then. */
  readonly act: () => void | Promise<void>;
}

/** Asks before something is done. @returns whether it was done */
export function askDialog({ i18n, title, body, action, danger, fields = {}, act }: DialogOptions): Promise<boolean> {
  const words = i18n.words(texts);
  const error = element('p', { class: 'error', role: 'alert' });
  const submit = button({ label: action, kind: danger === true ? 'danger' : 'primary', type: 'submit' });
  const cancel = button({ label: words('cancel'), onPress: () => dialog.close() });
  const form = element(
    'form',
    { class: 'dialog-form' },
    ...body,
    ...Object.values(fields).map(({ root }) => root),
    error,
    element('div', { class: 'actions' }, cancel, submit),
  );
  let done = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void whileBusy(submit, async () => {
      try {
        error.textContent = '';
        await act();
        done = true;
        dialog.close();
      } catch (failure) {
        const text = describeFailure(failure, i18n);
        const field = failure instanceof ApiFailure ? fields[failure.field ?? ''] : undefined;
        if (field === undefined || !(failure instanceof ApiFailure)) error.textContent = text;
        else {
          const { message, status } = failure;
          // What the dialog itself finds wrong has no status.
          field.setError(status === 0 ? message : words('refused', { message }));
          field.input.focus();
        }
      }
    });
  });
  const dialog = makeDialog(title, form);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(done);
    });
    dialog.showModal();
    // Who presses Enter without reading should not have done what can't be taken back.
    if (danger === true && Object.keys(fields).length === 0) cancel.focus();
  });
}

/** Shows something until it is closed. */
export function showDialog(i18n: I18n, title: string, ...body: readonly (Node | string)[]): HTMLDialogElement {
  const close = button({ label: i18n.words(texts)('close'), onPress: () => dialog.close() });
  const dialog = makeDialog(title, ...body, element('div', { class: 'actions' }, close));
  dialog.addEventListener('close', () => dialog.remove());
  dialog.showModal();
  return dialog;
}

function makeDialog(title: string, ...body: readonly (Node | string)[]): HTMLDialogElement {
  const id = `dialog-${++count}`;
  const heading = element('h2', { id }, title);
  const dialog = element('dialog', { class: 'dialog', 'aria-labelledby': id }, heading, ...body);
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return dialog;
}
