import type { Session, Traffic } from '@sluice/core';
import type { CallbackNews } from './callback-news.js';
import type { ServerNames } from './server-names.js';

const DEFAULT_VHOST = '__defaultVhost__';

/** The body of a callback as SRS 7 sends it: the fields, their types and their order. */
export function srsBody(news: CallbackNews, names: ServerNames): Readonly<Record<string, unknown>> {
  const session = sessionOf(news);
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
    case 'on_dvr': {
      const { cwd, file } = news.recording;
      return { ...base, tcUrl, stream, param, cwd, file, ...ids };
    }
  }
}

type Told = Pick<Session, 'id' | 'ip' | 'path' | 'query' | 'client'>;

/** Tools read every field: those of a publisher that isn't known any more are empty. */
function sessionOf(news: CallbackNews): Told {
  if (news.event !== 'on_dvr' || news.session !== undefined) return news.session as Told;
  return { id: '', ip: '', path: news.recording.recorded.path, query: '', client: {} };
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
function tcUrlOf({ client, path }: Told): string {
  return client.tcUrl ?? `rtmp://${DEFAULT_VHOST}/${splitPath(path).app}`;
}
