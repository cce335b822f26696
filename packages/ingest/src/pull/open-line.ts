import type { RelayScheme } from '@sluice/core';
import { openFlvLine } from './flv-line.js';
import type { OpenPullLine } from './pull-line.js';
import { openRtmpLine } from './rtmp-line.js';
import { openSrtLine } from './srt-line.js';

const BY_SCHEME: Readonly<Record<RelayScheme, OpenPullLine>> = {
  srt: openSrtLine,
  rtmp: openRtmpLine,
  rtmps: openRtmpLine,
  http: openFlvLine,
  https: openFlvLine,
};

/** By what the URL speaks. */
export const openPullLine: OpenPullLine = (url, signal, context) => BY_SCHEME[url.scheme](url, signal, context);
