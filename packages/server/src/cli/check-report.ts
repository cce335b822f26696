import type { RecordingFinding } from '@sluice/core';

/** What a check of recordings has come to. */
export interface CheckReport {
  readonly files: number;
  readonly bytes: number;
  readonly findings: readonly Pick<RecordingFinding, 'fault' | 'file' | 'detail' | 'repaired'>[];
  readonly unlisted: number;
  /** Why it ended before its time. */
  readonly failure: string | null;
}

/** As a table for people, with what it comes to below. */
export function textCheckReport({ files, bytes, findings, unlisted, failure }: CheckReport): string {
  const rows = findings.map(({ fault, file, detail, repaired }) => [
    repaired ? '✓' : '✗',
    fault,
    printable(file),
    printable(detail),
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const repaired = findings.filter((finding) => finding.repaired).length;
  const wrong = findings.length - repaired + unlisted;
  const sum = `${files} files, ${(bytes / 1e6).toFixed(1)} MB: ${wrong} wrong, ${repaired} well again`;
  return [
    ...lines,
    ...(unlisted > 0 ? [`… and ${unlisted} more`] : []),
    ...(lines.length > 0 ? [''] : []),
    sum,
    ...(failure === null ? [] : [`The check ended before its time: ${failure}`]),
    '',
  ].join('\n');
}

/** The same for machines. */
export function jsonCheckReport(report: CheckReport): string {
  const { files, bytes, findings, unlisted, failure } = report;
  return `${JSON.stringify({ files, bytes, findings, unlisted, failure }, null, 2)}\n`;
}

/** Names of files can hold anything, and a terminal takes some of it for commands. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
