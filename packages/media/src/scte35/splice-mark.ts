import { type Micros, microsFromTicks90k } from '../time.js';
import type { SegmentationDescriptor } from './splice-descriptor.js';
import type { SpliceInfo } from './splice-info.js';

/** What a section says of one event. */
export interface SpliceMark {
  /** Its id, with what kind of event it is. */
  readonly event: string;
  /** Tells events of one id apart: the type with which the segment begins. */
  readonly part: string;
  /** Away from the programme; back to it; something else that happens; or off. */
  readonly action: 'out' | 'in' | 'command' | 'cancel';
  /** How long what begins is to last; undefined where it isn't told. */
  readonly planned: Micros | undefined;
}

/**
 * Types of segments that are away from the programme, SCTE 35 table 23: breaks, advertisements, placement
 * opportunities and blocks of them. Each one's end has the next number.
 */
const OUT_TYPES: ReadonlySet<number> = new Set([0x22, 0x30, 0x32, 0x34, 0x36, 0x38, 0x3a, 0x44, 0x46]);

/** The events that a section tells of, in its order; none for one that says nothing of any, or is encrypted. */
export function spliceMarksOf({ command, descriptors }: SpliceInfo): SpliceMark[] {
  if (command.type === 'splice-insert') {
    const { eventId, cancelled, outOfNetwork, breakDuration } = command;
    const action = cancelled ? 'cancel' : outOfNetwork ? 'out' : 'in';
    const planned = breakDuration && microsFromTicks90k(breakDuration.duration);
    return [{ event: `splice-${eventId}`, part: '', action, planned }];
  }
  if (command.type !== 'time-signal') return [];
  const segments = descriptors.filter((descriptor) => descriptor.type === 'segmentation');
  if (segments.length === 0) return [{ event: 'signal', part: '', action: 'command', planned: undefined }];
  return segments.map(markOf);
}

function markOf({ eventId, cancelled, segmentationType: type, duration }: SegmentationDescriptor): SpliceMark {
  const isEnd = OUT_TYPES.has(type - 1);
  const action = cancelled ? 'cancel' : OUT_TYPES.has(type) ? 'out' : isEnd ? 'in' : 'command';
  const part = `-${(isEnd ? type - 1 : type).toString(16)}`;
  return {
    event: `segment-${eventId}`,
    part,
    action,
    planned: duration === undefined ? undefined : microsFromTicks90k(duration),
  };
}
