import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { button } from '../../components/button.js';
import type { Tone } from '../../components/tone.js';
import { type ConfigWords, type Setting, valueText } from './setting.js';

const TONES: Readonly<Record<Setting['source'], Tone>> = {
  default: 'neutral',
  file: 'good',
  api: 'warning',
  environment: 'good',
};

export interface SettingActions {
  readonly edit: (setting: Setting) => Promise<void>;
  readonly reset: (setting: Setting) => Promise<void>;
}

/** A setting with what it is for, its value, and what can be done about it. */
export function settingRow(setting: Setting, words: ConfigWords, { edit, reset }: SettingActions): HTMLElement {
  const { key, value, source, pending, description, environment } = setting;
  const shown = element('div', { class: 'setting-value' }, element('code', {}, valueText(value, setting, words)));
  const from = source === 'api' ? words('fromApi') : words(source);
  shown.append(badge(from, TONES[source]).root);
  if (source !== 'default' && !setting.secret) {
    const text = words('isDefault', { value: valueText(setting.default, setting, words) });
    shown.append(element('span', { class: 'hint' }, text));
  }
  if (pending !== undefined) {
    const text = words('waits', { value: valueText(pending, setting, words) });
    shown.append(element('span', { class: 'waiting' }, text));
  }
  if (source === 'environment') {
    const text = words('byEnvironment', { variable: environment ?? '' });
    shown.append(element('span', { class: 'hint' }, text));
  }
  const actions = element('div', { class: 'setting-actions' });
  if (source === 'api') {
    const label = words('reset', { key });
    actions.append(button({ label, icon: 'back', kind: 'quiet', iconOnly: true, onPress: () => reset(setting) }));
  }
  if (source !== 'environment') {
    const label = words('edit', { key });
    actions.append(button({ label, icon: 'edit', kind: 'quiet', iconOnly: true, onPress: () => edit(setting) }));
  }
  const about = element('p', { class: 'hint', lang: 'en' }, ...marked(description));
  return element(
    'li',
    { class: 'setting', 'data-key': key },
    element('div', { class: 'setting-name' }, element('code', {}, key), about),
    shown,
    actions,
  );
}

/** Between backquotes there are names. */
export function marked(text: string): (Node | string)[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? part : element('code', {}, part)));
}
