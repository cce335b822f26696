export { configReference } from './cli/check-config.js';
export { createLogger } from './logging.js';
export { type ListeningPorts, SluiceServer, StartError } from './sluice-server.js';
export { VERSION } from './version.js';
