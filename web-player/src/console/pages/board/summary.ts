import { element, setText } from '../../../dom.js';
import { protocolCounts } from '../../components/stream-words.js';
import type { Feed } from '../../feed/feed.js';
import type { I18n } from '../../i18n/i18n.js';
import { boardTexts } from './texts.js';

/** The server in six figures. */
export function summary(i18n: I18n): { readonly root: HTMLElement; show(feed: Feed): void } {
  const words = i18n.words(boardTexts);
  const { format } = i18n;
  const tile = (label: string) => {
    const value = element('dd');
    const more = element('dd', { class: 'more' });
    return { value, more, root: element('div', {}, element('dt', {}, label), value, more) };
  };
  const streams = tile(words('streams'));
  const viewers = tile(words('watching'));
  const received = tile(words('received'));
  const sent = tile(words('sent'));
  const load = tile(words('load'));
  const memory = tile(words('memory'));
  const tiles = [streams, viewers, received, sent, load, memory];
  const root = element('dl', { class: 'summary' }, ...tiles.map((one) => one.root));
  const show = ({ totals, load: needs }: Feed) => {
    if (totals === undefined || needs === undefined) return;
    setText(streams.value, format.number(totals.streams));
    setText(viewers.value, format.number(totals.viewers));
    setText(viewers.more, protocolCounts(totals.viewersByProtocol, i18n) ?? '');
    setText(received.value, format.bitrate(totals.bitrateIn));
    setText(sent.value, format.bitrate(totals.bitrateOut));
    setText(load.value, format.percent(needs.cpu));
    setText(load.more, words('ofCores', { n: needs.cores }));
    setText(memory.value, format.bytes(needs.memoryBytes));
  };
  return { root, show };
}
