import { networkInterfaces } from 'node:os';
import type { ListeningPorts } from '../sluice-server.js';

/** The name under which others in the network reach this machine: its first address that isn't loopback. */
export function reachableHost(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    const found = addresses?.find((address) => address.family === 'IPv4' && !address.internal);
    if (found !== undefined) return found.address;
  }
  return 'localhost';
}

/** What an operator wants to copy after a start, as lines of a label and a URL. */
export function urlLines(ports: ListeningPorts): string[] {
  const host = reachableHost();
  const rows: [string, string][] = [
    ['Start page', `http://localhost:${ports.http}/`],
    ['Publish (RTMP)', `rtmp://${host}:${ports.rtmp}/live/show`],
  ];
  if (ports.rtmps !== undefined) rows.push(['Publish (RTMPS)', `rtmps://${host}:${ports.rtmps}/live/show`]);
  if (ports.srt !== undefined) rows.push(['Publish (SRT)', `srt://${host}:${ports.srt}?streamid=publish:live/show`]);
  rows.push(
    ['Player', `http://${host}:${ports.http}/player/live/show`],
    ['HLS', `http://${host}:${ports.http}/live/show.m3u8`],
    ['DASH', `http://${host}:${ports.http}/live/show.mpd`],
    ['HTTP-FLV', `http://${host}:${ports.http}/live/show.flv`],
    ['WebSocket-FLV', `ws://${host}:${ports.http}/live/show.flv`],
    ['RTMP', `rtmp://${host}:${ports.rtmp}/live/show`],
  );
  if (ports.srt !== undefined) rows.push(['SRT', `srt://${host}:${ports.srt}?streamid=read:live/show`]);
  if (ports.webrtc !== undefined) rows.push(['WebRTC (WHEP)', `http://${host}:${ports.http}/whep/live/show`]);
  if (ports.api !== undefined) rows.push(['Control API', `http://localhost:${ports.api}/api/v2/docs`]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, url]) => `${label.padEnd(width)}  ${url}`);
}
