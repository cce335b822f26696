import type { Meeting } from '../meeting/meeting.js';

/** The teacher who is in a meeting from its start. */
const TEACHER = {
  userID: 'teacher',
  fullName: 'Alex Teacher',
  role: 'MODERATOR',
  isPresenter: true,
  isListeningOnly: false,
  hasJoinedVoice: true,
  hasVideo: false,
  clientType: 'HTML5',
};

/** A meeting as getMeetingInfo and getMeetings tell of it. */
export function describeMeeting(meeting: Meeting): Readonly<Record<string, unknown>> {
  const { settings } = meeting;
  const attendees = [
    ...(settings.hasTeacher ? [TEACHER] : []),
    ...meeting.present.map(({ joiner, audio }) => ({
      userID: joiner.userID,
      fullName: joiner.fullName,
      role: joiner.role,
      isPresenter: false,
      isListeningOnly: audio === 'listen-only',
      hasJoinedVoice: audio === 'voice',
      hasVideo: false,
      clientType: 'HTML5',
    })),
  ];
  const count = (of: (attendee: (typeof attendees)[number]) => boolean) => attendees.filter(of).length;
  return {
    meetingName: settings.name,
    meetingID: meeting.id,
    internalMeetingID: meeting.internalId,
    createTime: meeting.createTime,
    createDate: new Date(meeting.createTime).toUTCString(),
    voiceBridge: 70000 + (meeting.createTime % 10000),
    dialNumber: '613-555-1234',
    attendeePW: settings.attendeePW,
    moderatorPW: settings.moderatorPW,
    running: meeting.isRunning,
    duration: 0,
    hasUserJoined: attendees.length > 0,
    recording: settings.record,
    hasBeenForciblyEnded: meeting.state !== 'open',
    startTime: meeting.createTime + 1,
    endTime: 0,
    participantCount: attendees.length,
    listenerCount: count((one) => one.isListeningOnly),
    voiceParticipantCount: count((one) => one.hasJoinedVoice),
    videoCount: 0,
    maxUsers: settings.maxParticipants,
    moderatorCount: count((one) => one.role === 'MODERATOR'),
    attendees: { attendee: attendees },
    metadata: settings.meta,
    isBreakout: false,
  };
}
