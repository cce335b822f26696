import type { Finding, Status } from './finding.js';

const MARK: Readonly<Record<Status, string>> = { ok: '✓', warning: '!', failed: '✗' };

/** Findings as lines for people, with what they come to below. */
export function textReport(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ check, status, found, advice }) => [
    `${MARK[status]} ${check}: ${found}`,
    ...(advice === undefined ? [] : [`    ${advice}`]),
  ]);
  const count = (status: Status) => findings.filter((finding) => finding.status === status).length;
  const sum = `${count('ok')} fine, ${count('warning')} to look at, ${count('failed')} wrong`;
  return `${[...lines, '', sum].join('\n')}\n`;
}

/** The same for machines. */
export function jsonReport(findings: readonly Finding[]): string {
  return `${JSON.stringify({ ok: isWell(findings), findings }, null, 2)}\n`;
}

/** Whether nothing has failed. */
export function isWell(findings: readonly Finding[]): boolean {
  return findings.every(({ status }) => status !== 'failed');
}
