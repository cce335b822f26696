import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ffmpeg, testPicture } from '../ffmpeg.js';

const PART_SECONDS = 0.2;
const PARTS = 5;
const LISTED = 8;
const PARTED = 3;
const CLIP_SECONDS = 30;

/** A clip as fragments of MP4 of 0.2 s each, a keyframe at each fifth. */
export interface FragmentedClip {
  readonly init: Buffer;
  readonly fragments: readonly Buffer[];
}

/** Has ffmpeg make a fragmented MP4, and takes it apart. */
export async function fragmentedClip(): Promise<FragmentedClip> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-fragments-'));
  try {
    const file = join(directory, 'clip.mp4');
    const encoder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-keyint_min', '25', '-sc_threshold', '0'];
    const muxer = ['-movflags', 'empty_moov+default_base_moof', '-frag_duration', String(PART_SECONDS * 1_000_000)];
    await ffmpeg([...testPicture({ seconds: CLIP_SECONDS, size: '160x90' }), ...encoder, '-bf', '0', ...muxer, file]);
    return takeApart(await readFile(file));
  } finally {
    await rm(directory, { recursive: true });
  }
}

function takeApart(file: Buffer): FragmentedClip {
  const head: Buffer[] = [];
  const fragments: Buffer[] = [];
  let moof: Buffer | undefined;
  for (let at = 0; at + 8 <= file.length; ) {
    const box = file.subarray(at, at + file.readUInt32BE(at));
    const type = box.toString('latin1', 4, 8);
    if (type === 'moof') moof = box;
    else if (type === 'mdat' && moof !== undefined) fragments.push(Buffer.concat([moof, box]));
    else if (moof === undefined) head.push(box);
    at += box.length;
  }
  return { init: Buffer.concat(head), fragments };
}

/** What the origin is about to answer. */
export interface OriginAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
  readonly zipped: boolean;
}

/** Where a live stream is: the first segment in the list, the first with parts, and all parts that there are. */
export interface OriginState {
  readonly first: number;
  readonly firstParted: number;
  readonly parts: number;
}

/** Changes what is answered. @param url as it was asked for */
export type Tamper = (url: URL, answer: OriginAnswer, state: OriginState) => OriginAnswer;

/** A small low-latency HLS server over a clip, without fault unless it is told to have one. */
export class LowLatencyOrigin {
  readonly #clip: FragmentedClip;
  readonly #tamper: Tamper;
  readonly #server: Server;
  readonly #began = performance.now() / 1000 - LISTED;

  private constructor(clip: FragmentedClip, tamper: Tamper) {
    this.#clip = clip;
    this.#tamper = tamper;
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://origin.test');
      let isGone = false;
      response.once('close', () => {
        isGone = true;
      });
      const respond = ({ status, type, body, zipped }: OriginAnswer) => {
        if (isGone) return;
        response.writeHead(status, { 'Content-Type': type, ...(zipped ? { 'Content-Encoding': 'gzip' } : {}) });
        response.end(zipped ? gzipSync(body) : body);
      };
      const wait = this.#waitFor(url);
      setTimeout(() => respond(this.#tamper(url, this.#answer(url), this.#state())), wait * 1000).unref();
    });
  }

  static async start(clip: FragmentedClip, tamper: Tamper = (_url, answer) => answer): Promise<LowLatencyOrigin> {
    const origin = new LowLatencyOrigin(clip, tamper);
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve));
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Parts that there are by now. */
  #available(): number {
    return Math.floor((performance.now() / 1000 - this.#began) / PART_SECONDS);
  }

  #state(): OriginState {
    const parts = this.#available();
    const whole = Math.floor(parts / PARTS);
    return { first: whole - LISTED, firstParted: whole - PARTED, parts };
  }

  /** How long an answer has to wait for a part, in seconds. */
  #waitFor(url: URL): number {
    const available = this.#available();
    const [, segment, part] = /\/v-(\d+)\.(\d+)\.m4s$/.exec(url.pathname) ?? [];
    let wanted = part === undefined ? 0 : Number(segment) * PARTS + Number(part);
    if (wanted > available) return 0;
    const msn = url.searchParams.get('_HLS_msn');
    if (msn !== null) wanted = Number(msn) * PARTS + Number(url.searchParams.get('_HLS_part') ?? PARTS - 1);
    if (wanted > available + 3 * PARTS) return 0;
    const ready = this.#began + (wanted + 1) * PART_SECONDS;
    // Timers are early by up to a millisecond.
    return Math.max(0, ready - performance.now() / 1000 + 0.002);
  }

  #answer(url: URL): OriginAnswer {
    const media = (body: Buffer | undefined): OriginAnswer => {
      const found = { status: body === undefined ? 404 : 200, body: body ?? Buffer.alloc(0) };
      return { ...found, type: 'video/mp4', zipped: false };
    };
    const { fragments, init } = this.#clip;
    const available = this.#available();
    const [, segment, part] = /\/v-(\d+)(?:\.(\d+))?\.m4s$/.exec(url.pathname) ?? [];
    if (url.pathname.endsWith('/init.mp4')) return media(init);
    if (segment === undefined) return this.#playlist(url, available);
    const from = Number(segment) * PARTS + Number(part ?? 0);
    const to = part === undefined ? from + PARTS : from + 1;
    return media(to > available ? undefined : Buffer.concat(fragments.slice(from, to)));
  }

  #playlist(url: URL, available: number): OriginAnswer {
    const { searchParams: asked } = url;
    const type = 'application/vnd.apple.mpegurl';
    const tooFar = Number(asked.get('_HLS_msn') ?? 0) > available / PARTS + 2;
    if (tooFar || (asked.has('_HLS_part') && !asked.has('_HLS_msn'))) {
      return { status: 400, type: 'text/plain', body: Buffer.alloc(0), zipped: false };
    }
    const text = this.#render(available, asked.has('_HLS_skip'));
    return { status: 200, type, body: Buffer.from(text), zipped: true };
  }

  #render(available: number, isDelta: boolean): string {
    const { first, firstParted } = this.#state();
    const whole = Math.floor(available / PARTS);
    const skipped = isDelta ? whole - first - 6 : 0;
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:9',
      '#EXT-X-TARGETDURATION:1',
      '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.0,PART-HOLD-BACK=0.6',
      `#EXT-X-PART-INF:PART-TARGET=${PART_SECONDS}`,
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      '#EXT-X-INDEPENDENT-SEGMENTS',
      ...(skipped > 0 ? [`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`] : ['#EXT-X-MAP:URI="init.mp4"']),
    ];
    const addParts = (segment: number, count: number) => {
      for (let part = 0; part < count; part++) {
        const independent = part === 0 ? ',INDEPENDENT=YES' : '';
        lines.push(`#EXT-X-PART:DURATION=${PART_SECONDS},URI="v-${segment}.${part}.m4s"${independent}`);
      }
    };
    for (let segment = first + Math.max(0, skipped); segment < whole; segment++) {
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(1_800_000_000_000 + segment * 1000).toISOString()}`);
      if (segment >= firstParted) addParts(segment, PARTS);
      lines.push('#EXTINF:1.0,', `v-${segment}.m4s`);
    }
    addParts(whole, available % PARTS);
    lines.push(`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v-${whole}.${available % PARTS}.m4s"`, '');
    return lines.join('\n');
  }
}
