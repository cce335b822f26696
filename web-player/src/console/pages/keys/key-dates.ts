import { badge } from '../../components/badge.js';
import type { I18n } from '../../i18n/i18n.js';
import { texts } from './texts.js';

/** Until when a key holds, in words. */
export function holdsUntil(i18n: I18n, expiresAt: string | null): Node | string {
  const words = i18n.words(texts);
  if (expiresAt === null) return words('never');
  return Date.parse(expiresAt) < Date.now() ? badge(words('over'), 'warning').root : i18n.format.dateTime(expiresAt);
}
