import { expect, test } from 'vitest';
import { JoinSteps } from './join-steps.js';
import { type FoundPart, type PageFacts, readFacts } from './page-facts.js';
import { type Part, SELECTORS } from './selectors.js';

function facts(parts: Partial<Record<Part, string>>, playedTo?: number): PageFacts {
  const found = new Map<Part, FoundPart>();
  for (const [part, text] of Object.entries(parts) as [Part, string][]) {
    found.set(part, { selector: SELECTORS[part][0], text, seen: true });
  }
  const sounds = playedTo === undefined ? [] : [{ id: 'a', isNamed: true, at: playedTo }];
  return { generation: '3.0', found, sounds, videos: [] };
}

test('a client that joins by itself is only waited for', () => {
  const steps = new JoinSteps();
  expect(steps.next(facts({}), 0)).toMatchObject({ type: 'wait' });
  expect(steps.next(facts({ client: '' }), 500)).toMatchObject({ type: 'wait' });
  expect(steps.next(facts({ client: '', inAudio: '' }, 0.1), 1000)).toMatchObject({ type: 'wait' });
  expect(steps.next(facts({ client: '', inAudio: '' }, 0.4), 1300)).toEqual({ type: 'in' });
});

test('sound that stands still is not heard', () => {
  const steps = new JoinSteps();
  for (let now = 0; now < 2000; now += 300) {
    expect(steps.next(facts({ client: '', inAudio: '' }, 5), now)).toMatchObject({ type: 'wait' });
  }
});

test('what a client asks is answered, and not at every look', () => {
  const steps = new JoinSteps();
  const asking = facts({ client: '', audioDialog: '', listenOnly: '', microphone: '' });
  expect(steps.next(asking, 0)).toMatchObject({ type: 'click', part: 'listenOnly' });
  expect(steps.next(asking, 300)).toMatchObject({ type: 'wait' });
  expect(steps.next(asking, 3300)).toMatchObject({ type: 'click', part: 'listenOnly' });
});

test('the microphone is asked for only where nothing else is offered for a while', () => {
  const steps = new JoinSteps();
  const asking = facts({ client: '', audioDialog: '', microphone: '' });
  expect(steps.next(asking, 0)).toMatchObject({ type: 'wait' });
  expect(steps.next(asking, 3000)).toMatchObject({ type: 'click', part: 'microphone' });
});

test('a client without a dialog is told to join the audio, after what lies above it is closed', () => {
  const steps = new JoinSteps();
  const still = facts({ client: '', joinAudio: '', dismiss: '' });
  expect(steps.next(still, 0)).toMatchObject({ type: 'wait' });
  expect(steps.next(still, 3000)).toMatchObject({ type: 'click', part: 'dismiss' });
  expect(steps.next(still, 3300)).toMatchObject({ type: 'click', part: 'joinAudio' });
});

test('sound that has to be allowed is allowed before all else', () => {
  const steps = new JoinSteps();
  expect(steps.next(facts({ client: '', playAudio: '', listenOnly: '' }), 0)).toMatchObject({ part: 'playAudio' });
});

test('the lobby', () => {
  const steps = new JoinSteps();
  expect(steps.next(facts({ lobby: 'Please wait for a moderator' }), 0)).toEqual({ type: 'lobby' });
  const denied = { lobby: 'Guest denied of joining the meeting.' };
  expect(steps.next(facts(denied), 0)).toMatchObject({ type: 'out', reason: 'guest-denied' });
});

test.each([
  [{ ended: 'This session has ended' }, 'meeting-ended'],
  [{ ended: 'Diese Konferenz wurde beendet' }, 'meeting-ended'],
  [{ ended: 'You have been removed from the meeting' }, 'removed'],
  [{ ended: 'User inactive for too long' }, 'removed'],
  [{ ended: 'Duplicate user trying to join meeting' }, 'removed'],
  [{ error: 'Meeting has ended' }, 'meeting-ended'],
  [{ error: 'You need a session to be here' }, 'link-expired'],
  [{ error: 'Ops, something went wrong' }, 'bad-answer'],
])('%o is the way out, whatever is heard: %s', (parts, reason) => {
  const steps = new JoinSteps();
  steps.next(facts({ client: '' }, 1), 0);
  expect(steps.next(facts({ client: '', ...parts }, 2), 300)).toMatchObject({ type: 'out', reason });
});

test('what covers a meeting is closed, and panels no more often than makes sense', () => {
  const steps = new JoinSteps();
  expect(steps.tidy(facts({ dismiss: '' }), true, 0)).toMatchObject({ part: 'dismiss' });
  const open = facts({ panels: '', panelsToggle: '' });
  expect(steps.tidy(open, false, 0)).toBeUndefined();
  const clicks = Array.from({ length: 20 }, (_, second) => steps.tidy(open, true, second * 1000));
  expect(clicks.filter((click) => click !== undefined)).toHaveLength(3);
});

test('what a page gives that is none of the probe leads to nothing', () => {
  const nothing = { generation: undefined, found: new Map(), sounds: [], videos: [] };
  for (const value of [undefined, null, 7, 'x', [], { found: 7, sounds: 'x' }, { found: { lobby: { index: 99 } } }]) {
    expect(readFacts(value)).toEqual(nothing);
  }
  const odd = readFacts({ found: { lobby: { index: 0, text: 'a\nb\u202e' } }, sounds: [{ at: Number.NaN }, null] });
  expect(odd.found.get('lobby')).toEqual({ selector: SELECTORS.lobby[0], text: 'a b ', seen: false });
  expect(odd.sounds).toEqual([
    { id: '', isNamed: false, at: 0 },
    { id: '', isNamed: false, at: 0 },
  ]);
});
