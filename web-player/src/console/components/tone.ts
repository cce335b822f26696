/** What a badge or a message is about. */
export type Tone = 'neutral' | 'good' | 'warning' | 'bad' | 'live';
