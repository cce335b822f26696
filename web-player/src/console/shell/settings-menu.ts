import { element } from '../../dom.js';
import { type I18n, LANGUAGES, type Language } from '../i18n/i18n.js';
import { THEMES, type ThemeName } from '../theme/theme.js';

const texts = {
  en: { language: 'Language', theme: 'Colours', system: 'System', light: 'Light', dark: 'Dark' },
  de: { language: 'Sprache', theme: 'Farben', system: 'System', light: 'Hell', dark: 'Dunkel' },
} as const;

const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

export interface SettingsMenuOptions {
  readonly i18n: I18n;
  readonly theme: ThemeName;
  readonly onLanguage: (language: Language) => void;
  readonly onTheme: (theme: ThemeName) => void;
}

/** Where language and colours are chosen. */
export function settingsMenu({ i18n, theme, onLanguage, onTheme }: SettingsMenuOptions): HTMLElement {
  const words = i18n.words(texts);
  const language = element('select', { 'aria-label': words('language') });
  for (const name of LANGUAGES) language.append(new Option(LANGUAGE_NAMES[name], name, false, name === i18n.language));
  language.addEventListener('change', () => onLanguage(language.value as Language));
  const colours = element('select', { 'aria-label': words('theme') });
  for (const name of THEMES) colours.append(new Option(words(name), name, false, name === theme));
  colours.addEventListener('change', () => onTheme(colours.value as ThemeName));
  return element('div', { class: 'settings-menu' }, language, colours);
}
