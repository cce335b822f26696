/** A picture size to choose. */
export interface Quality {
  readonly name: string;
}

export interface EngineEvents {
  /** Playing on is not possible; the page tries anew. */
  readonly failed: (detail: string) => void;
  /** The choices are known, or changed. */
  readonly qualitiesChanged: () => void;
}

/** One way to get a stream into a video element. */
export interface Engine {
  /** Seconds between the event and the picture; undefined while it isn't known. */
  latency(): number | undefined;
  /** Whether the latency is measured from the event on, or only from the end of what has come. */
  readonly latencyIsMeasured: boolean;
  /** Whether it stays near the live edge by itself. */
  readonly followsEdge: boolean;
  readonly qualities: readonly Quality[];
  /** Index of the chosen quality; -1 lets the engine choose. */
  chooseQuality(index: number): void;
  /** Lets go of the video element. */
  destroy(): void;
}

/** What every engine is made from. */
export interface EngineSource {
  readonly video: HTMLVideoElement;
  readonly url: string;
  readonly events: EngineEvents;
}
