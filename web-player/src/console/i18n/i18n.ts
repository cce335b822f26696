import { Formats } from './formats.js';

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What goes into the gaps of a text: `{n}`. */
export type Values = Readonly<Record<string, string | number>>;

/** A page's texts. German has every key that English has, or it doesn't compile. */
export interface Dictionary<K extends string> {
  readonly en: Readonly<Record<K, string>>;
  readonly de: Readonly<Record<NoInfer<K>, string>>;
}

/** Tells a text in the language of the console. */
export type Words<K extends string> = (key: K, values?: Values) => string;

const GAP = /\{(\w+)\}/g;

/** The language of the console, and how it writes figures. */
export class I18n {
  readonly language: Language;
  readonly format: Formats;
  readonly #plural: Intl.PluralRules;

  constructor(language: Language) {
    this.language = language;
    this.format = new Formats(language);
    this.#plural = new Intl.PluralRules(language);
  }

  /**
   * A dictionary as a function. `{name}` is filled in; a text with a bar has two forms, for one and for many, and is
   * chosen by the value `n`: `{n} viewer|{n} viewers`.
   */
  words<K extends string>(dictionary: Dictionary<K>): Words<K> {
    const texts: Readonly<Record<K, string>> = dictionary[this.language];
    return (key, values = {}) => this.#fill(texts[key], values);
  }

  #fill(text: string, values: Values): string {
    const { n } = values;
    const [one = '', many] = text.split('|');
    const form = many === undefined || typeof n !== 'number' || this.#plural.select(n) === 'one' ? one : many;
    return form.replace(GAP, (gap, name: string) => {
      const value = values[name];
      if (value === undefined) return gap;
      return typeof value === 'number' ? this.format.number(value) : value;
    });
  }
}

/** The first of the languages that somebody reads which the console has. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const [name] = tag.toLowerCase().split('-');
    const found = LANGUAGES.find((language) => language === name);
    if (found !== undefined) return found;
  }
  return 'en';
}
