import { element } from '../dom.js';
import { NO_DEVICE } from './capture.js';
import { BITRATES, FRAME_RATES, PICTURE_SIZES, suitableBitrate, widthOf } from './encoding.js';
import { type PublishSettings, readSettings } from './settings.js';

const MEGA = 1_000_000;

/** The choices of the publish page, as a form whose submit means “go live”. */
export interface SettingsForm {
  readonly root: HTMLFormElement;
  readonly camera: HTMLSelectElement;
  readonly microphone: HTMLSelectElement;
  /** Key or token, never remembered. */
  readonly credential: HTMLInputElement;
  read(): PublishSettings;
  show(settings: PublishSettings): void;
  /** Offers these devices; a choice that is gone falls back to the first. */
  offer(devices: { readonly videoinput: MediaDeviceInfo[]; readonly audioinput: MediaDeviceInfo[] }): void;
}

type Choices = readonly (readonly [value: string, name: string])[];

const CONTENT_CHOICES: Choices = [
  ['auto', 'As the source suggests'],
  ['motion', 'Motion: keep it smooth'],
  ['detail', 'Detail: keep it sharp'],
  ['text', 'Text: keep it legible'],
];

/** Makes the form. */
export function createSettingsForm(): SettingsForm {
  const camera = select('camera', []);
  const microphone = select('microphone', []);
  const height = select(
    'height',
    PICTURE_SIZES.map((size) => [String(size.height), `${size.height}p (${widthOf(size.height)} × ${size.height})`]),
  );
  const frameRate = select(
    'frameRate',
    FRAME_RATES.map((rate) => [String(rate), `${rate} per second`]),
  );
  const automatic = new Option('', '');
  const bitrate = select(
    'bitrate',
    BITRATES.map((bits) => [String(bits), `${bits / MEGA} Mbit/s`]),
  );
  bitrate.prepend(automatic);
  const content = select('content', CONTENT_CHOICES);
  const music = element('input', { type: 'checkbox', role: 'switch', name: 'music', id: 'music' });
  const credential = element('input', {
    type: 'password',
    id: 'credential',
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'off',
  });
  const sources = [radio('camera', 'Camera'), radio('screen', 'Screen')] as const;
  const cameraField = field('Camera', camera);
  const root = element(
    'form',
    { id: 'settings', class: 'panel settings', 'aria-label': 'Settings' },
    element('fieldset', { class: 'segments' }, element('legend', {}, 'Source'), ...sources.map(({ row }) => row)),
    cameraField,
    field('Microphone', microphone),
    element(
      'label',
      { class: 'switch', for: 'music' },
      music,
      element('span', {}, 'Music', hint('Stereo, as it is: no echo or noise suppression')),
    ),
    field('Size', height),
    element('div', { class: 'pair' }, field('Pictures', frameRate), field('Bitrate', bitrate)),
    field('Where room is short', content),
    field('Key or token', credential, 'Where the server asks for one'),
  );
  const read = () => readSettings(Object.fromEntries([...new FormData(root)]));
  const reflect = () => {
    const settings = read();
    automatic.text = `Automatic (${suitableBitrate(settings.height, settings.frameRate) / MEGA} Mbit/s)`;
    cameraField.hidden = settings.source === 'screen';
  };
  root.addEventListener('change', reflect);
  const show = (settings: PublishSettings) => {
    for (const { input } of sources) input.checked = input.value === settings.source;
    keep(camera, settings.camera, 'Camera of the last visit');
    keep(microphone, settings.microphone, 'Microphone of the last visit');
    height.value = String(settings.height);
    frameRate.value = String(settings.frameRate);
    bitrate.value = settings.bitrate === undefined ? '' : String(settings.bitrate);
    content.value = settings.content;
    music.checked = settings.music;
    reflect();
  };
  const offer: SettingsForm['offer'] = ({ videoinput, audioinput }) => {
    fill(camera, videoinput, 'Camera');
    fill(microphone, audioinput, 'Microphone');
  };
  return { root, camera, microphone, credential, read, show, offer };
}

function fill(target: HTMLSelectElement, devices: readonly MediaDeviceInfo[], kind: string): void {
  const chosen = target.value;
  const named = devices.map(({ deviceId, label }, at): [string, string] => [deviceId, label || `${kind} ${at + 1}`]);
  const choices: Choices = [
    ...(named.length === 0 ? ([['', `Any ${kind.toLowerCase()}`]] as const) : named),
    [NO_DEVICE, `No ${kind.toLowerCase()}`],
  ];
  target.replaceChildren(...choices.map(([value, name]) => new Option(name, value)));
  target.value = chosen;
  if (target.selectedIndex < 0) target.selectedIndex = 0;
}

/** Names of devices aren't known before they may be used; the choice is. */
function keep(target: HTMLSelectElement, value: string, name: string): void {
  if (![...target.options].some((option) => option.value === value)) target.add(new Option(name, value));
  target.value = value;
}

function select(name: string, choices: Choices): HTMLSelectElement {
  const made = element('select', { name, id: name });
  made.append(...choices.map(([value, text]) => new Option(text, value)));
  return made;
}

function field(name: string, control: HTMLElement, about?: string): HTMLElement {
  const label = element('label', { for: control.id }, name);
  if (about === undefined) return element('div', { class: 'field' }, label, control);
  const text = hint(about);
  text.id = `${control.id}-hint`;
  control.setAttribute('aria-describedby', text.id);
  return element('div', { class: 'field' }, label, control, text);
}

function hint(text: string): HTMLElement {
  return element('small', { class: 'hint' }, text);
}

function radio(value: string, name: string) {
  const input = element('input', { type: 'radio', name: 'source', value });
  return { input, row: element('label', {}, input, element('span', {}, name)) };
}
