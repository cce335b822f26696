/** Keeps the last picture on the screen while the video element has to be emptied. */
export class LastFrame {
  readonly #video: HTMLVideoElement;
  readonly #canvas: HTMLCanvasElement;

  constructor(video: HTMLVideoElement, canvas: HTMLCanvasElement) {
    this.#video = video;
    this.#canvas = canvas;
  }

  /** To be called while the video element still has its picture; without one, what is kept stays. */
  keep(): void {
    const { videoWidth, videoHeight, readyState } = this.#video;
    const canvas = this.#canvas;
    if (videoWidth === 0 || readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    canvas.width = videoWidth;
    canvas.height = videoHeight;
    canvas.getContext('2d')?.drawImage(this.#video, 0, 0, videoWidth, videoHeight);
    canvas.hidden = false;
  }

  /** There is a new picture. */
  drop(): void {
    if (this.#canvas.hidden) return;
    this.#canvas.hidden = true;
    // A picture of 4K holds 32 MB.
    this.#canvas.width = 0;
  }
}
