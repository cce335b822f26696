import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { api } from './support/api.js';
import { CaptureServer } from './support/capture-server.js';
import { lookAtCapture } from './support/captured.js';
import { IS_BBB_LONG } from './support/long.js';
import { descendants } from './support/processes.js';
import { until } from './support/until.js';

const WITHIN_MS = 15_000;
const PATH = 'live/room';

const pidsOf = (fits: (command: string, parent: number) => boolean) =>
  descendants()
    .filter(({ command, parent }) => fits(command, parent))
    .map(({ pid }) => pid);
const browsers = () =>
  pidsOf((command, parent) => parent === process.pid && command.includes('--auto-select-tab-capture-source-by-title='));
const renderers = () => pidsOf((command) => command.includes('--type=renderer'));
const encoders = () => pidsOf((command) => command.includes('adts'));

/** A viewer of HLS, who notes what it is answered. */
class HlsViewer {
  readonly refused: string[] = [];
  readonly #url: string;
  readonly #timer: NodeJS.Timeout;

  private constructor(url: string) {
    this.#url = url;
    this.#timer = setInterval(() => {
      fetch(this.#url)
        .then(async (response) => {
          const text = await response.text();
          if (!response.ok) this.refused.push(`${new Date().toISOString()} ${response.status}: ${text.slice(0, 200)}`);
        })
        .catch((error: unknown) => this.refused.push(String(error)));
    }, 1000);
  }

  static async start(master: string): Promise<HlsViewer> {
    const lines = (await (await fetch(master)).text()).split('\n');
    const own = lines.find((line) => line.includes('.m3u8') && !line.startsWith('#')) ?? master;
    return new HlsViewer(new URL(own, master).href);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** `npm run test:bbb`: each takes its time. */
describe.runIf(IS_BBB_LONG)('a capture heals', () => {
  let server: CaptureServer;
  let viewer: HlsViewer;
  let id = '';
  let watching: string[] = [];
  beforeAll(async () => {
    const meeting = { meetingID: 'room' };
    server = await CaptureServer.start({}, '', [meeting]);
    id = await server.capture('room', PATH);
    await server.live(id);
    const master = `${server.sluice.http}/${PATH}.m3u8`;
    await until('HLS is there', async () => (await fetch(master)).ok);
    viewer = await HlsViewer.start(master);
    await until('the viewer has a session', async () => (await hlsSessions()).length === 1);
    watching = await hlsSessions();
  });
  afterAll(async () => {
    viewer?.stop();
    await server?.stop();
  });

  async function hlsSessions(): Promise<string[]> {
    const path = '/api/v2/sessions?action=play&protocol=hls';
    const { body } = await api<{ sessions: { id: string }[] }>(server.sluice, 'GET', path);
    return body.sessions.map((session) => session.id);
  }

  const act = (action: Parameters<NonNullable<ReturnType<CaptureServer['stub']['meetings']['get']>>['act']>[0]) =>
    server.stub.meetings.get('room')?.act(action);

  /** Does harm, sees that health and state tell of it, and waits until it is live again. */
  async function harm(doHarm: () => unknown, trouble: string): Promise<number> {
    const began = performance.now();
    await doHarm();
    let seen = '';
    let health = 0;
    await server.reaches(
      id,
      ({ state, trouble: now }) => {
        if (state === 'degraded') seen = now ?? '';
        return seen !== '';
      },
      WITHIN_MS,
    );
    health = await server.health();
    expect(seen).toBe(trouble);
    expect(health).toBe(503);
    await server.live(id, WITHIN_MS);
    const ms = performance.now() - began;
    expect(await server.health()).toBe(200);
    expect(viewer.refused).toEqual([]);
    return ms;
  }

  test('after the browser was killed', async () => {
    const [pid] = browsers();
    const ms = await harm(() => process.kill(pid ?? 0, 'SIGKILL'), 'reconnecting');
    expect(ms).toBeLessThan(WITHIN_MS);
    expect(browsers()).toHaveLength(1);
    expect(browsers()).not.toContain(pid);
    expect(await server.metric('sluice_bbb_stream_errors_total{error_type="reconnecting"}')).toBe(1);
  });

  test('after the encoder of the sound was killed, with the browser in the meeting', async () => {
    const [browser] = browsers();
    const [pid] = encoders();
    process.kill(pid ?? 0, 'SIGKILL');
    await until('there is another one', () => encoders().length === 1 && !encoders().includes(pid ?? 0), WITHIN_MS);
    const seen = await lookAtCapture(`${server.sluice.http}/${PATH}.flv`, 4);
    expect(seen.toneShare).toBeGreaterThan(0.95);
    expect(browsers()).toEqual([browser]);
    expect((await server.shown(id)).state).toBe('live');
  });

  test('after the connection to the target was cut, with the browser in the meeting', async () => {
    const [browser] = browsers();
    const { body } = await api<{ sessions: { id: string }[] }>(
      server.sluice,
      'GET',
      '/api/v2/sessions?action=publish&protocol=rtmp',
    );
    const cut = () => api(server.sluice, 'DELETE', `/api/v2/sessions/${body.sessions[0]?.id}`);
    expect(await harm(cut, 'target-lost')).toBeLessThan(WITHIN_MS);
    expect(browsers()).toEqual([browser]);
  });

  test.each([
    ['its tabs crashed', () => renderers().map((pid) => process.kill(pid, 'SIGKILL'))],
    ['it was kicked', () => act({ do: 'kick' })],
    ['the meeting was begun anew under the same ID', () => act({ do: 'restart' })],
  ])('after %s', async (_name, doHarm) => {
    const { rejoins } = await server.shown(id);
    const began = performance.now();
    doHarm();
    await server.reaches(id, (shown) => shown.rejoins > rejoins, WITHIN_MS);
    expect(await server.health()).toBe(503);
    await server.live(id, WITHIN_MS);
    expect(performance.now() - began).toBeLessThan(WITHIN_MS);
    expect(viewer.refused).toEqual([]);
    expect(browsers()).toHaveLength(1);
  });

  test('and ends with the meeting, with nothing left; until then, who watched by HLS has the same session', async () => {
    expect(await hlsSessions()).toEqual(watching);
    act({ do: 'end' });
    expect(await server.reaches(id, ({ state }) => state === 'ended', 12_000)).toBeLessThan(10_000);
    await until('nothing is left', () => browsers().length + encoders().length === 0);
  });
});
