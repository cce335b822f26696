/** One thing of a list: its element, and how it shows what it stands for. */
export interface ListItem<T> {
  readonly root: HTMLElement;
  update(value: T): void;
}

export interface KeyedListOptions<T, I extends ListItem<T> = ListItem<T>> {
  readonly key: (value: T) => string;
  /** Makes an item; `update` is called right after. */
  readonly make: (value: T) => I;
  readonly changed: (before: T, after: T) => boolean;
  /** An item has gone. */
  readonly removed?: (item: I) => void;
}

/** Keeps the children of an element as a list says, changing in place what is there, so that focus and hover stay. */
export function keyedList<T, I extends ListItem<T> = ListItem<T>>(
  root: HTMLElement,
  { key, make, changed, removed }: KeyedListOptions<T, I>,
) {
  const items = new Map<string, { readonly item: I; value: T }>();
  const show = (values: readonly T[]): void => {
    const wanted = new Set(values.map(key));
    for (const [name, { item }] of items) {
      if (wanted.has(name)) continue;
      item.root.remove();
      items.delete(name);
      removed?.(item);
    }
    let place: Element | null = root.firstElementChild;
    for (const value of values) {
      const name = key(value);
      const known = items.get(name);
      const item = known?.item ?? make(value);
      if (known === undefined || changed(known.value, value)) item.update(value);
      items.set(name, { item, value });
      if (item.root === place) place = place.nextElementSibling;
      else root.insertBefore(item.root, place);
    }
  };
  return { show };
}
