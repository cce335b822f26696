/**
 * Copies a text, also on pages over plain HTTP, where browsers keep the clipboard's own interface back.
 * Where nothing helps, the text is left selected, so that the keyboard can copy it.
 *
 * @param holder the element that shows the text
 */
export async function copyText(text: string, holder: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const selection = getSelection();
    selection?.selectAllChildren(holder);
    if (!document.execCommand('copy')) return false;
    selection?.removeAllRanges();
    return true;
  }
}
