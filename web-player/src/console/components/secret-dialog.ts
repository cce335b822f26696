import { element } from '../../dom.js';
import type { I18n } from '../i18n/i18n.js';
import { copyRow } from './copy-row.js';
import { showDialog } from './dialog.js';

/** Something that is shown once, and what it is. */
export interface SecretRow {
  readonly label: string;
  readonly text: string;
}

/** Shows what nobody can show again, with buttons that copy it, until it is closed. */
export function showSecrets(
  i18n: I18n,
  {
    title,
    text,
    rows,
  }: {
    readonly title: string;
    readonly text: string;
    readonly rows: readonly SecretRow[];
  },
): void {
  const shown = rows.map((row) => copyRow(i18n, row));
  showDialog(i18n, title, element('p', {}, text), element('div', { class: 'copy-rows' }, ...shown));
}
