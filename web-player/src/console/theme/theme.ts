export const THEMES = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof THEMES)[number];

/** Dark or light: as the system has it, unless somebody has chosen. The colours follow from `data-theme` in the styles. */
export class Theme {
  readonly #root: HTMLElement;
  #name: ThemeName;

  constructor(root: HTMLElement, name: ThemeName) {
    this.#root = root;
    this.#name = name;
    this.#apply();
  }

  get name(): ThemeName {
    return this.#name;
  }

  choose(name: ThemeName): void {
    this.#name = name;
    this.#apply();
  }

  #apply(): void {
    if (this.#name === 'system') delete this.#root.dataset.theme;
    else this.#root.dataset.theme = this.#name;
  }
}
