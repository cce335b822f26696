/** What the board says. */
export const boardTexts = {
  en: {
    nothing: 'Nothing is live',
    nothingText: 'As soon as an encoder publishes to this server, its stream appears here by itself.',
    viewers: '{n} viewer|{n} viewers',
    live: 'Live',
    waiting: 'Encoder gone',
  },
  de: {
    nothing: 'Gerade ist nichts live',
    nothingText: 'Sobald ein Encoder an diesen Server sendet, erscheint sein Stream hier von selbst.',
    viewers: '{n} Zuschauer|{n} Zuschauer',
    live: 'Live',
    waiting: 'Encoder weg',
  },
} as const;
