import { element } from './dom.js';
import { type IconName, icon } from './icons.js';

/** A button that shows an icon; its label is for screen readers and for who points at it. */
export function iconButton(name: IconName, label: string): HTMLButtonElement {
  const button = element('button', { type: 'button', class: 'icon', 'aria-label': label, title: label });
  button.append(icon(name));
  return button;
}

/** Shows another icon and says another thing. */
export function setButton(button: HTMLButtonElement, name: IconName, label: string): void {
  if (button.title === label) return;
  button.title = label;
  button.setAttribute('aria-label', label);
  button.replaceChildren(icon(name));
}
