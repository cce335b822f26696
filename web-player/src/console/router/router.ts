/** The console's place in the address bar: everything under `/console`. */
export class Router {
  readonly #base: string;
  readonly #show: (pathname: string) => void;

  /** @param show called with the path below the base, at the beginning and at each change of it */
  constructor(base: string, show: (pathname: string) => void) {
    this.#base = base;
    this.#show = show;
    addEventListener('popstate', () => this.refresh());
    document.addEventListener('click', (event) => this.#click(event));
  }

  /** The path below the base: `/streams/live/show`. */
  get pathname(): string {
    return location.pathname.slice(this.#base.length) || '/';
  }

  /** The address of a page. */
  hrefOf(path: string): string {
    return this.#base + (path === '/' ? '' : path);
  }

  navigate(path: string): void {
    history.pushState(null, '', this.hrefOf(path));
    this.refresh();
  }

  setQuery(query: Readonly<Record<string, string>>): void {
    const filled = Object.entries(query).filter(([, value]) => value !== '');
    const search = new URLSearchParams(filled).toString();
    history.replaceState(null, '', location.pathname + (search === '' ? '' : `?${search}`));
  }

  refresh(): void {
    this.#show(this.pathname);
  }

  /** Links to pages of the console don't load anything anew; those for a new tab do. */
  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download')) return;
    const url = new URL(link.href, location.href);
    const isOurs = url.pathname === this.#base || url.pathname.startsWith(`${this.#base}/`);
    if (url.origin !== location.origin || !isOurs || (url.hash !== '' && url.pathname === location.pathname)) return;
    event.preventDefault();
    history.pushState(null, '', url.pathname + url.search);
    this.refresh();
  }
}
