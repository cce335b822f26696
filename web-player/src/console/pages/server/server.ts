import { element } from '../../../dom.js';
import { badge } from '../../components/badge.js';
import { figures, meter } from '../../components/figures.js';
import { loaded } from '../../components/loaded.js';
import type { Mount, PageContext } from '../../page.js';
import { eventList } from './event-list.js';
import { texts } from './texts.js';

interface ServerAnswer {
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly problems: readonly string[];
  readonly node: string;
  readonly platform: string;
  readonly pid: number;
  readonly load: {
    readonly cores: number;
    readonly averages: readonly number[];
    readonly machineCpu: number;
    readonly processCpu: number;
    readonly processMemoryBytes: number;
    readonly machineMemoryBytes: { readonly total: number; readonly free: number };
  };
  readonly disks: readonly {
    readonly use: string;
    readonly path: string | null;
    readonly totalBytes: number | null;
    readonly freeBytes: number | null;
  }[];
}

/** What the machine takes changes slowly; the server's own load comes by the feed. */
const AGAIN_MS = 10_000;
const SCARCE = 0.1;

/** The server: what runs, since when, how it is, what it takes. */
export const mount: Mount = (root, context) => {
  const { api, feed, i18n, signal } = context;
  const words = i18n.words(texts);
  context.setTitle(words('title'));
  const [about, problems, disks, machine] = [element('div'), element('div'), element('div'), element('div')];
  const card = (title: string, ...children: HTMLElement[]) =>
    element('section', { class: 'panel' }, element('h2', {}, title), ...children);
  const live = liveFigures(context);
  const answer = loaded<ServerAnswer>(context, {
    ask: () => api.get('/server', { signal }),
    show: (told) => {
      about.replaceChildren(aboutOf(context, told));
      problems.replaceChildren(problemsOf(context, told));
      machine.replaceChildren(machineOf(context, told));
      disks.replaceChildren(...disksOf(context, told));
    },
    content: [
      element(
        'div',
        { class: 'cards' },
        card(words('title'), about, problems),
        card(words('now'), live.now),
        card(words('load'), live.load, machine),
        card(words('disks'), disks),
      ),
    ],
  });
  const events = eventList(context);
  root.append(answer.root, element('section', { class: 'stack' }, element('h2', {}, words('events')), events.root));
  feed.follow((changed) => {
    if (changed.has('totals') || changed.has('load')) live.show();
    if (changed.has('events')) events.show();
  }, signal);
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void answer.reload();
  }, AGAIN_MS);
  return () => clearInterval(timer);
};

function aboutOf({ i18n }: PageContext, told: ServerAnswer): HTMLElement {
  const words = i18n.words(texts);
  const { format } = i18n;
  const up = `${format.duration(told.uptimeSeconds)}, ${words('since', {
    time: format.dateTime(told.startedAt),
  })}`;
  return figures([
    { label: words('version'), value: `Sluice ${told.version}` },
    { label: words('uptime'), value: up },
    {
      label: words('runsOn'),
      value: `Node.js ${told.node}, ${told.platform}, ${words('process', { pid: String(told.pid) })}`,
    },
  ]);
}

function problemsOf({ i18n }: PageContext, { problems }: ServerAnswer): HTMLElement {
  const words = i18n.words(texts);
  if (problems.length === 0) return badge(words('well'), 'good').root;
  const list = element('ul', {}, ...problems.map((problem) => element('li', {}, problem)));
  return element('div', {}, badge(words('problems'), 'bad').root, list);
}

function machineOf({ i18n }: PageContext, { load }: ServerAnswer): HTMLElement {
  const words = i18n.words(texts);
  const { format } = i18n;
  const cpu = meter(words('machineCpu'));
  cpu.set(words('machineCpuText', { share: format.percent(load.machineCpu), n: load.cores }), load.machineCpu);
  const { total, free } = load.machineMemoryBytes;
  const memory = meter(`${words('memory')}: ${words('machineMemory')}`);
  memory.set(
    words('of', { used: format.bytes(total - free), total: format.bytes(total) }),
    total > 0 ? (total - free) / total : undefined,
  );
  const averages = load.averages.map((average) => format.number(average, 2)).join(' · ');
  return element(
    'div',
    { class: 'meters' },
    cpu.root,
    memory.root,
    figures([{ label: words('averages'), value: averages }]),
  );
}

function disksOf({ i18n }: PageContext, { disks }: ServerAnswer): HTMLElement[] {
  const words = i18n.words(texts);
  const { format } = i18n;
  return disks.map(({ use, path, totalBytes, freeBytes }) => {
    const name = use === 'data' || use === 'recordings' ? words(use) : use;
    const bar = meter(name);
    if (totalBytes === null || freeBytes === null) bar.set(words('diskUnknown'), undefined);
    else {
      const values = { free: format.bytes(freeBytes), total: format.bytes(totalBytes) };
      bar.set(words('disk', values), totalBytes > 0 ? 1 - freeBytes / totalBytes : undefined);
    }
    const isScarce = totalBytes !== null && freeBytes !== null && freeBytes < totalBytes * SCARCE;
    if (isScarce) bar.root.append(badge(words('scarce'), 'warning').root);
    if (path !== null) bar.root.append(element('code', { class: 'breakable' }, path));
    return bar.root;
  });
}

function liveFigures({ feed, i18n }: PageContext) {
  const words = i18n.words(texts);
  const { format } = i18n;
  const [now, load] = [element('div'), element('div')];
  const show = () => {
    const { totals, load: figuresOfLoad } = feed;
    now.replaceChildren(
      figures([
        { label: words('streams'), value: format.number(totals?.streams) },
        { label: words('publishers'), value: format.number(totals?.publishers) },
        { label: words('viewers'), value: format.number(totals?.viewers) },
        { label: words('in'), value: format.bitrate(totals?.bitrateIn) },
        { label: words('out'), value: format.bitrate(totals?.bitrateOut) },
      ]),
    );
    const share = format.percent(figuresOfLoad?.cpu);
    load.replaceChildren(
      figures([
        { label: words('processCpu'), value: words('processCpuText', { share }) },
        {
          label: `${words('memory')}: ${words('processMemory')}`,
          value: format.bytes(figuresOfLoad?.memoryBytes),
        },
        { label: words('loop'), value: `${format.number(figuresOfLoad?.loopDelayMs, 1)} ms` },
      ]),
    );
  };
  show();
  return { now, load, show };
}
