import { element } from '../../../dom.js';
import { pathPart } from '../../api-client/api-client.js';
import { ApiFailure } from '../../api-client/api-failure.js';
import { timePlot } from '../../components/time-plot.js';
import type { StreamView } from '../../feed/views.js';
import type { PageContext } from '../../page.js';
import { streamTexts } from './texts.js';

interface History {
  readonly at: number[];
  readonly bitrate: number[];
  readonly fps: number[];
  readonly viewers: number[];
  readonly avDrift: (number | null)[];
}

/** As many as the server keeps: ten minutes. */
const KEPT = 600;

export interface Plots {
  readonly root: HTMLElement;
  /** The figures of another second. */
  add(stream: StreamView): void;
  close(): void;
}

/** A stream's figures over the last ten minutes: what the server has kept, and then what the feed tells. */
export function plots({ api, i18n, signal, fail }: PageContext, path: string): Plots {
  const words = i18n.words(streamTexts);
  const { format } = i18n;
  const describe = (name: string) => (now: string, low: string, high: string) =>
    words('graphLabel', { name, now, low, high });
  const formatTime = (at: number) => format.time(new Date(at * 1000).toISOString());
  const make = (name: string, colour: string, write: (value: number) => string, leastTop: number, signed = false) =>
    timePlot({ title: name, colour, format: write, formatTime, describe: describe(name), leastTop, signed });
  const all = {
    bitrate: make(words('bitrate'), '--accent', (value) => format.bitrate(value), 100_000),
    fps: make(words('fps'), '--good', (value) => format.number(value, 1), 10),
    viewers: make(words('viewers'), '--live-text', (value) => format.number(value, 1), 4),
    avDrift: make(words('drift'), '--warn', (value) => format.signedMillis(value), 100, true),
  };
  let history: History = { at: [], bitrate: [], fps: [], viewers: [], avDrift: [] };
  const show = () => {
    const at = history.at.map((ms) => ms / 1000);
    for (const [name, plot] of Object.entries(all)) plot.show(at, history[name as keyof typeof all]);
  };
  api
    .get<History>(`/stream-history/${pathPart(path)}`, { signal })
    .then((told) => {
      history = told;
      show();
    })
    .catch((error: unknown) => {
      // A stream that isn't there has no past; the page says so already.
      if (!(error instanceof ApiFailure && error.status === 404)) fail(error);
    });
  const boxes = Object.values(all).map(({ root }) => root);
  return {
    root: element('section', { class: 'panel plots' }, element('h2', {}, words('graphs')), ...boxes),
    add: ({ figures, viewers }) => {
      const values = { ...history };
      const next: Record<keyof History, number | null> = {
        at: Date.now(),
        bitrate: figures.bitrate,
        fps: figures.fps ?? 0,
        viewers,
        avDrift: figures.avDrift,
      };
      for (const [name, series] of Object.entries(values) as [keyof History, (number | null)[]][]) {
        series.push(next[name]);
        if (series.length > KEPT) series.shift();
      }
      show();
    },
    close: () => {
      for (const plot of Object.values(all)) plot.close();
    },
  };
}
