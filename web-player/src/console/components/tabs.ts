import { element } from '../../dom.js';

export interface Tab {
  /** In the address. */
  readonly name: string;
  readonly label: string;
  /** Called when it is shown for the first time. */
  readonly content: () => HTMLElement;
}

let count = 0;

/** Several views of which one is shown; arrow keys go from one to the next. WAI-ARIA, Tabs Pattern. */
export function tabs(options: {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly chosen: string | null;
  readonly onChoose: (name: string) => void;
}): HTMLElement {
  const { label, tabs: all, chosen, onChoose } = options;
  const id = `tabs-${++count}`;
  const panels = new Map<string, HTMLElement>();
  const holder = element('div', { class: 'tab-panels' });
  const buttons = all.map(({ name, label: text }) =>
    element(
      'button',
      { type: 'button', role: 'tab', id: `${id}-${name}`, 'aria-controls': `${id}-${name}-panel` },
      text,
    ),
  );
  const choose = (name: string) => {
    for (const [index, tab] of all.entries()) {
      const isChosen = tab.name === name;
      const press = buttons[index];
      press?.setAttribute('aria-selected', String(isChosen));
      if (press !== undefined) press.tabIndex = isChosen ? 0 : -1;
      let panel = panels.get(tab.name);
      if (panel === undefined) {
        panel = element('div', {
          role: 'tabpanel',
          id: `${id}-${tab.name}-panel`,
          'aria-labelledby': `${id}-${tab.name}`,
        });
        panels.set(tab.name, panel);
        holder.append(panel);
      }
      if (isChosen && panel.childElementCount === 0) panel.append(tab.content());
      panel.hidden = !isChosen;
    }
  };
  for (const [index, { name }] of all.entries()) {
    const press = () => {
      choose(name);
      onChoose(name);
    };
    buttons[index]?.addEventListener('click', press);
    buttons[index]?.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = buttons[(index + step + buttons.length) % buttons.length];
      next?.click();
      next?.focus();
    });
  }
  const first = all.find(({ name }) => name === chosen) ?? all[0];
  if (first !== undefined) choose(first.name);
  return element(
    'div',
    {},
    element('div', { role: 'tablist', 'aria-label': label, class: 'tabs' }, ...buttons),
    holder,
  );
}
