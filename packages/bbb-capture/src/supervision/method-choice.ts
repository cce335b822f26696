import type { CaptureFailure, CaptureProfile } from '@sluice/core';

/** How a picture is captured: inside the browser, or from a display. */
export type CaptureMethod = 'tab' | 'display';

/** What a tab is captured in well; of more, a display gives more pictures for less of the processors. */
const MOST_TAB_PIXELS = 1280 * 720;

/** Chooses for `auto`, and takes the other way where one can't even begin. */
export class MethodChoice {
  readonly #mayChange: boolean;
  #current: CaptureMethod;

  /** @param hasDisplay whether there is what a display is made of */
  constructor({ method, width, height }: Pick<CaptureProfile, 'method' | 'width' | 'height'>, hasDisplay: boolean) {
    const usual = hasDisplay && width * height > MOST_TAB_PIXELS ? 'display' : 'tab';
    this.#current = method === 'auto' ? usual : method;
    this.#mayChange = method === 'auto' && hasDisplay;
  }

  get current(): CaptureMethod {
    return this.#current;
  }

  /** A capture could not begin, with a browser that may be well. @returns whether it is to be tried the other way */
  failed(failure: CaptureFailure): boolean {
    if (!this.#mayChange || (failure !== 'no-encoder' && failure !== 'browser-failed')) return false;
    this.#current = this.#current === 'tab' ? 'display' : 'tab';
    return true;
  }
}
