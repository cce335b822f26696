/** Captions and subtitles that the browser or hls.js has found in the stream. */
export class Captions {
  readonly #video: HTMLVideoElement;
  /** What the viewer wants to see, by name: tracks are made anew with each engine. */
  #wanted: string | undefined;
  #isOn = false;

  /** @param changed is called when there are others, or another one is shown */
  constructor(video: HTMLVideoElement, changed: () => void) {
    this.#video = video;
    const { textTracks } = video;
    textTracks.addEventListener('addtrack', () => {
      this.#apply();
      changed();
    });
    for (const name of ['removetrack', 'change'] as const) textTracks.addEventListener(name, changed);
  }

  /** Their names. */
  get names(): readonly string[] {
    return this.#tracks.map(nameOf);
  }

  /** Index of the one that is shown, or -1. */
  get shown(): number {
    return this.#tracks.findIndex(({ mode }) => mode === 'showing');
  }

  /** @param index of the names, or -1 for none */
  show(index: number): void {
    const track = this.#tracks[index];
    this.#isOn = track !== undefined;
    if (track !== undefined) this.#wanted = nameOf(track, index);
    this.#apply();
  }

  /** The last one that was shown, or the first; or none. */
  toggle(): void {
    if (this.shown >= 0) this.show(-1);
    else this.show(Math.max(0, this.names.indexOf(this.#wanted ?? '')));
  }

  #apply(): void {
    const tracks = this.#tracks;
    const wanted = this.#isOn ? tracks.find((track, index) => nameOf(track, index) === this.#wanted) : undefined;
    for (const track of tracks) {
      if (track === wanted) track.mode = 'showing';
      else if (track.mode === 'showing') track.mode = 'hidden';
    }
  }

  /** Emptied tracks of an engine that is gone stay with the video: only those with something in them count. */
  get #tracks(): readonly TextTrack[] {
    return [...this.#video.textTracks].filter(
      ({ kind, mode, cues }) =>
        (kind === 'captions' || kind === 'subtitles') && (mode !== 'disabled' || (cues?.length ?? 0) > 0),
    );
  }
}

const nameOf = ({ label, language }: TextTrack, index: number): string => label || language || `${index + 1}`;
