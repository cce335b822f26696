export { AuditFile } from './audit/audit-file.js';
export { type AuditSink, AuditWriter } from './audit/audit-writer.js';
export { syslogSink } from './audit/syslog-sink.js';
export { ControlServer, type ControlServerOptions } from './control-server.js';
export type { ConfigControl, Health } from './v2/control.js';
