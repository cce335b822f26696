import { Session } from './console/session/session.js';
import { Shell } from './console/shell/shell.js';
import { Preferences } from './console/theme/preferences.js';
import { required } from './dom.js';

void new Shell(required('console'), new Session(), new Preferences()).start();
