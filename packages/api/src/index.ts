export { ControlServer, type ControlServerOptions } from './control-server.js';
export type { ConfigControl, Health } from './v2/control.js';
