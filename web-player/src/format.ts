import type { TrackStatus } from './status-client.js';

const CODEC_NAMES: Readonly<Record<string, string>> = {
  h264: 'H.264',
  hevc: 'HEVC',
  av1: 'AV1',
  vp9: 'VP9',
  aac: 'AAC',
  mp3: 'MP3',
  opus: 'Opus',
};

export function codecName(codec: string): string {
  return CODEC_NAMES[codec] ?? codec;
}

/** Words and numbers in a language. */
export interface FormatLanguage {
  /** BCP 47 */
  readonly locale: string;
  readonly channels: (count: number) => string;
}

const ENGLISH: FormatLanguage = { locale: 'en', channels: (count) => `${count} channels` };

/** `1280×720 · 30 fps · H.264` or `AAC · 48 kHz · stereo`: what is known of it. */
export function describeTrack(track: TrackStatus, language: FormatLanguage = ENGLISH): string {
  const number = (value: number) => value.toLocaleString(language.locale, { maximumFractionDigits: 2 });
  const name = codecName(track.codec);
  if (track.kind === 'audio') {
    const rate = track.sampleRate ? [`${number(track.sampleRate / 1000)} kHz`] : [];
    return [name, ...rate, ...channelName(track.channels, language)].join(' · ');
  }
  const size = track.width && track.height ? [`${track.width}×${track.height}`] : [];
  const rate = track.frameRate ? [`${number(track.frameRate)} fps`] : [];
  return [...size, ...rate, name].join(' · ');
}

function channelName(channels: number | undefined, language: FormatLanguage): string[] {
  if (!channels) return [];
  if (channels === 1) return ['mono'];
  return [channels === 2 ? 'stereo' : language.channels(channels)];
}

/** `3 h 04 min`, `12 min`, `40 s` */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes === 0) return `${whole} s`;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes} min` : `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `0.8 s`, `12 s`; a dash for what isn't known. */
export function formatSeconds(seconds: number | undefined, locale = 'en'): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return '–';
  const digits = seconds < 9.95 ? 1 : 0;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  return `${seconds.toLocaleString(locale, options)} s`;
}

export function formatCount(count: number, singular: string): string {
  return `${count} ${singular}${count === 1 ? '' : 's'}`;
}

/** `2.41 Mbit/s`, `640 kbit/s`; a dash for what isn't known. */
export function formatBitrate(bitsPerSecond: number | undefined, locale = 'en'): string {
  if (bitsPerSecond === undefined || !Number.isFinite(bitsPerSecond)) return '–';
  const kilo = Math.round(bitsPerSecond / 1000);
  return kilo < 1000
    ? `${kilo} kbit/s`
    : `${(kilo / 1000).toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 })} Mbit/s`;
}

/** `0:07`, `12:34`, `1:02:03` */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours === 0 ? minutes : `${hours}:${two(minutes)}`}:${two(whole % 60)}`;
}

/** How far behind live: `0.8 s`, `59 s`, `−12:34` */
export function formatBehind(seconds: number, locale = 'en'): string {
  return seconds < 60 ? formatSeconds(seconds, locale) : `−${formatClock(seconds)}`;
}
