import { createHash } from 'node:crypto';
import type { OpenSession } from '@sluice/core';
import { XMLBuilder } from 'fast-xml-parser';

/** One viewer's watching since the last sync that was answered. */
export interface Viewing {
  readonly open: Pick<OpenSession, 'session' | 'addresses'>;
  readonly milliseconds: number;
  readonly bytes: number;
}

export interface ReportOptions {
  readonly serverId: string;
  /** New for each report. */
  readonly puzzle: string;
  readonly secret: string | undefined;
  readonly format: 'json' | 'xml';
}

/** Wowza's names for what we don't have, as handlers may look for them. */
const VHOST = '_defaultVHost_';
const INSTANCE = '_definst_';

/**
 * Who watches what, in the form that pay-per-view handlers for WMSPanel read (`ppv_sync.xsd` and `ppv_sync.json` of
 * Softvelum's samples): the server, then its applications, streams and players. `delta` is in milliseconds there.
 * JSON says more about each player than XML.
 */
export function viewingReport(viewings: readonly Viewing[], options: ReportOptions): string {
  const { serverId, puzzle, secret, format } = options;
  const report = {
    ID: serverId,
    Signature: secret === undefined ? '' : signatureOf(serverId, puzzle, secret),
    Puzzle: puzzle,
    PayPerViewInfo: vhosts(viewings, format === 'json'),
  };
  return format === 'json' ? JSON.stringify(report) : xmlOf({ ApiSyncRequest: report });
}

function vhosts(viewings: readonly Viewing[], isFull: boolean) {
  const apps = new Map<string, Map<string, object[]>>();
  for (const viewing of viewings) {
    const { path } = viewing.open.session;
    const slash = path.lastIndexOf('/');
    const streams = entry(apps, path.slice(0, slash), () => new Map<string, object[]>());
    entry(streams, path.slice(slash + 1), () => []).push(playerOf(viewing, isFull));
  }
  if (apps.size === 0) return {};
  const applications = [...apps].map(([app, streams]) => ({
    name: app,
    Instance: [{ name: INSTANCE, Stream: [...streams].map(([name, players]) => ({ name, Player: players })) }],
  }));
  return { VHost: [{ name: VHOST, Application: applications }] };
}

function playerOf({ open, milliseconds, bytes }: Viewing, isFull: boolean) {
  const { session, addresses } = open;
  const { id, ip, identity, protocol, userAgent } = session;
  return {
    id: identity.viewer,
    ip,
    sessionid: id,
    delta: milliseconds,
    bytes_sent: bytes,
    user_agents: userAgent === undefined ? [] : [userAgent],
    ...(isFull ? { ips: addresses, token: identity.credential, protocol } : {}),
  };
}

/** WMSPanel's proof of the sender; handlers that check it would refuse us without. */
function signatureOf(serverId: string, puzzle: string, secret: string): string {
  return createHash('md5').update(`${serverId}${puzzle}${secret}`).digest('base64');
}

/** XML 1.0 §2.2: other characters can't be in a document, not even escaped. */
const NOT_IN_XML = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

function xmlOf(tree: object): string {
  const builder = new XMLBuilder({ tagValueProcessor: (_, value) => String(value).replace(NOT_IN_XML, '?') });
  return `<?xml version="1.0" encoding="UTF-8"?>${builder.build(tree)}`;
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
