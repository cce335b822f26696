import { element } from '../../dom.js';
import type { PageContext } from '../page.js';
import { askDialog } from './dialog.js';

/** Asks before something is done that can't be taken back. @returns whether it was done */
export function confirm(
  { i18n }: Pick<PageContext, 'i18n'>,
  {
    title,
    text,
    action,
    act,
  }: { readonly title: string; readonly text: string; readonly action: string; readonly act: () => Promise<void> },
): Promise<boolean> {
  return askDialog({ i18n, title, body: [element('p', {}, text)], action, danger: true, act });
}
