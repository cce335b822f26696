import { element } from '../dom.js';
import type { PlayerView } from '../element/view.js';
import type { LivePlayer } from '../live-player.js';
import { isProtocol, PROTOCOL_NAMES, PROTOCOLS } from '../protocol.js';
import type { Texts } from '../texts/texts.js';
import type { Captions } from './captions.js';

const AUTOMATIC = 'auto';

export interface Settings {
  /** Shows what can be chosen just now. */
  refresh(): void;
  toggleStatistics(): void;
}

interface SettingsOptions {
  readonly view: PlayerView;
  readonly player: () => LivePlayer | undefined;
  readonly captions: Captions;
  readonly texts: Texts;
  /** The viewer has chosen another protocol; undefined leaves it to the player. */
  readonly protocolChosen: (protocol: string) => void;
}

/** Wires the panel of settings: what was chosen goes to the player, which tells what there is to choose. */
export function connectSettings({ view, player, captions, texts, protocolChosen }: SettingsOptions): Settings {
  const { menu, settings } = view;
  const open = (isOpen: boolean) => {
    menu.panel.hidden = !isOpen;
    settings.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) menu.panel.querySelector<HTMLElement>('label:not([hidden]) :is(select, input)')?.focus();
  };
  const close = () => {
    if (menu.panel.hidden) return;
    open(false);
    settings.focus();
  };
  settings.addEventListener('click', () => open(menu.panel.hidden === true));
  menu.panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
  });
  view.stage.addEventListener('pointerdown', (event) => {
    const { target } = event;
    if (target instanceof Node && !menu.panel.contains(target) && !settings.contains(target)) open(false);
  });
  menu.quality.addEventListener('change', () => player()?.quality.choose(Number(menu.quality.value)));
  menu.audioTrack.addEventListener('change', () => player()?.engine?.chooseAudioTrack?.(Number(menu.audioTrack.value)));
  menu.captions.addEventListener('change', () => captions.show(Number(menu.captions.value)));
  menu.protocol.addEventListener('change', () => {
    const { value } = menu.protocol;
    player()?.switchTo(isProtocol(value) ? value : undefined);
    protocolChosen(value);
  });
  const toggleStatistics = () => {
    view.statistics.hidden = !view.statistics.hidden;
    menu.statistics.checked = !view.statistics.hidden;
  };
  menu.statistics.addEventListener('change', toggleStatistics);
  const refresh = () => {
    const now = player();
    refreshQualities(menu.quality, now, texts);
    const tracks = now?.engine?.audioTracks ?? [];
    offer(menu.audioTrack, indexed(tracks), String(now?.engine?.audioTrack ?? 0), tracks.length > 1);
    const captioned = captions.names;
    const none: Choice = { value: '-1', name: texts.off };
    offer(menu.captions, [none, ...indexed(captioned)], String(captions.shown), captioned.length > 0);
    const auto: Choice = { value: AUTOMATIC, name: automaticName(now, texts) };
    const protocols = PROTOCOLS.map((value) => ({ value, name: PROTOCOL_NAMES[value] }));
    offer(menu.protocol, [auto, ...protocols], now?.asked ?? AUTOMATIC, true);
  };
  refresh();
  return { refresh, toggleStatistics };
}

interface Choice {
  readonly value: string;
  readonly name: string;
}

const indexed = (names: readonly string[]): Choice[] => names.map((name, index) => ({ value: String(index), name }));

function automaticName(player: LivePlayer | undefined, texts: Texts): string {
  const isAutomatic = player?.asked === undefined && player?.protocol !== undefined;
  return isAutomatic ? texts.autoNow(PROTOCOL_NAMES[player.protocol]) : texts.auto;
}

function refreshQualities(select: HTMLSelectElement, player: LivePlayer | undefined, texts: Texts): void {
  const qualities = player?.quality.list ?? [];
  const names = qualities.map(({ name }) => name);
  const chosen = player?.quality.chosen ?? -1;
  const playing = names[player?.engine?.playingQuality ?? -1];
  const automatic = playing === undefined || chosen >= 0 ? texts.auto : texts.autoNow(playing);
  const first = player?.quality.canBeLeft === true ? automatic : texts.source;
  offer(select, [{ value: '-1', name: first }, ...indexed(names)], String(chosen), names.length > 0);
}

/** Fills a list only where it differs: one that is open stays so. */
function offer(select: HTMLSelectElement, choices: readonly Choice[], chosen: string, isWorthIt: boolean): void {
  const row = select.closest('label');
  if (row !== null) row.hidden = !isWorthIt;
  const current = [...select.options].map(({ value, text }) => `${value} ${text}`).join('\n');
  if (current !== choices.map(({ value, name }) => `${value} ${name}`).join('\n')) {
    select.replaceChildren(...choices.map(({ value, name }) => element('option', { value }, name)));
  }
  select.value = chosen;
}
