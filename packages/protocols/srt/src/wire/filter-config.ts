import { SrtError } from '../errors.js';

/** What is asked for again although the filter might repair it: everything, what it could not repair, or nothing. */
export type ArqLevel = 'always' | 'onreq' | 'never';

/**
 * The packet filter `fec`: packets in rows of so many columns, with a repair packet behind each row, and one behind each
 * column of so many rows.
 */
export interface FecConfig {
  readonly columns: number;
  /** 1: no repair packets for columns. */
  readonly rows: number;
  /** Whether rows have repair packets. */
  readonly rowRepair: boolean;
  /** `even`: all columns begin in one row; `staircase`: each a row later than the one before, which spreads the load. */
  readonly layout: 'even' | 'staircase';
  readonly arq: ArqLevel;
}

const ARQ_LEVELS: readonly ArqLevel[] = ['always', 'onreq', 'never'];
const LAYOUTS: readonly FecConfig['layout'][] = ['even', 'staircase'];
const KEYS: ReadonlySet<string> = new Set(['cols', 'rows', 'layout', 'arq']);
/** What a peer may make us keep: 4096 packets at a time. */
const MOST_PACKETS = 4096;
/** A repair packet names its column in a signed byte. */
const MOST_COLUMNS = 127;

/**
 * Reads `fec,cols:10,rows:5,layout:staircase,arq:onreq`, in any order behind the name; `rows:-5` is five rows whose
 * repair packets are left out.
 *
 * @throws {SrtError} `unsupported` with what is wrong about it
 */
export function readFilterConfig(text: string): FecConfig {
  const [name, ...parts] = text.split(',').map((part) => part.trim());
  if (name !== 'fec') throw unsupported(text, `there is no filter "${name}"; write fec`);
  const values = new Map<string, string>();
  for (const part of parts) {
    const [key = '', value = ''] = part.split(':');
    if (!KEYS.has(key)) throw unsupported(text, `"${key}" is no setting of fec; ${[...KEYS].join(', ')} are`);
    values.set(key, value);
  }
  const columns = whole(values.get('cols') ?? '');
  const rows = whole(values.get('rows') ?? '1');
  if (columns === undefined || columns < 2) throw unsupported(text, 'cols is to be 2 or more');
  if (rows === undefined || rows === 0 || rows === -1)
    throw unsupported(text, 'rows is to be 1 or more, or -2 or less');
  if (columns * Math.abs(rows) > MOST_PACKETS) throw unsupported(text, `cols x rows is to be ${MOST_PACKETS} or less`);
  if (Math.abs(rows) > 1 && columns > MOST_COLUMNS) throw unsupported(text, `cols is to be ${MOST_COLUMNS} or less`);
  const layout = LAYOUTS.find((known) => known === (values.get('layout') ?? 'staircase'));
  if (layout === undefined) throw unsupported(text, `layout is to be ${LAYOUTS.join(' or ')}`);
  const arq = ARQ_LEVELS.find((known) => known === (values.get('arq') ?? 'onreq'));
  if (arq === undefined) throw unsupported(text, `arq is to be one of ${ARQ_LEVELS.join(', ')}`);
  return { columns, rows: Math.abs(rows), rowRepair: rows > 0, layout, arq };
}

export function writeFilterConfig({ columns, rows, rowRepair, layout, arq }: FecConfig): string {
  return `fec,cols:${columns},rows:${rowRepair ? rows : -rows},layout:${layout},arq:${arq}`;
}

function whole(text: string): number | undefined {
  return /^-?\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function unsupported(text: string, what: string): SrtError {
  return new SrtError('unsupported', `the packet filter "${text}": ${what}`);
}
