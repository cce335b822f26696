import type { I18n } from '../i18n/i18n.js';
import { ApiFailure } from './api-failure.js';

const texts = {
  en: {
    network: 'The server does not answer. Is it running, and can it be reached?',
    'too-many-requests': 'Too many tries in a short time. Wait a little and try again.',
    'credential-invalid': 'User or password is wrong.',
    'credential-missing': 'Your login is over. Log in again.',
    'credential-expired': 'Your login is over. Log in again.',
    'not-allowed': 'Your role does not allow this.',
    'last-admin': 'This is the last administrator: there has to be one.',
    banned: 'You are banned from this server.',
    'address-denied': 'The server takes no requests from your address.',
    busy: 'The server is busy. Try again in a moment.',
    'not-found': 'It is gone: somebody else may have been faster.',
    other: 'The server says: {message}.',
    unexpected: 'Something failed in this page: {message}',
  },
  de: {
    network: 'Der Server antwortet nicht. Läuft er, und ist er erreichbar?',
    'too-many-requests': 'Zu viele Versuche in kurzer Zeit. Bitte kurz warten und noch einmal versuchen.',
    'credential-invalid': 'Name oder Passwort ist falsch.',
    'credential-missing': 'Die Anmeldung ist abgelaufen. Bitte neu anmelden.',
    'credential-expired': 'Die Anmeldung ist abgelaufen. Bitte neu anmelden.',
    'not-allowed': 'Deine Rolle erlaubt das nicht.',
    'last-admin': 'Das ist der letzte Administrator; einen muss es geben.',
    banned: 'Du bist auf diesem Server gesperrt.',
    'address-denied': 'Der Server nimmt von deiner Adresse keine Anfragen an.',
    busy: 'Der Server ist ausgelastet. Gleich noch einmal versuchen.',
    'not-found': 'Das gibt es nicht mehr: vielleicht war jemand schneller.',
    other: 'Der Server meldet: {message}.',
    unexpected: 'In dieser Seite ist etwas fehlgeschlagen: {message}',
  },
} as const;

type Known = keyof typeof texts.en;

/** Whatever was thrown, in words for people. */
export function describeFailure(error: unknown, i18n: I18n): string {
  const words = i18n.words<Known>(texts);
  if (!(error instanceof ApiFailure)) {
    return words('unexpected', { message: error instanceof Error ? error.message : String(error) });
  }
  if (error.code in texts.en && error.code !== 'other') return words(error.code as Known);
  return words('other', { message: error.message });
}
