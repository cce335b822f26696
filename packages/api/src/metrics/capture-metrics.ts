import { CAPTURE_FAILURES, type CaptureControl, type CaptureInfo } from '@sluice/core';
import { Counter, Gauge, type Registry } from 'prom-client';

const STATES = ['waiting', 'joining', 'live', 'degraded'] as const;
type Captures = Pick<CaptureControl, 'captures' | 'totals'>;

/** Figures of captures of BigBlueButton meetings. There are few, so that each meeting has series of its own. */
export function addCaptureMetrics(registry: Registry, captures: () => Captures): void {
  const registers = [registry];
  new Counter({
    name: 'sluice_bbb_streams_started_total',
    help: 'Captures of meetings that were begun.',
    registers,
    collect() {
      this.reset();
      this.inc(captures().totals.started);
    },
  });
  new Gauge({
    name: 'sluice_bbb_streams_active',
    help: 'Captures of meetings under way, by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const all = captures().captures;
      for (const state of STATES) this.set({ state }, all.filter((info) => info.state.kind === state).length);
    },
  });
  new Counter({
    name: 'sluice_bbb_stream_errors_total',
    help: 'What went wrong with captures: why they failed, and troubles of those that went on.',
    labelNames: ['error_type'],
    registers,
    collect() {
      this.reset();
      const { errors } = captures().totals;
      for (const failure of CAPTURE_FAILURES) this.inc({ error_type: failure }, errors.get(failure) ?? 0);
      for (const [error, count] of errors) {
        if (!(CAPTURE_FAILURES as readonly string[]).includes(error)) this.inc({ error_type: error }, count);
      }
    },
  });
  const perMeeting = (name: string, help: string, value: (info: CaptureInfo) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['meeting', 'capture'],
      registers,
      collect() {
        this.reset();
        for (const info of captures().captures) {
          if (info.state.kind === 'ended' || info.state.kind === 'failed') continue;
          this.set({ meeting: info.meetingId, capture: info.id }, value(info));
        }
      },
    });
  };
  perMeeting(
    'sluice_bbb_stream_fps',
    'Pictures that are published a second.',
    ({ figures }) => figures.picturesPerSecond,
  );
  perMeeting('sluice_bbb_stream_bytes', 'Media that was published.', ({ figures }) => figures.bytes);
  perMeeting(
    'sluice_bbb_stream_memory_bytes',
    'Memory that the browser of a capture takes, with its helpers.',
    ({ figures }) => figures.memoryBytes,
  );
  perMeeting(
    'sluice_bbb_stream_cpus',
    'Processors that the browser of a capture takes, with its helpers.',
    ({ figures }) => figures.cpus,
  );
  perMeeting('sluice_bbb_stream_rejoins', 'How often a meeting was joined again.', ({ figures }) => figures.rejoins);
}
