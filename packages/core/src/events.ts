import type { AccessRequest } from './access/request.js';
import type { Session, Traffic } from './access/session.js';
import { messageOf, type ReasonCode } from './errors.js';
import type { Logger } from './logger.js';
import type { RecordedFile } from './recording/recorded-file.js';
import type { ActiveRecording, RecordingTrouble } from './recording/recording-control.js';
import type { StreamPath } from './stream-path.js';

/** What happens in the life of streams and sessions. Samples never pass here. */
export interface LifecycleEvents {
  /** The first publication of a path began. */
  'stream-started': { readonly path: StreamPath; readonly session: Session };
  /** The encoder is gone; viewers stay for the grace window. */
  'stream-waiting': { readonly path: StreamPath; readonly reason: string };
  /** An encoder came back inside the grace window, or took over. */
  'stream-resumed': { readonly path: StreamPath; readonly session: Session };
  'stream-ended': {
    readonly path: StreamPath;
    readonly reason: string;
    /** Media that it got in all. */
    readonly received: { readonly bytes: number; readonly frames: number };
  };
  /** An HLS segment can be fetched. */
  'hls-segment': {
    readonly path: StreamPath;
    readonly sequence: number;
    /** Seconds. */
    readonly duration: number;
    /** Paths of this server. */
    readonly url: string;
    readonly playlistUrl: string;
  };
  /** Viewers of HLS can't seek as far back as they should. Told once, until it is whole again. */
  'hls-window-shrunk': {
    readonly path: StreamPath;
    readonly reason: 'disk-slow' | 'disk-failed' | 'disk-full';
    /** Seconds that are left. */
    readonly seconds: number;
  };
  /** Segments are kept on disk again. */
  'hls-window-resumed': { readonly path: StreamPath };
  'recording-started': { readonly recording: ActiveRecording };
  /** Nothing is written, because of the disk; live goes on. Told once, until it is written again. */
  'recording-paused': {
    readonly path: StreamPath;
    readonly recording: string;
    readonly trouble: RecordingTrouble;
    readonly detail: string;
  };
  'recording-resumed': { readonly path: StreamPath; readonly recording: string };
  'recording-ended': { readonly path: StreamPath; readonly recording: string; readonly reason: string };
  /** A file is whole, in the index, and can be played. */
  'recording-file-ready': { readonly file: RecordedFile };
  /** A file can't be finished, or isn't any more what it was. */
  'recording-file-damaged': { readonly file: RecordedFile; readonly reason: string };
  /** A file is gone from this machine, or altogether. */
  'recording-file-removed': {
    readonly file: RecordedFile;
    readonly reason: 'asked' | 'age' | 'path-full' | 'disk-full' | 'moved';
  };
  /** The object store has a copy. */
  'recording-file-uploaded': { readonly file: RecordedFile };
  'session-opened': { readonly session: Session };
  'session-closed': { readonly session: Session; readonly reason: string; readonly traffic: Traffic };
  /** A door stayed closed. */
  'request-refused': { readonly request: AccessRequest; readonly reason: ReasonCode };
}

type Listener<T> = (event: T) => void;

/** Typed events with isolated listeners: one that throws is logged, and neither the emitter nor the others notice. */
export class EventBus {
  readonly #listeners = new Map<keyof LifecycleEvents, Set<Listener<never>>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @returns a function that removes the listener */
  on<K extends keyof LifecycleEvents>(name: K, listener: Listener<LifecycleEvents[K]>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<K extends keyof LifecycleEvents>(name: K, event: LifecycleEvents[K]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<LifecycleEvents[K]>)(event);
      } catch (error) {
        this.#log.error({ event: name, error: messageOf(error) }, 'an event listener failed');
      }
    }
  }
}
