import type { EventBus, RecordingControl, RecordingTotals } from '@sluice/core';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What the figures of recordings are read off. */
export interface RecordingFigures {
  readonly index: RecordingTotals;
  readonly control: Pick<RecordingControl, 'active'>;
  /** Bytes in memory that wait for the disk. */
  readonly waitingBytes: () => number;
  /** Files that wait for the object store, or are under way to it. */
  readonly waitingUploads: () => number;
}

/** Figures of recordings. Those of files come from the index; where it has failed they are left out, as `/readyz` tells. */
export function addRecordingMetrics(registry: Registry, events: EventBus, figures: () => RecordingFigures): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_recordings',
    help: 'Recordings under way by state; paused ones wait for the disk.',
    labelNames: ['state'],
    registers,
    collect() {
      const { active } = figures().control;
      for (const kind of ['recording', 'waiting', 'paused'] as const) {
        this.set({ state: kind }, active.filter(({ state }) => state.kind === kind).length);
      }
    },
  });
  new Gauge({
    name: 'sluice_recording_waiting_bytes',
    help: 'Recorded bytes in memory that wait for the disk.',
    registers,
    collect() {
      this.set(figures().waitingBytes());
    },
  });
  new Gauge({
    name: 'sluice_recording_waiting_uploads',
    help: 'Recorded files that are not in the object store yet; none where none is configured.',
    registers,
    collect() {
      this.set(figures().waitingUploads());
    },
  });
  const ofFiles = (name: string, help: string, of: 'files' | 'bytes'): void => {
    new Gauge({
      name,
      help,
      labelNames: ['state', 'place'],
      registers,
      async collect() {
        this.reset();
        const totals = await figures()
          .index.totals()
          .catch(() => []);
        for (const total of totals) {
          this.set({ state: total.state, place: total.isLocal ? 'disk' : 'elsewhere' }, total[of]);
        }
      },
    });
  };
  ofFiles('sluice_recording_files', 'Recorded files by state, and whether this machine has them.', 'files');
  ofFiles('sluice_recording_bytes', 'Bytes of recorded files by state, and whether this machine has them.', 'bytes');
  addEventCounters(registry, events);
}

function addEventCounters(registry: Registry, events: EventBus): void {
  const registers = [registry];
  const pauses = new Counter({
    name: 'sluice_recording_pauses_total',
    help: 'How often recordings paused because of the disk.',
    labelNames: ['trouble'],
    registers,
  });
  for (const trouble of ['disk-full', 'disk-slow', 'disk-failed'] as const) pauses.inc({ trouble }, 0);
  events.on('recording-paused', ({ trouble }) => pauses.inc({ trouble }));
  const damaged = new Counter({
    name: 'sluice_recording_files_damaged_total',
    help: "Recorded files that couldn't be finished, or were found damaged or missing.",
    registers,
  });
  events.on('recording-file-damaged', () => damaged.inc());
  const removed = new Counter({
    name: 'sluice_recording_files_removed_total',
    help: 'Recorded files that were removed from this machine.',
    labelNames: ['reason'],
    registers,
  });
  events.on('recording-file-removed', ({ reason }) => removed.inc({ reason }));
  const uploaded = new Counter({
    name: 'sluice_recording_files_uploaded_total',
    help: 'Recorded files that the object store has taken.',
    registers,
  });
  events.on('recording-file-uploaded', () => uploaded.inc());
}
