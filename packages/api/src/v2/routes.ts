import type { Route } from '../http/route.js';
import { activeRecordingRoutes } from './active-recordings.js';
import { authRoutes } from './auth.js';
import { banRoutes } from './bans.js';
import { captureRoutes } from './captures.js';
import type { AccountControl } from './control.js';
import { doctorRoutes } from './doctor.js';
import { feedRoutes } from './feed.js';
import { apiKeyRoutes, streamKeyRoutes, tokenRoutes } from './keys.js';
import { previewRoutes } from './previews.js';
import { recordingCheckRoutes } from './recording-checks.js';
import { recordingRoutes } from './recordings.js';
import { serverRoutes } from './server.js';
import { sessionRoutes } from './sessions.js';
import { settingRoutes } from './settings.js';
import { streamRoutes } from './streams.js';
import { transcodeRoutes } from './transcodes.js';
import { userRoutes } from './users.js';

/** Everything under `/api/v2`. */
export function v2Routes(control: AccountControl): Route[] {
  return [
    ...serverRoutes(control),
    ...doctorRoutes(control),
    ...streamRoutes(control),
    ...previewRoutes(control),
    ...feedRoutes(control),
    ...transcodeRoutes(control),
    ...captureRoutes(control),
    ...recordingRoutes(control),
    ...activeRecordingRoutes(control),
    ...recordingCheckRoutes(control),
    ...sessionRoutes(control),
    ...banRoutes(control),
    ...streamKeyRoutes(control),
    ...tokenRoutes(control),
    ...authRoutes(control),
    ...userRoutes(control),
    ...apiKeyRoutes(control),
    ...settingRoutes(control),
  ];
}
