/** What a key can do. */
export type KeyAction =
  | 'play'
  | 'mute'
  | 'louder'
  | 'softer'
  | 'back'
  | 'forward'
  | 'fullScreen'
  | 'pictureInPicture'
  | 'captions'
  | 'liveEdge'
  | 'statistics'
  | 'help';

interface KeyRow {
  readonly action: readonly KeyAction[];
  /** `KeyboardEvent.key`, letters in lower case; the n-th does the n-th action, or the only one. */
  readonly keys: readonly string[];
  /** As people know them; the empty one is the space bar. */
  readonly shown: readonly string[];
  /** By which the texts explain it. */
  readonly what: Exclude<KeyAction, 'softer' | 'forward'>;
}

export const KEYS: readonly KeyRow[] = [
  { action: ['play'], keys: [' ', 'k'], shown: ['', 'K'], what: 'play' },
  { action: ['mute'], keys: ['m'], shown: ['M'], what: 'mute' },
  { action: ['louder', 'softer'], keys: ['ArrowUp', 'ArrowDown'], shown: ['↑', '↓'], what: 'louder' },
  { action: ['back', 'forward'], keys: ['ArrowLeft', 'ArrowRight'], shown: ['←', '→'], what: 'back' },
  { action: ['fullScreen'], keys: ['f'], shown: ['F'], what: 'fullScreen' },
  { action: ['pictureInPicture'], keys: ['p'], shown: ['P'], what: 'pictureInPicture' },
  { action: ['captions'], keys: ['c'], shown: ['C'], what: 'captions' },
  { action: ['liveEdge'], keys: ['l'], shown: ['L'], what: 'liveEdge' },
  { action: ['statistics'], keys: ['i'], shown: ['I'], what: 'statistics' },
  { action: ['help'], keys: ['?'], shown: ['?'], what: 'help' },
];

const ACTIONS: ReadonlyMap<string, KeyAction> = new Map(
  KEYS.flatMap(({ keys, action }) =>
    keys.flatMap((key, index): [string, KeyAction][] => {
      const named = action[index] ?? action[0];
      return named === undefined ? [] : [[key, named]];
    }),
  ),
);

/** Holding these keys down does it again and again. */
const REPEATED: ReadonlySet<KeyAction> = new Set(['louder', 'softer', 'back', 'forward']);

/** The part of a `KeyboardEvent` that matters here. */
export type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** What has the focus: some elements have a use for keys themselves. */
export type Focus = 'page' | 'button' | 'field';

/** What a key press is to do; undefined where it is none of ours. */
export function keyAction(press: KeyPress, focus: Focus): KeyAction | undefined {
  if (press.ctrlKey || press.metaKey || press.altKey) return undefined;
  if (focus === 'field' || (focus === 'button' && press.key === ' ')) return undefined;
  return ACTIONS.get(press.key.length === 1 ? press.key.toLowerCase() : press.key);
}

/** Calls what keys are to do. @param target where they are listened for: the player, or all of the page */
export function listenForKeys(
  target: EventTarget,
  actions: Readonly<Record<KeyAction, () => void>>,
  signal: AbortSignal,
): void {
  const pressed = (event: Event) => {
    if (!(event instanceof KeyboardEvent) || event.defaultPrevented) return;
    // Within a shadow root the event's own target is hidden.
    const action = keyAction(event, focusOf(event.composedPath()[0]));
    if (action === undefined) return;
    event.preventDefault();
    if (!event.repeat || REPEATED.has(action)) actions[action]();
  };
  target.addEventListener('keydown', pressed, { signal });
}

function focusOf(target: EventTarget | undefined): Focus {
  if (target instanceof HTMLElement && target.isContentEditable) return 'field';
  if (target instanceof HTMLInputElement && target.type === 'checkbox') return 'button';
  if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return 'field';
  if (target instanceof HTMLTextAreaElement) return 'field';
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement ? 'button' : 'page';
}
