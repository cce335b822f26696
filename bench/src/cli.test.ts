import { describe, expect, test } from 'vitest';
import { parseCommandLine } from './cli.js';

const known = ['sluice', 'nginx-rtmp'];
const parse = (...args: string[]) => parseCommandLine(args, known);

describe('parseCommandLine', () => {
  test('has defaults', () => {
    expect(parse()).toEqual({
      help: false,
      viewers: [2000],
      workers: [],
      protocols: ['flv'],
      seconds: 15,
      warmUpSeconds: 4,
      targets: known,
      external: [],
      idle: 0,
      ttff: 0,
      ttffBackground: 0,
      results: false,
    });
  });

  test('takes lists', () => {
    const options = parse('--viewers', '500,2000', '--protocol', 'flv,rtmp', '--targets', 'nginx-rtmp');
    expect(options).toMatchObject({ viewers: [500, 2000], protocols: ['flv', 'rtmp'], targets: ['nginx-rtmp'] });
  });

  test('no viewers leaves the fan-out out', () => {
    expect(parse('--viewers', '0').viewers).toEqual([]);
  });

  test('takes servers that run already, and then no others unasked', () => {
    const options = parse('--target', 'srs=rtmp://h:1/live/a?k=v,http://h:2/live/a.flv,77');
    expect(options.targets).toEqual([]);
    expect(options.external).toEqual([
      { name: 'srs', publishUrl: 'rtmp://h:1/live/a?k=v', playUrl: 'http://h:2/live/a.flv', pid: 77 },
    ]);
  });

  test.each([
    ['--viewers', 'many'],
    ['--seconds', '1.5'],
    ['--protocol', 'hls'],
    ['--targets', 'srs'],
    ['--target', 'srs=rtmp://h/a/b'],
  ])('refuses %s %s by name', (option, value) => {
    expect(() => parse(option, value)).toThrow(`${option} ${value}`);
  });
});
