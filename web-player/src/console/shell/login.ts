import { element } from '../../dom.js';
import { describeFailure } from '../api-client/describe-failure.js';
import { button, whileBusy } from '../components/button.js';
import { textField } from '../components/field.js';
import type { I18n } from '../i18n/i18n.js';
import type { Session } from '../session/session.js';

const texts = {
  en: {
    title: 'Log in to the console',
    user: 'User',
    password: 'Password',
    login: 'Log in',
    expired: 'Your login is over. Log in again to go on.',
    first: 'The first user is “admin”; the server showed its password when it started for the first time.',
  },
  de: {
    title: 'An der Konsole anmelden',
    user: 'Name',
    password: 'Passwort',
    login: 'Anmelden',
    expired: 'Die Anmeldung ist abgelaufen. Zum Weitermachen bitte neu anmelden.',
    first: 'Der erste Benutzer heißt „admin“; sein Passwort hat der Server beim ersten Start gezeigt.',
  },
} as const;

/** Asks who is there. @param settings language and theme, which matter here already */
export function loginView(i18n: I18n, session: Session, expired: boolean, settings: HTMLElement): HTMLElement {
  const words = i18n.words(texts);
  const user = textField({ label: words('user'), name: 'user', autocomplete: 'username', required: true });
  const password = textField({
    label: words('password'),
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const error = element('p', { class: 'error', role: 'alert' }, expired ? words('expired') : '');
  const submit = button({ label: words('login'), kind: 'primary', type: 'submit' });
  const form = element(
    'form',
    { class: 'login-form' },
    element('img', { src: '/sluice.svg', alt: '', width: '40', height: '40' }),
    element('h1', {}, words('title')),
    user.root,
    password.root,
    error,
    submit,
    element('p', { class: 'hint' }, words('first')),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    error.textContent = '';
    void whileBusy(submit, async () => {
      try {
        await session.login(user.input.value, password.input.value);
      } catch (failure) {
        error.textContent = describeFailure(failure, i18n);
        password.input.select();
      }
    });
  });
  const root = element('main', { class: 'login' }, form, settings);
  queueMicrotask(() => user.input.focus());
  return root;
}
