import { element, required, setText } from './dom.js';
import { formatCount } from './format.js';
import { openByName, publishGuide } from './publish-guide.js';
import { ServerClock } from './server-clock.js';
import { StatusClient, type StreamList } from './status-client.js';
import { StreamCards } from './stream-cards.js';

const POLL_MS = 2000;
const TICK_MS = 1000;

const summary = required('summary');
const main = required('main');
const clock = new ServerClock();
const client = new StatusClient(clock);
const cards = new StreamCards(clock);
let shown = '';

setInterval(() => cards.tick(), TICK_MS);
void refresh();

async function refresh(): Promise<void> {
  try {
    show(await client.streams());
  } catch {
    setText(summary, 'The server does not answer. Trying again …');
  }
  setTimeout(() => void refresh(), POLL_MS);
}

function show(list: StreamList): void {
  if (list.kind === 'hidden') {
    setText(summary, 'This server keeps its list of streams to itself.');
    replace('hidden', () => [openByName()]);
    return;
  }
  const { streams, server } = list;
  setText(required('version'), server.version);
  if (streams.length === 0) {
    setText(summary, 'Nothing is live yet.');
    replace('empty', () => [publishGuide(location.hostname, server.rtmpPort)]);
    return;
  }
  const live = streams.filter(({ state }) => state === 'live').length;
  setText(summary, `${formatCount(live, 'stream')} live`);
  cards.show(streams);
  replace('streams', () => {
    const more = element('details', { class: 'more' }, element('summary', {}, 'Publish another stream'));
    more.append(publishGuide(location.hostname, server.rtmpPort));
    return [cards.root, more];
  });
}

/** Replaces what the page shows only when it is another thing, so that a focus or a selection survives. */
function replace(what: string, make: () => HTMLElement[]): void {
  if (what === shown) return;
  shown = what;
  main.replaceChildren(...make());
}
