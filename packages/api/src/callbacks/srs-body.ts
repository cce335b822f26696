import type { Session, Traffic } from '@sluice/core';
import type { CallbackNews } from './callback-news.js';
import type { ServerNames } from './server-names.js';

const DEFAULT_VHOST = '__defaultVhost__';

/** The body of a callback as SRS 7 sends it: the fields, their types and their order. */
export function srsBody(news: CallbackNews, names: ServerNames): Readonly<Record<string, unknown>> {
  const { session } = news;
  const { app, stream } = splitPath(session.path);
  const base = {
    server_id: names.serverId,
    service_id: names.serviceId,
    action: news.event,
    client_id: session.id,
    ip: session.ip,
    vhost: DEFAULT_VHOST,
    app,
  };
  const tcUrl = tcUrlOf(session);
  const param = session.query === '' ? '' : `?${session.query}`;
  const pageUrl = session.client.pageUrl ?? '';
  const ids = { stream_url: `/${session.path}`, stream_id: names.streamId(session.path) };
  switch (news.event) {
    case 'on_connect':
      return { ...base, stream, param, tcUrl, pageUrl };
    case 'on_close':
      return { ...base, ...bytesOf(news.traffic) };
    case 'on_play':
      return { ...base, stream, tcUrl, param, pageUrl, ...ids };
    case 'on_publish':
    case 'on_unpublish':
    case 'on_stop':
      return { ...base, tcUrl, stream, param, ...ids };
    case 'on_hls': {
      const { duration, cwd, file, url, playlistFile, playlistUrl, sequence } = news.segment;
      const segment = { duration, cwd, file, url, m3u8: playlistFile, m3u8_url: playlistUrl, seq_no: sequence };
      return { ...base, tcUrl, stream, param, ...segment, ...ids };
    }
  }
}

function bytesOf({ sent, received }: Traffic) {
  return { send_bytes: sent, recv_bytes: received };
}

/** SRS counts all but the last name of a path as the app. */
function splitPath(path: string): { app: string; stream: string } {
  const slash = path.lastIndexOf('/');
  return { app: path.slice(0, slash), stream: path.slice(slash + 1) };
}

/** What an RTMP client said; SRS gives viewers of other protocols one that names the vhost. */
function tcUrlOf({ client, path }: Session): string {
  return client.tcUrl ?? `rtmp://${DEFAULT_VHOST}/${splitPath(path).app}`;
}
