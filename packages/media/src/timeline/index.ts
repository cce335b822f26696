export { type RepairedSample, Timeline, type TimelineLimits, type TimelineStats } from './timeline.js';
