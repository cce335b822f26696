import { randomBytes } from 'node:crypto';
import { type Config, NamingTemplate, type RecordedFile, settingsFor } from '@sluice/core';
import { millis } from '@sluice/media';
import type { FoundFile } from './disk/finisher-protocol.js';

/**
 * An entry for a file that the index doesn't know, from its name; what only its bytes tell is left to whoever finishes
 * it. Where the name has no time, the file's last change has to do.
 *
 * @returns undefined where the name isn't one that the configuration gives
 */
export function entryOf(found: FoundFile, config: Config): RecordedFile | undefined {
  const { recording, paths } = config;
  const names = new Set([recording.name, ...Object.values(paths).flatMap((own) => own.recording?.name ?? [])]);
  for (const name of names) {
    const template = NamingTemplate.parse(name);
    const read = template.read(found.file);
    if (read === undefined || settingsFor(config, read.path).recording.name !== name) continue;
    return {
      ...{ ...read, id: newId(), recording: newId(), file: found.file, state: 'writing', isLocal: true },
      startedAt: template.readTime(found.file) ?? millis(found.modifiedAt),
      ...{ duration: 0, bytes: found.bytes, tracks: [], gaps: [] },
    };
  }
  return undefined;
}

const newId = (): string => randomBytes(8).toString('hex');
