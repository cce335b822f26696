const FIELDS = 'input, select, textarea, dialog *';

/** Letters press buttons, unless they are typed into something. @param signal ends it */
export function pressByLetters(buttons: Readonly<Record<string, HTMLButtonElement>>, signal?: AbortSignal): void {
  const press = (event: KeyboardEvent) => {
    const isField = event.target instanceof Element && event.target.matches(FIELDS);
    if (isField || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    buttons[event.key.toLowerCase()]?.click();
  };
  document.addEventListener('keydown', press, signal === undefined ? {} : { signal });
}
