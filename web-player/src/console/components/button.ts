import { element } from '../../dom.js';
import { type IconName, icon } from './icon.js';

export interface ButtonOptions {
  readonly label: string;
  readonly icon?: IconName;
  /** The main thing to do here; something that can't be taken back; or one of several. */
  readonly kind?: 'primary' | 'danger' | 'plain' | 'quiet';
  /** Shows the icon alone; the label is for screen readers and for who points at it. */
  readonly iconOnly?: boolean;
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  /** While what it returns is under way, the button is busy and takes no second press. */
  readonly onPress?: () => void | Promise<void>;
}

/** A button. What `onPress` throws is the caller's to catch: see `PageContext.fail`. */
export function button(options: ButtonOptions): HTMLButtonElement {
  const { label, kind = 'plain', iconOnly = false, type = 'button', disabled = false, onPress } = options;
  const made = element('button', { type, class: `button ${kind}` });
  if (options.icon !== undefined) made.append(icon(options.icon));
  if (iconOnly) {
    made.classList.add('icon-only');
    made.setAttribute('aria-label', label);
    made.title = label;
  } else {
    made.append(element('span', {}, label));
  }
  made.disabled = disabled;
  if (onPress !== undefined) made.addEventListener('click', () => void whileBusy(made, onPress));
  return made;
}

/** Marks a control as busy until something is done, and takes no second press meanwhile. */
export async function whileBusy(control: HTMLButtonElement, act: () => void | Promise<void>): Promise<void> {
  if (control.getAttribute('aria-busy') === 'true') return;
  control.setAttribute('aria-busy', 'true');
  try {
    await act();
  } finally {
    control.removeAttribute('aria-busy');
  }
}
