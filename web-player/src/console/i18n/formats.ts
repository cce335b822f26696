const UNKNOWN = '–';
const KIB = 1024;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const SMALL = 10;

/** Figures as a language writes them; a dash for what isn't known. */
export class Formats {
  readonly #language: string;
  readonly #date: Intl.DateTimeFormat;
  readonly #time: Intl.DateTimeFormat;

  constructor(language: string) {
    this.#language = language;
    this.#date = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' });
    this.#time = new Intl.DateTimeFormat(language, { timeStyle: 'medium' });
  }

  /** @param digits behind the point, at most */
  number(value: number | null | undefined, digits = 0): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
    return value.toLocaleString(this.#language, { maximumFractionDigits: digits });
  }

  /** `2.41 Mbit/s` */
  bitrate(bitsPerSecond: number | null | undefined): string {
    if (bitsPerSecond === null || bitsPerSecond === undefined || !Number.isFinite(bitsPerSecond)) return UNKNOWN;
    const kilo = bitsPerSecond / 1000;
    if (kilo < 1000) return `${this.number(kilo)} kbit/s`;
    return `${this.#fixed(kilo / 1000, 2)} Mbit/s`;
  }

  /** `3.2 GiB` */
  bytes(value: number | null | undefined): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
    let [amount, step] = [value, 0];
    while (amount >= KIB && step < BYTE_UNITS.length - 1) {
      amount /= KIB;
      step += 1;
    }
    return `${this.number(amount, step === 0 || amount >= SMALL * SMALL ? 0 : 1)} ${BYTE_UNITS[step]}`;
  }

  /** `0.42` as `42 %`. */
  percent(share: number | null | undefined, digits = 0): string {
    return share === null || share === undefined ? UNKNOWN : `${this.number(share * 100, digits)} %`;
  }

  /** `2.0 s`, `12 s` */
  seconds(value: number | null | undefined): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
    return value < SMALL ? `${this.#fixed(value, 1)} s` : `${this.number(value)} s`;
  }

  /** `+12 ms` */
  signedMillis(value: number | null | undefined): string {
    if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
    const whole = Math.round(value);
    return `${whole > 0 ? '+' : whole < 0 ? '−' : ''}${this.number(Math.abs(whole))} ms`;
  }

  /** `3 h 04 min`, `12 min`, `40 s`, `5 d 3 h` */
  duration(seconds: number | null | undefined): string {
    if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return UNKNOWN;
    const whole = Math.max(0, Math.floor(seconds));
    const minutes = Math.floor(whole / 60);
    const hours = Math.floor(minutes / 60);
    if (minutes === 0) return `${whole} s`;
    if (hours === 0) return `${minutes} min`;
    if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
    return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }

  /** An ISO time as a date with the time of day. */
  dateTime(iso: string | null | undefined): string {
    return write(this.#date, iso);
  }

  /** An ISO time as the time of day. */
  time(iso: string | null | undefined): string {
    return write(this.#time, iso);
  }

  #fixed(value: number, digits: number): string {
    return value.toLocaleString(this.#language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }
}

function write(format: Intl.DateTimeFormat, iso: string | null | undefined): string {
  const ms = Date.parse(iso ?? '');
  return Number.isNaN(ms) ? UNKNOWN : format.format(ms);
}
