/** An icon on a grid of 24: what is filled, and what is drawn as a line. */
interface Drawing {
  readonly fill?: string;
  readonly line?: string;
}

const SPEAKER = 'M3.5 9.2v5.6h3.7l4.8 4.4V4.8L7.2 9.2z';
const MICROPHONE = 'M12 3.5a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0v-5a3 3 0 0 0-3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v2.5';
const CAMERA = 'M3.5 7h11v10h-11zM14.5 11l6-3.5v9l-6-3.5z';

const ICONS = {
  play: { fill: 'M7.5 4.6v14.8a.8.8 0 0 0 1.2.7l12-7.4a.8.8 0 0 0 0-1.4l-12-7.4a.8.8 0 0 0-1.2.7z' },
  pause: { fill: 'M6.5 4.5h3.5v15H6.5zM14 4.5h3.5v15H14z' },
  sound: { fill: SPEAKER, line: 'M15.5 8.7a4.7 4.7 0 0 1 0 6.6M18 6a8.5 8.5 0 0 1 0 12' },
  muted: { fill: SPEAKER, line: 'M16 9.5l5 5M21 9.5l-5 5' },
  picture: { line: 'M3.5 5.5h17v13h-17z', fill: 'M12.5 12h6v4.5h-6z' },
  full: { line: 'M4.5 9V4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15' },
  small: { line: 'M9 4.5V9H4.5M19.5 9H15V4.5M15 19.5V15h4.5M4.5 15H9v4.5' },
  keys: { line: 'M3.5 6.5h17v11h-17zM7 10h.01M10.3 10h.01M13.7 10h.01M17 10h.01M8 14h8' },
  microphone: { line: MICROPHONE },
  'microphone-off': { line: `${MICROPHONE}M4 4l16 16` },
  camera: { line: CAMERA },
  'camera-off': { line: `${CAMERA}M4 4l16 16` },
  screen: { line: 'M3.5 5h17v11.5h-17zM8.5 20h7' },
  captions: { line: 'M3.5 5.5h17v13h-17zM10.5 10.7a2.1 2.1 0 1 0 0 2.6M17 10.7a2.1 2.1 0 1 0 0 2.6' },
  settings: {
    line: 'M4 7h9M18 7h2M4 12h2M11 12h9M4 17h7M16 17h4M15.5 4.7a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 0 0 0-4.6zM8.5 9.7a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 0 0 0-4.6zM13.5 14.7a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 0 0 0-4.6z',
  },
  cast: { line: 'M3.5 9V5.5h17v13H14M3.5 12.5a6 6 0 0 1 6 6M3.5 16a2.5 2.5 0 0 1 2.5 2.5' },
  back: { line: 'M14.5 5.5L8 12l6.5 6.5' },
  forward: { line: 'M9.5 5.5L16 12l-6.5 6.5' },
} as const satisfies Record<string, Drawing>;

export type IconName = keyof typeof ICONS;

const NAMESPACE = 'http://www.w3.org/2000/svg';

/** Draws an icon; it says nothing to screen readers. */
export function icon(name: IconName): SVGSVGElement {
  const { fill, line }: Drawing = ICONS[name];
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  if (fill !== undefined) svg.append(path(fill, 'fill'));
  if (line !== undefined) svg.append(path(line, 'line'));
  return svg;
}

function path(drawing: string, kind: 'fill' | 'line'): SVGPathElement {
  const shape = document.createElementNS(NAMESPACE, 'path');
  shape.setAttribute('d', drawing);
  shape.setAttribute('class', kind);
  return shape;
}
