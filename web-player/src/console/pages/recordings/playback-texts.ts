import { ENGLISH, type RecordingTexts } from '../../../recordings/texts.js';
import type { Language } from '../../i18n/i18n.js';

const GERMAN: RecordingTexts = {
  language: 'de',
  recordingOf: 'Aufnahme von {path}',
  time: 'Zeit',
  day: 'Tag',
  shows: 'Wie viel der Balken zeigt',
  zooms: { day: 'Tag', hour: 'Stunde', minutes: '10 Minuten' },
  earlier: 'Früher',
  later: 'Später',
  nothingPlayed: 'Nichts wird abgespielt',
  clip: 'Ausschnitt',
  clipStarts: 'Ausschnitt beginnt hier',
  clipStartsTitle: 'Den Anfang eines Ausschnitts markieren (i)',
  clipEnds: 'Ausschnitt endet hier',
  clipEndsTitle: 'Das Ende eines Ausschnitts markieren (o)',
  clear: 'Zurücksetzen',
  clearTitle: 'Die Marken vergessen',
  markBoth: 'Anfang und Ende markieren, um einen Teil herunterzuladen.',
  marked: '{from} bis {to}, {length}',
  markedStart: 'Von {from}: bitte ein Ende markieren.',
  markedEnd: 'Bis {to}: bitte einen Anfang markieren.',
  downloadClip: 'Ausschnitt herunterladen ({length})',
  choose: 'Eine Zeit auf dem Balken unten wählen.',
  nothing: 'Von diesem Stream ist nichts aufgenommen.',
  onlyFiles: 'Nach Zeit lässt sich hier nichts abspielen: siehe die Dateien.',
  needsLink: 'Der Server will einen gültigen Zugang: die Seite neu laden.',
  notAllowed: 'Der Server lässt dich das nicht ansehen.',
  nothingThen: 'Zu dieser Zeit ist nichts aufgenommen.',
  tooMany: 'Der Server nimmt gerade keine weiteren Zuschauer.',
  noAnswer: 'Der Server antwortet nicht.',
  failed: 'Das lässt sich nicht abspielen: der Server hat {status} geantwortet.',
};

const IN_CONSOLE: RecordingTexts = {
  ...ENGLISH,
  language: 'en',
  needsLink: 'The server wants a valid credential: load the page again.',
};

/** What is said around the playing, in the language of the console. */
export const playbackTexts: Readonly<Record<Language, RecordingTexts>> = { en: IN_CONSOLE, de: GERMAN };
