import { fileURLToPath } from 'node:url';
import { ConfigError, loadConfig } from '@sluice/core';
import { readConfigFile } from '../config-file.js';
import { createLogger } from '../logging.js';
import { SluiceServer } from '../sluice-server.js';
import { VERSION } from '../version.js';
import { urlLines } from './urls.js';

const DEMO_CLIP = fileURLToPath(new URL('../../demo/demo.flv', import.meta.url));
const DEMO_PATH = 'live/demo';

/** `sluice serve`: runs until it is told to stop. */
export async function serve(options: { config?: string; demo?: boolean }): Promise<void> {
  const read = () => readConfigFile(options.config, process.env);
  const log = createLogger({ ...loadConfig(read()).log, output: process.stdout });
  const announce = (text: string) => void process.stdout.write(`\n${text}\n`);
  const server = await SluiceServer.start({ read, log, announce });
  if (options.demo === true) await server.publishLoop(DEMO_CLIP, DEMO_PATH);
  log.info({ version: VERSION, ...server.ports }, 'Sluice is ready');
  process.stdout.write(
    `\n${urlLines(server.ports)
      .map((line) => `  ${line}\n`)
      .join('')}\n`,
  );
  const end = async (): Promise<void> => {
    await server.stop();
    log.info({}, 'stopped');
    log.flush();
    process.exitCode = 0;
  };
  const stop = (signal: NodeJS.Signals): void => {
    log.info({ signal }, 'stopping; once more to stop at once');
    process.once(signal, () => process.exit(1));
    void end();
  };
  void server.drained.then(end);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  process.on('SIGHUP', () => {
    server.reload().catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error;
      log.error({ detail: error.message }, 'the new configuration cannot be used; the old one stays');
    });
  });
}
