/** A second click within this time makes it a double one. */
const DOUBLE_CLICK_MS = 220;

/** A mouse's click plays or pauses, its double click fills the screen; a finger's tap shows or hides the controls. */
export function connectGestures(
  surface: HTMLElement,
  actions: { readonly togglePlay: () => void; readonly toggleFullScreen: () => void; readonly toggleBar: () => void },
): void {
  let click: ReturnType<typeof setTimeout> | undefined;
  surface.addEventListener('click', (event) => {
    if (event instanceof PointerEvent && event.pointerType !== 'mouse') {
      actions.toggleBar();
      return;
    }
    clearTimeout(click);
    if (event.detail === 1) click = setTimeout(actions.togglePlay, DOUBLE_CLICK_MS);
    else if (event.detail === 2) actions.toggleFullScreen();
  });
}
