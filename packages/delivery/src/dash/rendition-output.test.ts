import { loadConfig, type OutputSource, parseStreamPath, silentLogger } from '@sluice/core';
import { Fmp4Reader, h264TrackConfig, micros, millis, type Sample } from '@sluice/media';
import { describe, expect, it } from 'vitest';
import { Departure } from '../segments/departure.js';
import { DashOutput, type DashResource } from './dash-output.js';
import { RenditionOutput } from './rendition-output.js';

const AVCC = '014d401effe10018674d401eecc05017fcb808800000030080000019078b16cd01000568e97b2c80';
const VIDEO = h264TrackConfig(0, Buffer.from(AVCC, 'hex'));
const STEP = 100_000;
const HOUR = 3_600_000;
const never = new Departure();

/** A picture at a time in seconds; `late` is what it is shown later than it is decoded, in µs. */
function picture(seconds: number, keyframe: boolean, late = 0): Sample {
  const dts = micros(Math.round(seconds * 1_000_000));
  const data = Buffer.from([0, 0, 0, 1, keyframe ? 0x65 : 0x41]);
  return { track: 0, kind: 'video', dts, pts: micros(dts + late), keyframe, data };
}

/** Pictures from here to there, with a keyframe each second. */
function pictures(from: number, to: number, late = 0): Sample[] {
  const count = Math.round(((to - from) * 1_000_000) / STEP);
  return Array.from({ length: count }, (_, at) => {
    const tenth = Math.round(from * 10) + at;
    return picture(tenth / 10, tenth % 10 === 0, late);
  });
}

function ladder({ late = 0, agrees = true } = {}) {
  const clock = { monotonic: () => millis(0), wall: () => millis(0) };
  const source: OutputSource = {
    isFollowing: false,
    path: parseStreamPath('live/show'),
    settings: loadConfig({ file: { name: 'x.yml', text: 'dash: { segmentSeconds: 1, segments: 5 }' } }),
    ended: false,
    requestKeyframe: () => {},
    wallTimeOf: (dts) => millis(dts / 1000),
  };
  const lead = new DashOutput({
    ...{ source, clock, log: silentLogger },
    viewers: () => 0,
    renditions: () => [],
    onEnd: () => {},
  });
  const description = { tracks: [VIDEO], metadata: {} };
  lead.configure(description);
  const rendition = new RenditionOutput({ lead, clock, agrees: () => agrees });
  rendition.configure(description);
  const publish = (from: number, to: number) => {
    for (const sample of pictures(from, to, late)) lead.sample(sample);
  };
  /** In the order of showing. */
  const made = (from: number, to: number) => {
    for (const sample of pictures(from, to)) {
      const pts = micros(sample.pts + late);
      rendition.sample({ ...sample, dts: pts, pts });
    }
  };
  const get = (number: number | undefined, period = 1) =>
    rendition.resource({ period, track: 'v0', number }, HOUR, never);
  return { lead, rendition, publish, made, get };
}

const timesIn = async (init: Promise<DashResource | undefined>, segment: Promise<DashResource | undefined>) => {
  const [first, second] = [await init, await segment];
  if (first?.kind !== 'init' || second?.kind !== 'segment') throw new Error('it is not there');
  const events = new Fmp4Reader().push(Buffer.concat([first.bytes, ...second.body.chunks]));
  return events.flatMap((event) => (event.type === 'sample' ? [event.sample.pts] : []));
};

describe('RenditionOutput', () => {
  it.each([0, 200_000])(
    'cuts where its source is cut, which shows pictures %i µs later than it has them',
    async (late) => {
      const { lead, publish, made, get } = ladder({ late });
      publish(0, 4.5);
      made(0, 3.5);
      for (const number of [1, 2, 3]) {
        const asked = { period: 1, track: 'v0', number };
        const own = lead.resourceOf({ ...asked, number: undefined }, HOUR, never);
        const theirs = await timesIn(get(undefined), get(number));
        expect(theirs).toEqual(await timesIn(own, lead.resourceOf(asked, HOUR, never)));
        expect(theirs[0]).toBe((number - 1) * 1_000_000 + late);
        expect(theirs.length).toBe(10);
      }
    },
  );

  it('lets who asks wait, and has a picture that stands for what it has not', async () => {
    const { publish, made, get } = ladder();
    publish(0, 4.5);
    const [init, before, asked] = [get(undefined), get(1), get(3)];
    // Begins within a segment, and lacks pictures later on.
    made(1.5, 3.2);
    expect(await timesIn(init, before)).toEqual([0]);
    expect(await timesIn(init, get(2))).toEqual([1_000_000]);
    made(4, 4.5);
    expect(await timesIn(init, asked)).toHaveLength(10);
    publish(4.5, 7.5);
    made(6, 7.5);
    expect(await timesIn(init, get(6))).toEqual([5_000_000]);
    expect(await timesIn(init, get(7))).toHaveLength(10);
  });

  it('has nothing for a segment that its source never began', async () => {
    const { lead, rendition, publish, made, get } = ladder();
    publish(0, 2.5);
    made(0, 2.5);
    const asked = get(4);
    lead.discontinuity();
    rendition.discontinuity();
    expect(await asked).toMatchObject({ kind: 'segment', body: { length: 0, isComplete: true } });
  });

  it('has its source begin a period where it would need another init segment', async () => {
    const { lead, publish, made } = ladder({ agrees: false });
    publish(0, 1.5);
    made(0, 1.2);
    expect(lead.knows(2)).toBe(false);
    publish(1.5, 2.5);
    expect(lead.knows(2)).toBe(true);
  });

  it('lets go of what its source lists no more, and of all that wait at its end', async () => {
    const { rendition, publish, made, get } = ladder();
    publish(0, 20.5);
    for (let second = 0; second < 20; second++) made(second, second + 1);
    const body = async (number: number) => {
      const found = await get(number);
      return found?.kind === 'segment' ? found.body.chunks.length : undefined;
    };
    expect(await body(19)).toBeGreaterThan(2);
    expect(await body(2)).toBe(1);
    const asked = get(22);
    rendition.end();
    expect(await asked).toMatchObject({ kind: 'segment', body: { length: 0 } });
  });
});
