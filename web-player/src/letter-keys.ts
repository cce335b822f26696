/** Letters press buttons, unless they are typed into something. */
export function pressByLetters(buttons: Readonly<Record<string, HTMLButtonElement>>): void {
  document.addEventListener('keydown', (event) => {
    const { target } = event;
    const isField = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (isField || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    buttons[event.key.toLowerCase()]?.click();
  });
}
