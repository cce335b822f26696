/** What is said around the playing of recordings. */
export interface RecordingTexts {
  /** A BCP 47 tag; undefined: as the browser has it. */
  readonly language: string | undefined;
  readonly recordingOf: string;
  readonly time: string;
  readonly day: string;
  readonly shows: string;
  readonly zooms: { readonly day: string; readonly hour: string; readonly minutes: string };
  readonly earlier: string;
  readonly later: string;
  readonly nothingPlayed: string;
  readonly clip: string;
  readonly clipStarts: string;
  readonly clipStartsTitle: string;
  readonly clipEnds: string;
  readonly clipEndsTitle: string;
  readonly clear: string;
  readonly clearTitle: string;
  readonly markBoth: string;
  /** `{from}`, `{to}` and `{length}` are filled in, here and below. */
  readonly marked: string;
  readonly markedStart: string;
  readonly markedEnd: string;
  readonly downloadClip: string;
  readonly choose: string;
  readonly nothing: string;
  readonly onlyFiles: string;
  readonly needsLink: string;
  readonly notAllowed: string;
  readonly nothingThen: string;
  readonly tooMany: string;
  readonly noAnswer: string;
  readonly failed: string;
}

export const ENGLISH: RecordingTexts = {
  language: undefined,
  recordingOf: 'Recording of {path}',
  time: 'Time',
  day: 'Day',
  shows: 'How much the bar shows',
  zooms: { day: 'Day', hour: 'Hour', minutes: '10 minutes' },
  earlier: 'Earlier',
  later: 'Later',
  nothingPlayed: 'Nothing is played',
  clip: 'Clip',
  clipStarts: 'Clip starts here',
  clipStartsTitle: 'Mark the start of a clip (i)',
  clipEnds: 'Clip ends here',
  clipEndsTitle: 'Mark the end of a clip (o)',
  clear: 'Clear',
  clearTitle: 'Forget the marks',
  markBoth: 'Mark a start and an end to download a part.',
  marked: '{from} to {to}, {length}',
  markedStart: 'From {from}: mark an end.',
  markedEnd: 'To {to}: mark a start.',
  downloadClip: 'Download clip ({length})',
  choose: 'Choose a time on the bar below.',
  nothing: 'Nothing of this stream is recorded.',
  onlyFiles: 'Nothing here can be played by time: see the files.',
  needsLink: 'You need a valid link to watch this. The one that you have is missing its key, or is too old.',
  notAllowed: 'The server does not let you watch this.',
  nothingThen: 'Nothing is recorded at this time.',
  tooMany: 'The server takes no more viewers just now.',
  noAnswer: 'The server does not answer.',
  failed: 'This can’t be played: the server answered {status}.',
};

/** A text with values in its gaps. */
export function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (gap, name: string) => String(values[name] ?? gap));
}

/** Why something can't be played, by the status of the server's answer; 0 or undefined where there was none. */
export function refusalText(status: number | undefined, texts: RecordingTexts): string {
  if (status === 401) return texts.needsLink;
  if (status === 403) return texts.notAllowed;
  if (status === 404) return texts.nothingThen;
  if (status === 429) return texts.tooMany;
  return status === undefined || status === 0 ? texts.noAnswer : filled(texts.failed, { status });
}
