import { element } from '../../../dom.js';
import { pathPart } from '../../api-client/api-client.js';
import { button } from '../../components/button.js';
import { Posters } from '../../components/posters.js';
import type { PageContext } from '../../page.js';
import { streamTexts } from './texts.js';

interface PreviewToken {
  readonly parameter: string;
  readonly value: string;
}

export interface Preview {
  readonly root: HTMLElement;
  /** Asks for a newer picture, where nothing plays. */
  refresh(): void;
  close(): void;
}

/** After a refusal with a token that was too old there is another one; who is refused with that one too, is. */
const RENEW_AFTER_MS = 60_000;

/**
 * A stream's picture, and its player once somebody wants to watch: only then is the player's code loaded, and a viewer
 * counted.
 *
 * @param origin where media is to be had
 */
export function preview({ api, i18n, signal, fail }: PageContext, path: string, origin: () => string): Preview {
  const words = i18n.words(streamTexts);
  const posters = new Posters(api, signal);
  const image = element('img', { alt: '', hidden: '' });
  const noPicture = element('span', { class: 'no-poster' }, words('noPicture'));
  const still = element('div', { class: 'still' }, noPicture, image);
  const watch = button({ label: words('watch'), icon: 'play', kind: 'primary', onPress: () => begin() });
  const stop = button({ label: words('stopWatching'), icon: 'stop', onPress: () => end() });
  stop.hidden = true;
  const stage = element('div', { class: 'preview-stage' }, still);
  const root = element('section', { class: 'preview', 'aria-label': path }, stage, watch, stop);
  let player: HTMLElement | undefined;

  const source = async () => {
    const { parameter, value } = await api.post<PreviewToken>(`/previews/${pathPart(path)}`);
    return `${origin()}/${path}?${parameter}=${encodeURIComponent(value)}`;
  };
  const begin = async () => {
    try {
      await import('../../../element/sluice-player.js');
      const made = element('sluice-player', { muted: '', autoplay: '', controls: '' });
      made.src = await source();
      if (signal.aborted) return;
      let renewedAt = performance.now();
      made.addEventListener('statechange', ({ detail: { state } }) => {
        if (state !== 'refused' || performance.now() - renewedAt < RENEW_AFTER_MS) return;
        renewedAt = performance.now();
        source().then((next) => {
          made.src = next;
        }, fail);
      });
      player = made;
      stage.replaceChildren(made);
      watch.hidden = true;
      stop.hidden = false;
      stop.focus();
    } catch (error) {
      fail(error);
    }
  };
  const end = () => {
    player = undefined;
    stage.replaceChildren(still);
    stop.hidden = true;
    watch.hidden = false;
    watch.focus();
  };
  return {
    root,
    refresh: () => {
      if (player !== undefined) return;
      posters.want(path, (url) => {
        image.src = url;
        image.hidden = false;
        noPicture.hidden = true;
      });
    },
    close: () => player?.remove(),
  };
}
