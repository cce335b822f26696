import uPlot from 'uplot';
import { element, setText } from '../../dom.js';

export interface TimePlotOptions {
  readonly title: string;
  /** A CSS variable's name: `--accent`. */
  readonly colour: string;
  readonly format: (value: number) => string;
  /** Writes a moment, Unix seconds. */
  readonly formatTime: (at: number) => string;
  /** Says in words what the plot shows. */
  readonly describe: (now: string, low: string, high: string) => string;
  /** The least that the scale goes up to, so that noise around nothing isn't blown up. */
  readonly leastTop?: number;
  /** Values may be below nothing. */
  readonly signed?: boolean;
}

export interface TimePlot {
  readonly root: HTMLElement;
  /** @param at Unix seconds @param values of the same moments; null for what isn't known */
  show(at: readonly number[], values: readonly (number | null)[]): void;
  close(): void;
}

const HEIGHT = 120;
const AXIS_WIDTH = 88;

/** A figure over time. Plots of one page share their cursor. */
export function timePlot(options: TimePlotOptions): TimePlot {
  const { title, colour, format, formatTime, describe, leastTop = 0, signed } = options;
  const now = element('span', { class: 'now' });
  const stage = element('div', { class: 'plot-stage', role: 'img' });
  const root = element('figure', { class: 'plot' }, element('figcaption', {}, title, ' ', now), stage);
  // Canvases take no CSS variables: an element that has the colour is asked for it, whatever the theme.
  const probe = element('span', { hidden: '' });
  root.append(probe);
  const colourOf = (name: string) => () => {
    probe.style.setProperty('color', `var(${name})`);
    return getComputedStyle(probe).color;
  };
  let plot: uPlot | undefined;
  let data: uPlot.AlignedData = [[], []];

  const axis = { stroke: colourOf('--muted'), grid: { stroke: colourOf('--line'), width: 1 }, ticks: { show: false } };
  const plotOptions = (width: number): uPlot.Options => ({
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: 'console' }, y: false, points: { size: 6 } },
    scales: {
      y: {
        range: (_plot, low, high) => {
          const top = Math.max((high ?? 0) * 1.1, leastTop);
          return [signed === true ? Math.min((low ?? 0) * 1.1, -leastTop) : 0, top === 0 ? 1 : top];
        },
      },
    },
    axes: [
      { ...axis, size: 26, space: 110, values: (_plot, ticks) => ticks.map((tick) => formatTime(tick)) },
      { ...axis, size: AXIS_WIDTH, space: 32, values: (_plot, ticks) => ticks.map((tick) => format(tick)) },
    ],
    series: [{}, { stroke: colourOf(colour), width: 1.5, points: { show: false }, spanGaps: false }],
    hooks: {
      setCursor: [
        ({ cursor: { idx } }) => {
          const value = data[1]?.[idx ?? data[0].length - 1];
          setText(now, value === null || value === undefined ? '–' : format(value));
        },
      ],
    },
  });
  const size = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width === 0) return;
    if (plot === undefined) plot = new uPlot(plotOptions(width), data, stage);
    else if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
  });
  size.observe(stage);
  return {
    root,
    show: (at, values) => {
      data = [at as number[], values as (number | null)[]];
      plot?.setData(data);
      const known = values.filter((value) => value !== null);
      const last = known.at(-1);
      const told = (value: number | undefined) =>
        value === undefined || !Number.isFinite(value) ? '–' : format(value);
      if (plot?.cursor.idx === null || plot?.cursor.idx === undefined) setText(now, told(last));
      stage.setAttribute('aria-label', describe(told(last), told(Math.min(...known)), told(Math.max(...known))));
    },
    close: () => {
      size.disconnect();
      plot?.destroy();
    },
  };
}
