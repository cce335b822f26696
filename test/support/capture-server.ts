import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BbbStub, type MeetingOptions, type StubOptions } from '../bbb-stub/src/index.js';
import { api } from './api.js';
import { startServer, type TestServer } from './server.js';
import { until } from './until.js';

/** A capture as the control API tells of it. */
export interface ShownCapture {
  readonly id: string;
  readonly meetingId: string;
  readonly state: string;
  readonly step: string | null;
  readonly trouble: string | null;
  readonly reason: string | null;
  readonly failure: string | null;
  readonly detail: string | null;
  readonly generation: string | null;
  readonly target: string;
  readonly pictures: number;
  readonly picturesPerSecond: number;
  readonly rejoins: number;
}

/** A Sluice that may capture the meetings of a stub of BigBlueButton. */
export class CaptureServer {
  readonly stub: BbbStub;
  readonly sluice: TestServer;
  readonly secretFile: string;
  readonly #folder: string;

  private constructor(stub: BbbStub, sluice: TestServer, folder: string, secretFile: string) {
    this.stub = stub;
    this.sluice = sluice;
    this.#folder = folder;
    this.secretFile = secretFile;
  }

  /** @param yaml under `bbb:`, indented by two */
  static async start(options: StubOptions = {}, yaml = '', meetings: MeetingOptions[] = []): Promise<CaptureServer> {
    const stub = await BbbStub.start(options);
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bbb-test-'));
    const secretFile = join(folder, 'secret');
    await writeSecret(secretFile, stub.secret);
    const own = `bbb:\n  url: ${stub.url}\n  secretFile: ${secretFile}\n${yaml}`;
    const sluice = await startServer(own);
    for (const meeting of meetings) stub.meetings.create(meeting);
    return new CaptureServer(stub, sluice, folder, secretFile);
  }

  async stop(): Promise<void> {
    await this.sluice.stop();
    await this.stub.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Begins a capture. @returns its id */
  async capture(meetingId: string, target: string, more: Record<string, string> = {}): Promise<string> {
    const body = { meetingId, target, ...more };
    const answer = await api<ShownCapture>(this.sluice, 'POST', '/api/v2/bbb/captures', body);
    if (answer.status !== 201) throw new Error(`a capture is answered with ${JSON.stringify(answer)}`);
    return answer.body.id;
  }

  async shown(id: string): Promise<ShownCapture> {
    return (await api<ShownCapture>(this.sluice, 'GET', `/api/v2/bbb/captures/${id}`)).body;
  }

  /** Waits for a state; says what it is at when it doesn't come. @returns milliseconds that it took */
  async reaches(id: string, wanted: (shown: ShownCapture) => boolean, ms = 40_000): Promise<number> {
    const began = performance.now();
    let last: ShownCapture | undefined;
    const isThere = async () => {
      last = await this.shown(id);
      return wanted(last);
    };
    await until('the capture gets there', isThere, ms).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
    });
    return performance.now() - began;
  }

  async live(id: string, ms?: number): Promise<number> {
    return this.reaches(id, ({ state }) => state === 'live', ms);
  }

  /** The value of a metric, with its labels as they are written. */
  async metric(name: string): Promise<number | undefined> {
    const response = await fetch(`${this.sluice.api}/metrics`);
    const line = (await response.text()).split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length));
  }

  /** The status of the captures' health. */
  async health(): Promise<number> {
    return (await fetch(`${this.sluice.api}/api/v2/bbb/health`)).status;
  }
}

/** Writes a file as secrets must be. */
export async function writeSecret(file: string, text: string): Promise<void> {
  await writeFile(file, `${text}\n`);
  await chmod(file, 0o600);
}
