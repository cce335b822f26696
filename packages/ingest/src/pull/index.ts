export { OnDemandPulls } from './on-demand-pulls.js';
export { openPullLine } from './open-line.js';
export { OriginCheck } from './origin-check.js';
export { Pull, type PullContext } from './pull.js';
