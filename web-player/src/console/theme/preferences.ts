import { chooseLanguage, LANGUAGES, type Language } from '../i18n/i18n.js';
import { THEMES, type ThemeName } from './theme.js';

const PREFIX = 'sluice.console.';

/** How somebody likes the console. Kept in the browser; nothing secret ever goes there. */
export class Preferences {
  get theme(): ThemeName {
    const kept = read('theme');
    return THEMES.find((name) => name === kept) ?? 'system';
  }

  set theme(name: ThemeName) {
    write('theme', name);
  }

  get language(): Language {
    const kept = read('language');
    return LANGUAGES.find((name) => name === kept) ?? chooseLanguage(navigator.languages);
  }

  set language(name: Language) {
    write('language', name);
  }
}

function read(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    // Browsers may refuse it; then everything is as the system has it.
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // It holds for as long as the page is open.
  }
}
