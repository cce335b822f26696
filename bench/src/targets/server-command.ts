import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '@sluice/server/node-flags';

/** The built server of this repository. */
export const SERVER_MAIN = fileURLToPath(new URL('../../../packages/server/dist/main.js', import.meta.url));

/** What Node is given to run a command of it, as `npm start` and the installed command do. */
export const SERVER_ARGS: readonly string[] = [...NODE_FLAGS, SERVER_MAIN];
