import { copyText } from './copy-text.js';
import { element } from './dom.js';

const COPIED_MS = 1500;

/** A text with its label and a button that copies it. */
export function copyRow(label: string, text: string): HTMLElement {
  const code = element('code', {}, text);
  const button = element('button', { type: 'button', 'aria-label': `Copy ${label}` }, 'Copy');
  const tell = (word: string) => {
    button.textContent = word;
    setTimeout(() => {
      button.textContent = 'Copy';
    }, COPIED_MS);
  };
  button.addEventListener('click', () => {
    void copyText(text, code).then((copied) => tell(copied ? 'Copied' : 'Press Ctrl+C'));
  });
  return element('div', { class: 'copy' }, element('span', { class: 'label' }, label), code, button);
}
