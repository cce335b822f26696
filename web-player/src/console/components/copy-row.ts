import { copyText } from '../../copy-text.js';
import { element } from '../../dom.js';
import type { I18n } from '../i18n/i18n.js';
import { button } from './button.js';
import { showDialog } from './dialog.js';
import { qrCode } from './qr-code.js';

const texts = {
  en: { copy: 'Copy {label}', copied: 'Copied', press: 'Press Ctrl+C', qr: 'QR code of {label}' },
  de: { copy: '{label} kopieren', copied: 'Kopiert', press: 'Strg+C drücken', qr: 'QR-Code: {label}' },
} as const;

const TOLD_MS = 1500;

export interface CopyRowOptions {
  readonly label: string;
  readonly text: string;
  /** Offers it as a QR code too, for a phone. */
  readonly qr?: boolean;
}

/** A text with its label, a button that copies it, and perhaps one that shows it as a QR code. */
export function copyRow(i18n: I18n, { label, text, qr = false }: CopyRowOptions): HTMLElement {
  const words = i18n.words(texts);
  const code = element('code', {}, text);
  const told = element('span', { class: 'told', role: 'status' });
  const copy = button({
    label: words('copy', { label }),
    icon: 'copy',
    kind: 'quiet',
    iconOnly: true,
    onPress: async () => {
      told.textContent = (await copyText(text, code)) ? words('copied') : words('press');
      setTimeout(() => {
        told.textContent = '';
      }, TOLD_MS);
    },
  });
  const show = () => {
    showDialog(i18n, label, qrCode(text, words('qr', { label })), element('code', { class: 'qr-text' }, text));
  };
  const codes = qr
    ? [button({ label: words('qr', { label }), icon: 'qr', kind: 'quiet', iconOnly: true, onPress: show })]
    : [];
  return element('div', { class: 'copy-row' }, element('span', { class: 'label' }, label), code, told, ...codes, copy);
}
