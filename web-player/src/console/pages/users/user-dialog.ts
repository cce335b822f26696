import { askDialog } from '../../components/dialog.js';
import { checkField, selectField, textField } from '../../components/field.js';
import { linesField } from '../../components/lines-field.js';
import type { PageContext } from '../../page.js';
import { texts } from './texts.js';

export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: 'admin' | 'operator' | 'viewer';
  readonly publish: readonly string[];
  readonly play: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: string;
}

const ROLES = ['viewer', 'operator', 'admin'] as const;

/** Asks for a new user, or for what is to change of one. @returns whether it was done */
export async function userDialog({ api, i18n, toast }: PageContext, user?: User): Promise<boolean> {
  const words = i18n.words(texts);
  const name = textField({
    label: words('name'),
    name: 'name',
    required: true,
    maxLength: 100,
    value: user?.name ?? '',
  });
  const password = textField({
    label: words(user === undefined ? 'password' : 'newPassword'),
    name: 'password',
    type: 'password',
    autocomplete: 'new-password',
    required: user === undefined,
    hint: words(user === undefined ? 'passwordHint' : 'newPasswordHint'),
  });
  const role = selectField({
    label: words('role'),
    name: 'role',
    value: user?.role ?? 'viewer',
    options: ROLES.map((value) => ({ value, label: words(value) })),
    hint: words('roleHint'),
  });
  const paths = (field: 'publish' | 'play') =>
    linesField({
      label: words(field),
      name: field,
      value: (user?.[field] ?? []).join('\n'),
      hint: words('paths'),
      rows: 2,
    });
  const [publish, play] = [paths('publish'), paths('play')];
  const disabled = checkField({ label: words('isDisabled'), name: 'disabled', checked: user?.disabled ?? false });
  const fields = { name, password, role, publish, play };
  const done = await askDialog({
    i18n,
    title: user === undefined ? words('add') : words('edit', { name: user.name }),
    body: [],
    action: words(user === undefined ? 'addAction' : 'save'),
    fields: user === undefined ? fields : { ...fields, disabled },
    act: async () => {
      const body = {
        name: name.input.value.trim(),
        role: role.input.value,
        publish: publish.lines,
        play: play.lines,
        ...(password.input.value === '' ? {} : { password: password.input.value }),
      };
      if (user === undefined) await api.post('/users', body);
      else await api.patch(`/users/${user.id}`, { ...body, disabled: disabled.input.checked });
    },
  });
  if (done) toast(words(user === undefined ? 'added' : 'changed', { name: name.input.value.trim() }), 'good');
  return done;
}
