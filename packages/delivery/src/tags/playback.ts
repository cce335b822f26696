import type { Admission, TransportFigures, Viewer, ViewerEnd, ViewerSocket } from '@sluice/core';

/** An output that viewers attach to. */
export interface ViewerOutput {
  attach(socket: ViewerSocket, onEnd: (end: ViewerEnd) => void): Viewer;
  detach(viewer: Viewer): void;
}

/** A viewer's playback, from the first byte until it leaves or has to go. */
export interface Playback {
  /** Goes on with another output of the same stream, as when a player turns the video off. */
  switchTo(output: ViewerOutput): void;
  /** The viewer is gone. Later calls do nothing. */
  stop(reason: string): void;
}

/**
 * Plays an output to a socket and closes the session when that ends.
 *
 * @param onEnd ends the socket: politely or at once, as the reason says
 * @param transport what the protocol tells of the line
 */
export function play(
  output: ViewerOutput,
  socket: ViewerSocket,
  admission: Admission,
  onEnd: (end: ViewerEnd) => void,
  transport?: () => TransportFigures,
): Playback {
  let current = output;
  let sentBefore = 0;
  let skipsBefore = 0;
  let over = false;
  let viewer: Viewer | undefined;
  const leave = (): void => {
    if (viewer === undefined) return;
    current.detach(viewer);
    sentBefore += viewer.bytesSent;
    skipsBefore += viewer.skips;
    viewer = undefined;
  };
  const finish = (reason: string): boolean => {
    if (over) return false;
    over = true;
    leave();
    admission.close(reason);
    return true;
  };
  const ended = (end: ViewerEnd): void => {
    if (finish(end.reason)) onEnd(end);
  };
  viewer = current.attach(socket, ended);
  admission.bind({
    cut: (reason) => ended({ clean: false, reason }),
    traffic: () => ({
      received: 0,
      sent: sentBefore + (viewer?.bytesSent ?? 0),
      skips: skipsBefore + (viewer?.skips ?? 0),
    }),
    ...(transport === undefined ? {} : { transport }),
  });
  return {
    switchTo: (next) => {
      if (over || next === current) return;
      leave();
      current = next;
      viewer = current.attach(socket, ended);
    },
    stop: (reason) => {
      finish(reason);
    },
  };
}
