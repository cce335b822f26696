/// <reference lib="dom" />
const TONE_HZ = 1000;
const TONE_LEVEL = 0.1;
const BEEP_HZ = 2500;
const BEEP_LEVEL = 0.5;
const BEEP_SECONDS = 0.1;
/** Above the tone and below the beep. */
const THRESHOLD = 0.25;
/** Longer than the time between two looks. */
const WINDOW = 4096;

/** The meeting's sound: a tone and a beep each second, which has gone over a peer connection to this page itself. */
export class MeetingSound {
  readonly stream: MediaStream;
  readonly #context: AudioContext;
  readonly #level: GainNode;
  readonly #peers: readonly RTCPeerConnection[];
  readonly #analyser: AnalyserNode;
  readonly #samples = new Float32Array(WINDOW);
  /** Of the last look. */
  #lastOnset = 0;

  private constructor(
    context: AudioContext,
    level: GainNode,
    peers: readonly RTCPeerConnection[],
    stream: MediaStream,
  ) {
    this.#context = context;
    this.#level = level;
    this.#peers = peers;
    this.stream = stream;
    this.#analyser = context.createAnalyser();
    this.#analyser.fftSize = WINDOW;
    context.createMediaStreamSource(stream).connect(this.#analyser);
  }

  /** Connects. The context may be suspended until {@link resume}, as the browser's autoplay policy has it. */
  static async start(): Promise<MeetingSound> {
    const context = new AudioContext({ sampleRate: 48_000 });
    const level = context.createGain();
    const destination = context.createMediaStreamDestination();
    const source = context.createBufferSource();
    source.buffer = oneSecond(context);
    source.loop = true;
    source.connect(level).connect(destination);
    source.start();
    const sender = new RTCPeerConnection();
    const receiver = new RTCPeerConnection();
    const received = new Promise<MediaStream>((resolve) => {
      receiver.addEventListener('track', ({ track }) => resolve(new MediaStream([track])), { once: true });
    });
    link(sender, receiver);
    link(receiver, sender);
    for (const track of destination.stream.getTracks()) sender.addTrack(track, destination.stream);
    await sender.setLocalDescription();
    await receiver.setRemoteDescription(sender.localDescription as RTCSessionDescription);
    await receiver.setLocalDescription();
    await sender.setRemoteDescription(receiver.localDescription as RTCSessionDescription);
    return new MeetingSound(context, level, [sender, receiver], await received);
  }

  async resume(): Promise<void> {
    await this.#context.resume();
  }

  set isSilent(isSilent: boolean) {
    this.#level.gain.value = isSilent ? 0 : 1;
  }

  /** When the last beep began that was heard here, by `performance.now()`, if there was one since the last look. */
  takeBeep(): number | undefined {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const now = performance.now();
    const first = this.#samples.findIndex((sample) => Math.abs(sample) > THRESHOLD);
    // One that had begun before these samples was told of by an earlier look, or its beginning isn't known.
    if (first <= 0) return undefined;
    const onset = now - ((WINDOW - first) / this.#context.sampleRate) * 1000;
    if (onset - this.#lastOnset < BEEP_SECONDS * 2000) return undefined;
    this.#lastOnset = onset;
    return onset;
  }

  close(): void {
    for (const peer of this.#peers) peer.close();
    // A context that is closed twice is an error of the page's own; this one is closed here alone.
    void this.#context.close();
  }
}

function oneSecond(context: AudioContext): AudioBuffer {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, rate, rate);
  const samples = buffer.getChannelData(0);
  for (let at = 0; at < rate; at++) {
    const isBeep = at < rate * BEEP_SECONDS;
    const turn = (2 * Math.PI * at) / rate;
    samples[at] = TONE_LEVEL * Math.sin(turn * TONE_HZ) + (isBeep ? BEEP_LEVEL * Math.sin(turn * BEEP_HZ) : 0);
  }
  return buffer;
}

function link(from: RTCPeerConnection, to: RTCPeerConnection): void {
  from.addEventListener('icecandidate', ({ candidate }) => {
    if (candidate !== null && to.signalingState !== 'closed') void to.addIceCandidate(candidate);
  });
}
