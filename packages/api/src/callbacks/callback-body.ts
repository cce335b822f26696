import type { Clock, Config } from '@sluice/core';
import type { CallbackEvent, CallbackNews } from './callback-news.js';
import type { ServerNames } from './server-names.js';
import { sluiceBody } from './sluice-body.js';
import { srsBody } from './srs-body.js';

/** The settings of callbacks, as they stand. */
export type CallbackSettings = Config['callbacks'];

/** Which setting holds the URLs of an event. */
const SETTINGS = {
  on_connect: 'onConnect',
  on_close: 'onClose',
  on_publish: 'onPublish',
  on_unpublish: 'onUnpublish',
  on_play: 'onPlay',
  on_stop: 'onStop',
  on_hls: 'onHls',
  on_dvr: 'onDvr',
} as const satisfies Readonly<Record<CallbackEvent, keyof CallbackSettings>>;

export function urlsFor(event: CallbackEvent, settings: CallbackSettings): readonly string[] {
  return settings[SETTINGS[event]];
}

/** The text that is sent, in the form that is set. */
export function callbackBody(news: CallbackNews, format: CallbackSettings['format'], names: ServerNames, clock: Clock) {
  return JSON.stringify(format === 'srs' ? srsBody(news, names) : sluiceBody(news, names, clock.wall()));
}
