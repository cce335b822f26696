const NAMESPACE = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 28;

/** A small plot without axes; the figure beside it says the same to screen readers. */
export interface Sparkline {
  readonly root: SVGSVGElement;
  /** @param points how many the whole width stands for; fewer begin further to the right */
  show(values: readonly number[], points: number): void;
}

export function sparkline(): Sparkline {
  const root = document.createElementNS(NAMESPACE, 'svg');
  root.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  root.setAttribute('preserveAspectRatio', 'none');
  root.setAttribute('class', 'sparkline');
  root.setAttribute('aria-hidden', 'true');
  const area = document.createElementNS(NAMESPACE, 'path');
  area.setAttribute('class', 'area');
  const line = document.createElementNS(NAMESPACE, 'path');
  root.append(area, line);
  const show = (values: readonly number[], points: number) => {
    if (values.length < 2) {
      line.setAttribute('d', '');
      area.setAttribute('d', '');
      return;
    }
    const top = Math.max(...values, 1) * 1.1;
    const step = WIDTH / (points - 1);
    const begin = WIDTH - (values.length - 1) * step;
    const places = values.map((value, index) => {
      const x = Math.round((begin + index * step) * 10) / 10;
      return `${x} ${Math.round((HEIGHT - 1 - (value / top) * (HEIGHT - 2)) * 10) / 10}`;
    });
    const path = `M${places.join('L')}`;
    line.setAttribute('d', path);
    area.setAttribute('d', `${path}V${HEIGHT}H${Math.round(begin * 10) / 10}Z`);
  };
  return { root, show };
}
