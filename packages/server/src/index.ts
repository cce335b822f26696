export { configReference } from './cli/check-config.js';
export { createLogger } from './logging.js';
export { type ListeningPorts, SluiceServer } from './sluice-server.js';
export { StartError } from './start-error.js';
export { VERSION } from './version.js';
