import type {
  Bans,
  CaptureControl,
  ClusterTraffic,
  ClusterView,
  Config,
  EventBus,
  SessionRegistry,
  Stream,
  StreamRouter,
  TranscoderStatus,
} from '@sluice/core';
import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { addCaptureMetrics } from './capture-metrics.js';
import { closeClass } from './close-reason.js';
import { addClusterMetrics, addClusterTraffic } from './cluster-metrics.js';
import { addRecordingMetrics, type RecordingFigures } from './recording-metrics.js';
import { SessionTotals } from './session-totals.js';
import { addTranscodeMetrics } from './transcode-metrics.js';
import { addWorkerMetrics, type WorkerFigures } from './worker-metrics.js';

export interface MetricsOptions {
  readonly version: string;
  readonly router: StreamRouter;
  readonly registry: SessionRegistry;
  readonly bans: Bans;
  readonly events: EventBus;
  readonly settings: () => Config['metrics'];
  readonly transcodes: () => TranscoderStatus;
  readonly captures: () => Pick<CaptureControl, 'captures' | 'totals'>;
  readonly recordings: () => RecordingFigures;
  readonly cluster: () => ClusterView;
  readonly workers: () => readonly WorkerFigures[];
  /** Undefined for a server by itself. */
  readonly clusterTraffic: () => ClusterTraffic | undefined;
}

/** Streams that have no series of their own are counted together under this name, which no stream can have. */
const OTHER_STREAMS = 'other';

/** The server's figures for Prometheus. They are read off when they are asked for; the media path knows nothing of them. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #sessions: SessionTotals;
  readonly #callbacks: Histogram<'hook' | 'outcome'>;

  constructor(options: MetricsOptions) {
    collectDefaultMetrics({ register: this.#registry });
    const registers = [this.#registry];
    new Gauge({
      name: 'sluice_build_info',
      help: 'Always 1; the version is a label.',
      labelNames: ['version'],
      registers,
    }).set({ version: options.version }, 1);
    this.#callbacks = new Histogram({
      name: 'sluice_callback_seconds',
      help: 'How long HTTP callbacks took to answer.',
      labelNames: ['hook', 'outcome'],
      buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    addStreamMetrics(this.#registry, options);
    addTranscodeMetrics(this.#registry, options.transcodes);
    addCaptureMetrics(this.#registry, options.captures);
    addRecordingMetrics(this.#registry, options.events, options.recordings);
    addClusterMetrics(this.#registry, options.cluster);
    addWorkerMetrics(this.#registry, options.workers);
    addClusterTraffic(this.#registry, options.clusterTraffic);
    this.#sessions = new SessionTotals(options.registry, options.events);
    addSessionMetrics(this.#registry, this.#sessions, options);
  }

  /** Notes an HTTP callback. */
  observeCallback(hook: string, outcome: 'ok' | 'refused' | 'failed', seconds: number): void {
    this.#callbacks.observe({ hook, outcome }, seconds);
  }

  /** `/metrics`. */
  readonly handler: RequestHandler = async (_request, response) => {
    this.#sessions.take();
    response.setHeader('Content-Type', this.#registry.contentType);
    response.end(await this.#registry.metrics());
  };
}

function addStreamMetrics(registry: Registry, { router, events, settings }: MetricsOptions): void {
  const registers = [registry];
  new Gauge({
    name: 'sluice_streams',
    help: 'Streams by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const streams = router.streams();
      for (const state of ['live', 'waiting'] as const) {
        this.set({ state }, streams.filter((stream) => stream.state === state).length);
      }
    },
  });
  let framesBefore = 0;
  events.on('stream-ended', ({ received }) => {
    framesBefore += received.frames;
  });
  new Counter({
    name: 'sluice_frames_received_total',
    help: 'Access units and audio frames that publishers sent.',
    registers,
    collect() {
      this.reset();
      this.inc(router.streams().reduce((sum, { received }) => sum + received.frames, framesBefore));
    },
  });
  const perStream = (name: string, help: string, value: (stream: Stream) => number): void => {
    new Gauge({
      name,
      help: `${help} Only with metrics.perStream.`,
      labelNames: ['path'],
      registers,
      collect() {
        this.reset();
        const { perStream: isOn, maxStreams } = settings();
        if (!isOn) return;
        router.streams().forEach((stream, at) => {
          this.inc({ path: at < maxStreams ? stream.path : OTHER_STREAMS }, value(stream));
        });
      },
    });
  };
  perStream('sluice_stream_viewers', 'Viewers of a stream.', (stream) => stream.viewers);
  perStream('sluice_stream_received_bytes', 'Media received since the stream began.', ({ received }) => received.bytes);
  perStream(
    'sluice_stream_received_frames',
    'Frames received since the stream began.',
    ({ received }) => received.frames,
  );
}

function addSessionMetrics(registry: Registry, sessions: SessionTotals, { events, bans }: MetricsOptions): void {
  const registers = [registry];
  const labelNames = ['protocol', 'action'] as const;
  new Gauge({
    name: 'sluice_sessions',
    help: 'Open sessions.',
    labelNames,
    registers,
    collect() {
      for (const { protocol, action, open } of sessions.totals) this.set({ protocol, action }, open);
    },
  });
  new Counter({
    name: 'sluice_sessions_opened_total',
    help: 'Sessions that were let in.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const { protocol, action, opened } of sessions.totals) this.inc({ protocol, action }, opened);
    },
  });
  new Counter({
    name: 'sluice_session_bytes_total',
    help: 'Media that went through sessions.',
    labelNames: ['protocol', 'action', 'direction'],
    registers,
    collect() {
      this.reset();
      for (const { protocol, action, received, sent } of sessions.totals) {
        this.inc({ protocol, action, direction: 'in' }, received);
        this.inc({ protocol, action, direction: 'out' }, sent);
      }
    },
  });
  new Counter({
    name: 'sluice_viewer_skips_total',
    help: 'How often slow viewers were moved on to the next keyframe.',
    labelNames: ['protocol'],
    registers,
    collect() {
      this.reset();
      for (const { protocol, action, skips } of sessions.totals) if (action === 'play') this.inc({ protocol }, skips);
    },
  });
  const closed = new Counter({
    name: 'sluice_sessions_closed_total',
    help: 'Sessions that are over, by the kind of their end; stalled and too-slow are evictions.',
    labelNames: ['protocol', 'action', 'reason'],
    registers,
  });
  events.on('session-closed', ({ session: { protocol, action }, reason }) => {
    closed.inc({ protocol, action, reason: closeClass(reason) });
  });
  const refused = new Counter({
    name: 'sluice_requests_refused_total',
    help: 'Requests that were not let in.',
    labelNames: ['protocol', 'action', 'reason'],
    registers,
  });
  events.on('request-refused', ({ request: { protocol, action }, reason }) =>
    refused.inc({ protocol, action, reason }),
  );
  new Gauge({
    name: 'sluice_bans',
    help: 'Bans in force.',
    registers,
    collect() {
      this.set(bans.list().length);
    },
  });
}
