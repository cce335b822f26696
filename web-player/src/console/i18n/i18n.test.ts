import { describe, expect, it } from 'vitest';
import { chooseLanguage, I18n } from './i18n.js';

const texts = {
  en: { viewers: '{n} viewer|{n} viewers', hello: 'Hello {name}' },
  de: { viewers: '{n} Zuschauer|{n} Zuschauer', hello: 'Hallo {name}' },
} as const;

describe('texts of the console', () => {
  it('are filled in, and have a form for one and one for many', () => {
    const words = new I18n('en').words(texts);
    expect([words('viewers', { n: 1 }), words('viewers', { n: 1200 })]).toEqual(['1 viewer', '1,200 viewers']);
    expect([words('hello', { name: '{n}' }), words('hello')]).toEqual(['Hello {n}', 'Hello {name}']);
    expect(new I18n('de').words(texts)('viewers', { n: 1200 })).toBe('1.200 Zuschauer');
  });

  it('come in the first language that somebody reads and the console has', () => {
    expect(chooseLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(chooseLanguage(['fr'])).toBe('en');
  });

  it('write figures as the language does', () => {
    const [en, de] = [new I18n('en').format, new I18n('de').format];
    expect([en.bitrate(2_412_000), de.bitrate(2_412_000), en.bitrate(640_000), en.bitrate(null)]).toEqual([
      '2.41 Mbit/s',
      '2,41 Mbit/s',
      '640 kbit/s',
      '–',
    ]);
    expect([en.bytes(512), en.bytes(1536), de.bytes(3_435_973_837)]).toEqual(['512 B', '1.5 KiB', '3,2 GiB']);
    expect([en.signedMillis(12.4), en.signedMillis(-80), en.signedMillis(0)]).toEqual(['+12 ms', '−80 ms', '0 ms']);
    expect([en.duration(40), en.duration(11_040), en.duration(100_000)]).toEqual(['40 s', '3 h 04 min', '1 d 3 h']);
    expect([en.seconds(2), de.seconds(2.04), en.seconds(12.2)]).toEqual(['2.0 s', '2,0 s', '12 s']);
    expect([en.dateTime('nonsense'), en.percent(0.421, 1)]).toEqual(['–', '42.1 %']);
  });
});
