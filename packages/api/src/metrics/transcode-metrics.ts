import type { TranscoderStatus } from '@sluice/core';
import { Gauge, type Registry } from 'prom-client';

type Ladder = TranscoderStatus['ladders'][number];

/** Figures of the ffmpegs that make renditions. There are few of them, so that each source has series of its own. */
export function addTranscodeMetrics(registry: Registry, status: () => TranscoderStatus): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_transcode_cpu_cores',
    help: 'Cores that renditions may take (budget), and those that are taken of them (reserved).',
    labelNames: ['of'],
    registers,
    collect() {
      const { cpuBudget, cpuReserved } = status();
      this.set({ of: 'budget' }, cpuBudget);
      this.set({ of: 'reserved' }, cpuReserved);
    },
  });
  new Gauge({
    name: 'sluice_renditions',
    help: 'Renditions of live streams by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const all = status().ladders.flatMap(({ renditions }) => renditions);
      for (const state of ['idle', 'starting', 'live', 'refused', 'failed'] as const) {
        this.set({ state }, all.filter((rendition) => rendition.state === state).length);
      }
    },
  });
  const perSource = (name: string, help: string, value: (ladder: Ladder) => number | undefined): void => {
    new Gauge({
      name,
      help,
      labelNames: ['path'],
      registers,
      collect() {
        this.reset();
        for (const ladder of status().ladders) {
          const figure = value(ladder);
          if (figure !== undefined) this.set({ path: ladder.path }, figure);
        }
      },
    });
  };
  perSource('sluice_transcode_cpu', 'Cores that ffmpeg takes.', ({ cpu }) => cpu);
  perSource('sluice_transcode_speed', 'Speed of ffmpeg; 1 is real time.', ({ speed }) => speed);
  perSource('sluice_transcode_fps', 'Pictures per second of the first rendition.', ({ fps }) => fps);
  perSource('sluice_transcode_behind_seconds', 'How far renditions are behind their source.', ({ behind }) => behind);
  perSource('sluice_transcode_dropped', 'Samples left out since the stream began.', ({ dropped }) => dropped);
  perSource('sluice_transcode_restarts', 'Times that ffmpeg ended by itself.', ({ restarts }) => restarts);
  perSource('sluice_transcode_errors', "Errors in ffmpeg's log.", ({ errors }) => errors);
}
