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
  | 'liveEdge'
  | 'help';

interface KeyRow {
  readonly action: readonly KeyAction[];
  /** `KeyboardEvent.key`, letters in lower case; the n-th does the n-th action, or the only one. */
  readonly keys: readonly string[];
  /** As people know them. */
  readonly shown: readonly string[];
  readonly what: string;
}

export const KEYS: readonly KeyRow[] = [
  { action: ['play'], keys: [' ', 'k'], shown: ['Space', 'K'], what: 'play or pause' },
  { action: ['mute'], keys: ['m'], shown: ['M'], what: 'sound on or off' },
  { action: ['louder', 'softer'], keys: ['ArrowUp', 'ArrowDown'], shown: ['↑', '↓'], what: 'volume' },
  { action: ['back', 'forward'], keys: ['ArrowLeft', 'ArrowRight'], shown: ['←', '→'], what: '5 s back or forward' },
  { action: ['fullScreen'], keys: ['f'], shown: ['F'], what: 'full screen' },
  { action: ['pictureInPicture'], keys: ['p'], shown: ['P'], what: 'picture in picture' },
  { action: ['liveEdge'], keys: ['l'], shown: ['L'], what: 'to the live edge' },
  { action: ['help'], keys: ['?'], shown: ['?'], what: 'this help' },
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

/** Calls what keys are to do, wherever the focus is. */
export function listenForKeys(actions: Readonly<Record<KeyAction, () => void>>): void {
  document.addEventListener('keydown', (event) => {
    const action = keyAction(event, focusOf(event.target));
    if (action === undefined) return;
    event.preventDefault();
    if (!event.repeat || REPEATED.has(action)) actions[action]();
  });
}

function focusOf(target: EventTarget | null): Focus {
  if (target instanceof HTMLSelectElement || target instanceof HTMLInputElement) return 'field';
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement ? 'button' : 'page';
}
