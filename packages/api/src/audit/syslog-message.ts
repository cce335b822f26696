import type { AuditEntry } from '@sluice/core';

/** RFC 5424 §6.2.1. */
const FACILITY_LOCAL0 = 16;
const SEVERITY = { ok: 6, refused: 4, failed: 3 } as const;
/** RFC 5424 §6.3.2: 32473 is the private enterprise number for examples, as long as there is none of our own. */
const STRUCTURE = 'sluice@32473';

/** An audit entry as a syslog message, RFC 5424 §6. */
export function syslogMessage(entry: AuditEntry, host: string, pid: number): string {
  const { at, actor, ip, action, target, result, detail } = entry;
  const priority = FACILITY_LOCAL0 * 8 + SEVERITY[result];
  const fields = { actor, ip, action, target, result, detail };
  const parameters = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${escaped(value)}"`],
  );
  const header = `<${priority}>1 ${new Date(at).toISOString()} ${headerField(host)} sluice ${pid} audit`;
  const text = `${actor} ${action} ${target} ${result}`.replace(/\p{Cc}/gu, ' ');
  return `${header} [${STRUCTURE} ${parameters.join(' ')}] ${text}`;
}

/** RFC 5424 §6.3.3: these three, and no control characters, which would end a line in some receivers. */
function escaped(value: string): string {
  return value.replace(/\p{Cc}/gu, ' ').replace(/[\\"\]]/g, '\\$&');
}

/** RFC 5424 §6.2.4: printable ASCII, 255 at most. */
function headerField(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, 255) || '-';
}
