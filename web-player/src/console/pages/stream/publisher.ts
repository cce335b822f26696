import { element } from '../../../dom.js';
import { button } from '../../components/button.js';
import { factList } from '../../components/fact-list.js';
import { protocolName } from '../../components/stream-words.js';
import type { SessionView } from '../../feed/views.js';
import type { PageContext } from '../../page.js';
import { denySession } from '../sessions/end-session.js';
import { streamTexts } from './texts.js';

/** What a line is told of, at most: libsrt counts a great deal. */
const LINE_FIGURES = [
  'msRTT',
  'mbpsRecvRate',
  'pktRcvLoss',
  'pktRcvDrop',
  'pktRcvRetrans',
  'roundTripMs',
  'packetsLost',
];

/** Who publishes a stream, and what can be done about it. */
export function publisherPanel(context: PageContext) {
  const { i18n, may } = context;
  const words = i18n.words(streamTexts);
  const { format } = i18n;
  const facts = factList({
    protocol: words('protocol'),
    address: words('address'),
    encoder: words('encoder'),
    identity: words('identity'),
    account: words('account'),
    connected: words('connected'),
    received: words('received'),
    line: words('line'),
  });
  const nobody = element('p', { class: 'hint' }, words('noPublisher'));
  let latest: SessionView | undefined;
  const deny = button({
    label: words('deny'),
    icon: 'ban',
    disabled: !may('sessions'),
    onPress: async () => {
      if (latest !== undefined) await denySession(context, latest);
    },
  });
  const root = element('section', { class: 'panel' }, element('h2', {}, words('publisher')), facts.root, nobody, deny);
  const show = (session: SessionView | undefined) => {
    latest = session;
    nobody.hidden = session !== undefined;
    facts.root.hidden = session === undefined;
    deny.hidden = session === undefined;
    if (session === undefined) return;
    const { protocol, addresses, userAgent, identity, viewer, openedAt, received, bitrate, transport } = session;
    facts.show({
      protocol: protocolName(protocol),
      address: addresses.join(', '),
      encoder: userAgent ?? undefined,
      identity,
      account: viewer ?? undefined,
      connected: format.dateTime(openedAt),
      received: `${format.bytes(received)} · ${format.bitrate(bitrate.received)}`,
      line: lineWords(transport, (value) => format.number(value, 1)),
    });
  };
  show(undefined);
  return { root, show };
}

function lineWords(transport: SessionView['transport'], write: (value: number) => string): string | undefined {
  const told = LINE_FIGURES.flatMap((name) => {
    const value = transport?.[name];
    return value === undefined ? [] : [`${name} ${write(value)}`];
  });
  return told.length === 0 ? undefined : told.join(' · ');
}
