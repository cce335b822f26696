// werift-process PORT CLIP: a WHEP server as one writes it with werift: one RTCPeerConnection for each viewer, and each
// packet handed to each viewer's RTCRtpSender. A process of its own, so that its CPU time can be told.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { RTCPeerConnection, RTCRtpCodecParameters, type RTCRtpSender } from 'werift';
import { readClip } from '../source-clip.js';
import { RtpClip } from './rtp-clip.js';

const HOST = '127.0.0.1';
/** As much as Sluice puts into a packet. */
const PAYLOAD_BYTES = 1150;

interface Viewer {
  readonly peer: RTCPeerConnection;
  readonly sender: RTCRtpSender;
  hasPicture: boolean;
}

const viewers = new Map<string, Viewer>();

async function answer(offer: string): Promise<{ id: string; sdp: string }> {
  const video = new RTCRtpCodecParameters({ mimeType: 'video/H264', clockRate: 90_000, rtcpFeedback: [] });
  // Nothing but loopback, and nobody is asked (the default is a public STUN server).
  const peer = new RTCPeerConnection({
    iceServers: [],
    iceLite: true,
    iceUseIpv6: false,
    iceInterfaceAddresses: { udp4: HOST },
    iceAdditionalHostAddresses: [HOST],
    codecs: { video: [video] },
    headerExtensions: {},
  });
  const { sender } = peer.addTransceiver('video', { direction: 'sendonly' });
  await peer.setRemoteDescription({ type: 'offer', sdp: offer });
  await peer.setLocalDescription(await peer.createAnswer());
  const id = crypto.randomUUID();
  viewers.set(id, { peer, sender, hasPicture: false });
  return { id, sdp: peer.localDescription?.sdp ?? '' };
}

async function serve(request: IncomingMessage): Promise<{ status: number; location?: string; body: string }> {
  if (request.method === 'POST') {
    const { id, sdp } = await answer(await text(request));
    return { status: 201, location: `/whep/${id}`, body: sdp };
  }
  const id = request.url?.split('/').at(-1) ?? '';
  const viewer = viewers.get(id);
  viewers.delete(id);
  await viewer?.peer.close();
  return { status: viewer === undefined ? 404 : 200, body: '' };
}

function sendToAll(clip: RtpClip): void {
  const began = performance.now();
  const due = () => {
    const { at, keyframe, packets } = picture;
    for (const viewer of viewers.values()) {
      viewer.hasPicture ||= keyframe && viewer.peer.connectionState === 'connected';
      if (viewer.hasPicture) for (const packet of packets) void viewer.sender.sendRtp(packet);
    }
    picture = clip.next();
    setTimeout(due, Math.max(0, began + picture.at - performance.now()));
    return at;
  };
  let picture = clip.next();
  due();
}

const [port, file] = process.argv.slice(2);
const clip = new RtpClip(await readClip(file ?? ''), PAYLOAD_BYTES);
const server = createServer((request, response) => {
  serve(request).then(
    ({ status, location, body }) => {
      const headers = { 'Content-Type': 'application/sdp', ...(location === undefined ? {} : { Location: location }) };
      response.writeHead(status, headers).end(body);
    },
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
}).listen(Number(port), HOST);
await once(server, 'listening');
sendToAll(clip);
process.on('SIGTERM', () => process.exit());
