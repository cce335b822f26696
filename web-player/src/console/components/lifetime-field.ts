import type { I18n } from '../i18n/i18n.js';
import { type Field, selectField } from './field.js';

const texts = {
  en: {
    label: 'Holds for',
    ever: 'Until it is revoked',
    hour: '1 hour',
    day: '1 day',
    week: '7 days',
    month: '30 days',
    year: '1 year',
  },
  de: {
    label: 'Gilt für',
    ever: 'Bis sie widerrufen wird',
    hour: '1 Stunde',
    day: '1 Tag',
    week: '7 Tage',
    month: '30 Tage',
    year: '1 Jahr',
  },
} as const;

const HOUR = 3600;
const DAY = 24 * HOUR;
const TIMES = { hour: HOUR, day: DAY, week: 7 * DAY, month: 30 * DAY, year: 365 * DAY } as const;

export interface LifetimeOptions {
  /** How long something holds that has no end, in words; without it, it has to have one. */
  readonly ever?: string | boolean;
  readonly value?: keyof typeof TIMES;
  readonly label?: string;
  readonly hint?: string;
}

export interface LifetimeField extends Field<HTMLSelectElement> {
  /** Seconds; undefined for what has no end. */
  readonly seconds: number | undefined;
}

/** How long something is to hold. */
export function lifetimeField(i18n: I18n, { ever = false, value, label, hint }: LifetimeOptions): LifetimeField {
  const words = i18n.words(texts);
  const endless = ever === false ? [] : [{ value: '', label: ever === true ? words('ever') : ever }];
  const times = Object.keys(TIMES) as (keyof typeof TIMES)[];
  const options = [...endless, ...times.map((time) => ({ value: String(TIMES[time]), label: words(time) }))];
  const made = selectField({
    label: label ?? words('label'),
    name: 'seconds',
    options,
    ...(value === undefined ? {} : { value: String(TIMES[value]) }),
    ...(hint === undefined ? {} : { hint }),
  });
  return {
    ...made,
    get seconds() {
      return made.input.value === '' ? undefined : Number(made.input.value);
    },
  };
}
