import { element } from '../../dom.js';
import { describeFailure } from '../api-client/describe-failure.js';
import type { PageContext } from '../page.js';
import { button } from './button.js';
import { emptyState } from './empty-state.js';

const texts = {
  en: { loading: 'Loading …', failed: 'This can’t be shown', retry: 'Try again' },
  de: { loading: 'Wird geladen …', failed: 'Das lässt sich nicht anzeigen', retry: 'Noch einmal' },
} as const;

export interface Loaded {
  readonly root: HTMLElement;
  /** Asks again. What fails is told; what is shown stays. */
  reload(): Promise<void>;
}

/**
 * Shows what the server has to be asked for: says that it is coming, and what is wrong where it doesn't come.
 *
 * @param content what `show` fills; not to be seen before
 */
export function loaded<T>(
  { i18n, signal, fail }: Pick<PageContext, 'i18n' | 'signal' | 'fail'>,
  options: {
    readonly ask: () => Promise<T>;
    readonly show: (answer: T) => void;
    readonly content: readonly HTMLElement[];
    /** What is said until the answer is there. */
    readonly waiting?: string;
  },
): Loaded {
  const { ask, show, content } = options;
  const words = i18n.words(texts);
  const root = element('div', { class: 'loaded', 'aria-busy': 'true' });
  let isShown = false;
  const reload = async (): Promise<void> => {
    if (!isShown)
      root.replaceChildren(element('p', { class: 'loading', role: 'status' }, options.waiting ?? words('loading')));
    try {
      const answer = await ask();
      if (signal.aborted) return;
      show(answer);
      if (!isShown) root.replaceChildren(...content);
      isShown = true;
    } catch (error) {
      if (signal.aborted) return;
      if (isShown) fail(error);
      else {
        const retry = button({ label: words('retry'), onPress: reload });
        root.replaceChildren(emptyState(words('failed'), describeFailure(error, i18n), retry));
      }
    } finally {
      root.removeAttribute('aria-busy');
    }
  };
  // Not before whoever asks has what the question needs.
  queueMicrotask(() => void reload());
  return { root, reload };
}
