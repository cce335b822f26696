import type { FanOutContext, Logger, OutputKind } from '@sluice/core';
import type { TsOutput } from '../ts/ts-output.js';
import type { OpenPushLine } from './push-line.js';
import { rtmpPushLines } from './rtmp-line.js';
import { srtPushLines } from './srt-line.js';

export { Push, type PushContext } from './push.js';

/** Lines to whatever the URL speaks. */
export function pushLines(options: { kind: OutputKind<TsOutput>; context: FanOutContext; log: Logger }): OpenPushLine {
  const [srt, rtmp] = [srtPushLines(options.kind), rtmpPushLines(options)];
  return (url, signal) => (url.scheme === 'srt' ? srt : rtmp)(url, signal);
}
