import type { FeedEvent } from '../feed/views.js';
import type { I18n } from '../i18n/i18n.js';
import { protocolName } from './stream-words.js';
import type { Tone } from './tone.js';

const texts = {
  en: {
    'stream-started': '{path} is live, from {ip} by {protocol}',
    'stream-resumed': '{path}: the encoder is back, from {ip}',
    'stream-waiting': '{path}: the encoder is gone ({reason})',
    'stream-ended': '{path} has ended ({reason})',
    'session-opened-play': '{ip} watches {path} by {protocol}',
    'session-opened-publish': '{ip} publishes {path} by {protocol}',
    'session-closed-play': '{ip} has stopped watching {path} ({reason})',
    'session-closed-publish': '{ip} has stopped publishing {path} ({reason})',
    'request-refused': '{ip} was not let in to {path} ({reason})',
    'recording-started': '{path} is being recorded as {container}',
    'recording-paused': '{path}: recording is interrupted ({reason})',
    'recording-resumed': '{path}: recording goes on',
    'recording-ended': '{path}: recording has ended ({reason})',
    'recording-file-ready': '{path}: {file} is recorded',
    'recording-file-damaged': '{path}: {file} is damaged ({reason})',
    'hls-window-shrunk': '{path}: viewers can’t go back as far as they should ({reason})',
    'hls-window-resumed': '{path}: viewers can go back again',
    'capture-state': 'Capture of {meeting}: {state}',
  },
  de: {
    'stream-started': '{path} ist live, von {ip} per {protocol}',
    'stream-resumed': '{path}: der Encoder ist wieder da, von {ip}',
    'stream-waiting': '{path}: der Encoder ist weg ({reason})',
    'stream-ended': '{path} ist zu Ende ({reason})',
    'session-opened-play': '{ip} schaut {path} per {protocol}',
    'session-opened-publish': '{ip} sendet {path} per {protocol}',
    'session-closed-play': '{ip} schaut {path} nicht mehr ({reason})',
    'session-closed-publish': '{ip} sendet {path} nicht mehr ({reason})',
    'request-refused': '{ip} wurde zu {path} nicht eingelassen ({reason})',
    'recording-started': '{path} wird als {container} aufgenommen',
    'recording-paused': '{path}: die Aufnahme ist unterbrochen ({reason})',
    'recording-resumed': '{path}: die Aufnahme geht weiter',
    'recording-ended': '{path}: die Aufnahme ist zu Ende ({reason})',
    'recording-file-ready': '{path}: {file} ist aufgenommen',
    'recording-file-damaged': '{path}: {file} ist beschädigt ({reason})',
    'hls-window-shrunk': '{path}: Zuschauer können nicht so weit zurück wie sie sollten ({reason})',
    'hls-window-resumed': '{path}: Zuschauer können wieder zurück',
    'capture-state': 'Mitschnitt von {meeting}: {state}',
  },
} as const;

type Known = keyof typeof texts.en;

const TONES: Readonly<Record<string, Tone>> = {
  'stream-started': 'good',
  'stream-resumed': 'good',
  'stream-waiting': 'warning',
  'request-refused': 'warning',
  'recording-paused': 'bad',
  'recording-file-damaged': 'bad',
  'hls-window-shrunk': 'warning',
};

/** What has happened, as a sentence; undefined for what the console has no words for. */
export function eventWords({ type, path, detail }: FeedEvent, i18n: I18n): string | undefined {
  const key = type.startsWith('session-') ? `${type}-${detail.action}` : type;
  if (!(key in texts.en)) return undefined;
  const protocol = protocolName(String(detail.protocol ?? ''));
  return i18n.words<Known>(texts)(key as Known, { ...detail, protocol, path: path ?? '' });
}

export function eventTone({ type }: FeedEvent): Tone {
  return TONES[type] ?? 'neutral';
}
