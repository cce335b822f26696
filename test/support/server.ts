import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { loadConfig } from '@sluice/core';
import { createLogger, SluiceServer } from '@sluice/server';

/** A line of the server's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A server under test with what it said. */
export interface TestServer {
  readonly server: SluiceServer;
  readonly log: readonly LogLine[];
  readonly rtmp: string;
  readonly rtmps: string;
  readonly http: string;
  readonly https: string;
  readonly ws: string;
  /** The control API. */
  readonly api: string;
  /** Of the user `admin`, where this start has made it. */
  readonly adminPassword: string | undefined;
  /** Changes the file that the server would read. */
  writeConfig(yaml: string): void;
  /** @throws where the log holds a secret */
  stop(): Promise<void>;
}

/** All secrets of the tests are marked with this, so that none of them can pass through a log unseen. */
export const SECRET_MARK = 'Not4Logs';

/** The key of the control API in tests. */
export const API_TOKEN = `api-token-${SECRET_MARK}`;

/** An administrator's requests to the control API. */
export const AS_ADMIN = { Authorization: `Bearer ${API_TOKEN}`, 'Content-Type': 'application/json' };

const LOOPBACK_PORTS = Object.fromEntries(
  ['RTMP', 'RTMPS', 'HTTP', 'HTTPS', 'SRT', 'WEBRTC', 'API'].flatMap((door) => [
    [`SLUICE_${door}_PORT`, '0'],
    [`SLUICE_${door}_HOST`, '127.0.0.1'],
  ]),
);

/**
 * Starts a server in this process, on free ports of the loopback address.
 *
 * @param options.dataDirectory one that outlives the server; else one of its own
 */
export async function startServer(
  yaml = '',
  environment: Record<string, string> = {},
  options: { dataDirectory?: string } = {},
): Promise<TestServer> {
  const log: LogLine[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      for (const line of chunk.toString().split('\n')) if (line !== '') log.push(JSON.parse(line) as LogLine);
      done();
    },
  });
  const ownDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'sluice-data-')));
  let text = yaml;
  let announced = '';
  const read = () => ({
    file: { name: 'test.yml', text },
    environment: {
      ...LOOPBACK_PORTS,
      SLUICE_API_TLS_PORT: '0',
      SLUICE_API_TOKEN: API_TOKEN,
      SLUICE_DATA_DIR: ownDirectory,
      SLUICE_LOG_LEVEL: 'debug',
      SLUICE_SHUTDOWN_SECONDS: '1',
      ...environment,
    },
  });
  const logger = createLogger({ ...loadConfig(read()).log, format: 'json', output });
  const announce = (said: string) => {
    announced += said;
  };
  const server = await SluiceServer.start({ read, log: logger, announce });
  const { ports } = server;
  const adminPassword = /password: (\S+)/.exec(announced)?.[1];
  return {
    server,
    log,
    rtmp: `rtmp://127.0.0.1:${ports.rtmp}`,
    rtmps: `rtmps://127.0.0.1:${ports.rtmps}`,
    http: `http://127.0.0.1:${ports.http}`,
    https: `https://127.0.0.1:${ports.https}`,
    ws: `ws://127.0.0.1:${ports.http}`,
    api: `http://127.0.0.1:${ports.api}`,
    adminPassword,
    writeConfig: (next) => {
      text = next;
    },
    stop: async () => {
      await server.stop();
      if (options.dataDirectory === undefined) await rm(ownDirectory, { recursive: true, force: true });
      const said = JSON.stringify(log);
      for (const secret of [SECRET_MARK, adminPassword]) {
        if (secret !== undefined && said.includes(secret)) {
          throw new Error(
            `a secret is in the log: ${log.map((line) => JSON.stringify(line)).find((line) => line.includes(secret))}`,
          );
        }
      }
    },
  };
}
