import { element, setText } from '../../dom.js';
import { keyedList } from './keyed-list.js';

export interface Column<T> {
  readonly title: string;
  /** What a cell shows; called again when its row has changed. */
  readonly cell: (row: T) => Node | string;
  /** By what the column is sorted; without it, it can't be. */
  readonly sortBy?: (row: T) => string | number;
  readonly numeric?: boolean;
  /** Never broken into lines. */
  readonly short?: boolean;
  /** For what a row can do: the heading is for screen readers only. */
  readonly actions?: boolean;
}

export interface TableOptions<T> {
  /** What the table holds, for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly key: (row: T) => string;
  /** Whether a row is to be shown anew; by default where it is another object. */
  readonly changed?: (before: T, after: T) => boolean;
  /** Shown in place of a table without rows. */
  readonly empty: HTMLElement;
  readonly sort?: { readonly column: number; readonly down?: boolean };
}

export interface Table<T> {
  readonly root: HTMLElement;
  show(rows: readonly T[]): void;
}

/** A table whose rows are changed in place, so that focus stays, and which is a list of cards on a phone. */
export function table<T>({ caption, columns, key, changed, empty, sort }: TableOptions<T>): Table<T> {
  const body = element('tbody');
  const heads = columns.map(({ title, numeric, actions }) => {
    const inner = actions === true ? element('span', { class: 'for-readers' }, title) : title;
    return element('th', { scope: 'col', ...(numeric === true ? { class: 'numeric' } : {}) }, inner);
  });
  const head = element('thead', {}, element('tr', {}, ...heads));
  const inner = element('table', {}, element('caption', { class: 'for-readers' }, caption), head, body);
  const frame = element('div', { class: 'table', role: 'region', 'aria-label': caption, tabindex: '0' }, inner);
  const root = element('div', {}, frame, empty);
  let order = sort === undefined ? undefined : { column: sort.column, down: sort.down ?? false };
  let rows: readonly T[] = [];

  const list = keyedList<T>(body, {
    key,
    make: () => {
      const cells = columns.map(({ title, numeric, short, actions }) => {
        const kinds = { numeric, short, 'row-actions': actions };
        const kind = Object.entries(kinds)
          .flatMap(([name, isSet]) => (isSet === true ? [name] : []))
          .join(' ');
        return element('td', {
          ...(actions === true ? {} : { 'data-label': title }),
          ...(kind ? { class: kind } : {}),
        });
      });
      const update = (row: T) => {
        for (const [index, { cell }] of columns.entries()) fill(cells[index], cell(row));
      };
      return { root: element('tr', {}, ...cells), update };
    },
    changed: changed ?? ((before, after) => before !== after),
  });

  const sorted = (): readonly T[] => {
    const by = order && columns[order.column]?.sortBy;
    if (order === undefined || by === undefined) return rows;
    const sign = order.down ? -1 : 1;
    return [...rows].sort((a, b) => sign * compare(by(a), by(b)));
  };
  const markOrder = () => {
    for (const [index, head] of heads.entries()) {
      if (order?.column === index) head.setAttribute('aria-sort', order.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
  };
  const show = (next: readonly T[]) => {
    rows = next;
    empty.hidden = rows.length > 0;
    frame.hidden = rows.length === 0;
    list.show(sorted());
  };
  for (const [index, { sortBy, title }] of columns.entries()) {
    if (sortBy === undefined) continue;
    const press = element('button', { type: 'button', class: 'sort' }, title);
    press.addEventListener('click', () => {
      order = { column: index, down: order?.column === index && !order.down };
      markOrder();
      show(rows);
    });
    heads[index]?.replaceChildren(press);
  }
  markOrder();
  show([]);
  return { root, show };
}

/** Leaves alone what looks the same, so that a button which is about to be pressed is not exchanged. */
function fill(place: HTMLElement | undefined, content: Node | string): void {
  if (place === undefined) return;
  if (typeof content === 'string') setText(place, content);
  else if (place.firstChild?.isEqualNode(content) !== true) place.replaceChildren(content);
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
