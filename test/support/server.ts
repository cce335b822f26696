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
  readonly http: string;
  readonly ws: string;
  stop(): Promise<void>;
}

/** Starts a server in this process, on free ports of the loopback address. */
export async function startServer(yaml = '', environment: Record<string, string> = {}): Promise<TestServer> {
  const log: LogLine[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      for (const line of chunk.toString().split('\n')) if (line !== '') log.push(JSON.parse(line) as LogLine);
      done();
    },
  });
  const config = loadConfig({
    file: { name: 'test.yml', text: yaml },
    environment: {
      SLUICE_RTMP_PORT: '0',
      SLUICE_RTMP_HOST: '127.0.0.1',
      SLUICE_RTMPS_PORT: '0',
      SLUICE_RTMPS_HOST: '127.0.0.1',
      SLUICE_HTTP_PORT: '0',
      SLUICE_HTTP_HOST: '127.0.0.1',
      SLUICE_LOG_LEVEL: 'debug',
      SLUICE_SHUTDOWN_SECONDS: '1',
      ...environment,
    },
  });
  const server = await SluiceServer.start(config, createLogger({ ...config.log, format: 'json', output }));
  const { ports } = server;
  return {
    server,
    log,
    rtmp: `rtmp://127.0.0.1:${ports.rtmp}`,
    http: `http://127.0.0.1:${ports.http}`,
    ws: `ws://127.0.0.1:${ports.http}`,
    stop: () => server.stop(),
  };
}
