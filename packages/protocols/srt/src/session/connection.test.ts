import { describe, expect, it } from 'vitest';
import { SECOND, VirtualLink } from '../testing/virtual-link.js';
import { micros } from '../wire/timestamp.js';

/** A payload, and no repair packet. */
const isData = (datagram: Buffer) => (datagram[0] ?? 0) < 0x80 && (datagram.readUInt32BE(4) & 0x03ff_ffff) !== 0;

describe('SrtConnection', () => {
  it.each([
    [0, 0],
    [0.02, 10_000],
    [0.05, 10_000],
    [0.1, 10_000],
    [0.2, 20_000],
  ])('brings every packet in order over a line that loses %d and jitters by %d µs', (loss, jitter) => {
    const link = new VirtualLink({ loss, jitter, delay: 40_000, latency: 400 });
    link.run(20, 500);
    expect(link.sent.length).toBe(10_000);
    // At a fifth lost, a packet may lose every one of the tries that its latency leaves.
    const missing = link.sent.length - link.got.length;
    expect(missing).toBeLessThanOrEqual(loss < 0.1 ? 0 : loss < 0.2 ? 5 : 80);
    const numbers = link.got.map((text) => Number(text.slice(7)));
    expect(numbers).toEqual([...numbers].sort((x, y) => x - y));
    const { pktRetrans, msRTT } = link.a.statistics(micros(link.now));
    if (loss > 0) expect(pktRetrans).toBeGreaterThan(10_000 * loss * 0.8);
    else expect(pktRetrans).toBe(0);
    expect(msRTT).toBeGreaterThan(0);
  });

  it('asks for little again on a line that only reorders', () => {
    const link = new VirtualLink({ jitter: 10_000, delay: 40_000 });
    link.run(20, 500);
    expect(link.got).toEqual(link.sent);
    expect(link.a.statistics(micros(link.now)).pktRetrans).toBeLessThan(300);
  });

  it('delivers each packet after its latency, not before', () => {
    const link = new VirtualLink({ delay: 20_000, latency: 200 });
    link.a.send(Buffer.from('packet 0'), micros(link.now));
    const sentAt = link.now;
    while (link.got.length === 0 && link.now < SECOND) link.run(0.001, 1, 99);
    expect(link.now - sentAt).toBeGreaterThanOrEqual(200_000);
  });

  it('gives up what comes too late, counts it, and goes on', () => {
    const link = new VirtualLink({ loss: 0.3, delay: 100_000, latency: 120 });
    link.run(10, 200);
    const { pktRcvDrop, pktRcvBelated } = link.b.statistics(micros(link.now));
    expect(pktRcvDrop).toBeGreaterThan(100);
    expect(link.got.length + pktRcvDrop).toBe(link.sent.length);
    expect(pktRcvBelated).toBeGreaterThan(0);
    expect(link.ended).toBeUndefined();
  });

  it('goes on over the wrap of sequence numbers and of timestamps', () => {
    const link = new VirtualLink({ loss: 0.05, jitter: 5000, initial: 0x7fff_ffff - 500 });
    link.run(10, 300);
    expect(link.got).toEqual(link.sent);
    // 71 minutes in 32 bits of microseconds: a day has twenty such turns.
    const day = new VirtualLink({ loss: 0.01 });
    for (let hour = 0; hour < 24; hour++) {
      day.run(1, 100, hour * 100);
      day.idle(3596);
    }
    expect(day.ended).toBeUndefined();
    expect(day.got).toEqual(day.sent);
  }, 60_000);

  it.each([16, 24, 32])('changes its key of %i bytes in the middle without a loss', (keyBytes) => {
    const link = new VirtualLink({ loss: 0.02, keyBytes, refresh: { packets: 1000, preAnnounce: 200 } });
    link.run(15, 400);
    expect(link.got).toEqual(link.sent);
    expect(link.sent.length).toBe(6000);
    expect(link.b.statistics(micros(link.now)).pktRcvUndecrypt).toBe(0);
  });

  it('lets what has come be delivered when the peer says goodbye', () => {
    const link = new VirtualLink({ delay: 1000, latency: 500 });
    for (let number = 0; number < 10; number++) link.a.send(Buffer.from(`packet ${number}`), micros(link.now));
    link.a.close('done', micros(link.now));
    expect(link.ended).toBe('done');
    link.run(0, 1);
    expect(link.got).toHaveLength(10);
    expect(link.b.isClosed).toBe(true);
  });

  it('takes a peer that is silent for gone', () => {
    const link = new VirtualLink({ loss: 1 });
    link.run(4, 10);
    expect(link.ended).toMatch(/silent for 5 s/);
  });

  it('repairs every loss inside the reach of its filter, without asking for anything', () => {
    // One packet of each row of ten is lost, and nothing is asked for.
    let data = 0;
    const isNextOfRow = (number: number) => number % 10 === (Math.floor(number / 10) * 7) % 10;
    const link = new VirtualLink({
      filter: 'fec,cols:10,arq:never',
      latency: 200,
      loses: (datagram) => isData(datagram) && isNextOfRow(data++),
    });
    link.run(12, 250);
    const { pktRcvFilterSupply, pktRcvLoss, pktRcvDrop } = link.b.statistics(micros(link.now));
    expect(pktRcvLoss).toBeGreaterThan(200);
    expect(pktRcvFilterSupply).toBe(300);
    expect(pktRcvDrop).toBe(0);
    expect(link.got).toEqual(link.sent);
    expect(link.a.statistics(micros(link.now)).pktRetrans).toBe(0);
  });

  it.each(['even', 'staircase'])('repairs a burst by columns, %s', (layout) => {
    let data = 0;
    const link = new VirtualLink({
      filter: `fec,cols:8,rows:6,layout:${layout},arq:never`,
      latency: 600,
      keyBytes: 16,
      // Eight in a row, once in a while: each column has lost one.
      loses: (datagram) => isData(datagram) && data++ > 200 && data % 160 < 8,
    });
    link.run(10, 300);
    const { pktRcvFilterSupply, pktRcvDrop } = link.b.statistics(micros(link.now));
    expect(pktRcvFilterSupply).toBeGreaterThan(100);
    expect(pktRcvDrop).toBe(0);
    expect(link.got).toEqual(link.sent);
  });

  it('asks for what its filter could not repair, and for little else', () => {
    const lossy = { loss: 0.05, jitter: 5000, delay: 20_000, latency: 500 };
    const always = new VirtualLink({ ...lossy, filter: 'fec,cols:10,rows:5,arq:always' });
    const onRequest = new VirtualLink({ ...lossy, filter: 'fec,cols:10,rows:5,arq:onreq' });
    for (const link of [always, onRequest]) {
      link.run(20, 300);
      expect(link.got).toEqual(link.sent);
    }
    const retransmitted = (link: VirtualLink) => link.a.statistics(micros(link.now)).pktRetrans;
    expect(retransmitted(onRequest)).toBeLessThan(retransmitted(always) / 3);
  });

  it('spreads a burst over a part of the latency, and no longer', () => {
    const times: number[] = [];
    const link = new VirtualLink({
      latency: 200,
      watch: (datagram, now) => (datagram[0] ?? 0) < 0x80 && times.push(now),
    });
    for (let number = 0; number < 400; number++) link.a.send(Buffer.alloc(1316, number), micros(link.now));
    link.run(0, 1);
    expect(link.got).toHaveLength(400);
    // A quarter of 200 ms, in ticks of 10 ms.
    expect(Math.max(...times)).toBeGreaterThanOrEqual(30_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(70_000);
    const most = Math.max(...[...new Set(times)].map((at) => times.filter((time) => time === at).length));
    expect(most).toBeLessThanOrEqual(200);
  });

  it('never sends more than its limit, repetitions included', () => {
    let bytes = 0;
    const link = new VirtualLink({
      maxBandwidth: 250_000,
      loss: 0.05,
      delay: 20_000,
      latency: 500,
      watch: (datagram, _now, to) => {
        if (to === 'b') bytes += datagram.length;
      },
    });
    const before = link.now;
    // 100 packets a second of 1,332 bytes are 133 kB; the burst on top of them is more than the line may take at once.
    for (let number = 0; number < 40; number++) link.a.send(Buffer.alloc(1316), micros(link.now));
    link.run(5, 100);
    const seconds = (link.now - before) / SECOND;
    expect(bytes / seconds).toBeLessThanOrEqual(250_000 * 1.05);
    expect(link.got.length).toBe(link.sent.length + 40);
  });

  it('acknowledges in between where much comes', () => {
    let light = 0;
    const link = new VirtualLink({
      watch: (datagram) => {
        if (datagram.readUInt16BE(0) === 0x8002 && datagram.length === 20) light += 1;
      },
    });
    link.run(1, 20_000);
    expect(link.got).toEqual(link.sent);
    expect(light).toBeGreaterThan(100);
  });
});
