const LINES = {
  board: 'M3.5 4.5h7v7h-7zM13.5 4.5h7v7h-7zM3.5 14.5h7v5h-7zM13.5 14.5h7v5h-7z',
  people:
    'M9 11.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4zM3 19.5a6 6 0 0 1 12 0M16 5.4a3.2 3.2 0 0 1 0 5.9M17.5 14.2a6 6 0 0 1 3.5 5.3',
  film: 'M3.5 5.5h17v13h-17zM8 5.5v13M16 5.5v13M3.5 9.8H8M3.5 14.2H8M16 9.8h4.5M16 14.2h4.5',
  meeting: 'M3.5 6.5h11v11h-11zM14.5 10.5l6-3v9l-6-3zM9 9.5v5M6.5 12h5',
  key: 'M8 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM11.5 12h9M17.5 12v3.5M20.5 12v2.5',
  ban: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM6.4 6.4l11.2 11.2',
  user: 'M12 11.5a3.6 3.6 0 1 0 0-7.2 3.6 3.6 0 0 0 0 7.2zM5 20a7 7 0 0 1 14 0',
  list: 'M8.5 6.5h12M8.5 12h12M8.5 17.5h12M4 6.5h.01M4 12h.01M4 17.5h.01',
  settings: 'M4 7h9M17 7h3M15 9.2V4.8M4 12h3M11 12h9M9 14.2V9.8M4 17h11M19 17h1M17 19.2v-4.4',
  nodes:
    'M12 7.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM5.5 20.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM18.5 20.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12 7.5v4M12 11.5l-5.4 5.2M12 11.5l5.4 5.2',
  health: 'M3.5 12h4l2.5-6 4 12 2.5-6h4',
  server: 'M4 4.5h16v6H4zM4 13.5h16v6H4zM7.5 7.5h.01M7.5 16.5h.01',
  menu: 'M4 6.5h16M4 12h16M4 17.5h16',
  close: 'M6 6l12 12M18 6L6 18',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  moon: 'M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z',
  screen: 'M3.5 5h17v11.5h-17zM8.5 20h7',
  leave: 'M14 4.5H5v15h9M10.5 12H21M17.5 8.5L21 12l-3.5 3.5',
  copy: 'M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2M20 14v2M14 20h2M18 18h2v2',
  record: 'M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10z',
  stop: 'M6.5 6.5h11v11h-11z',
  play: 'M8 5.2v13.6l11-6.8z',
  plus: 'M12 5v14M5 12h14',
  trash: 'M4.5 6.5h15M9.5 6.5v-2h5v2M6.5 6.5l1 13h9l1-13M10 10.5v5.5M14 10.5v5.5',
  download: 'M12 4v11M7.5 10.5L12 15l4.5-4.5M4.5 19.5h15',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20.5 20.5',
  back: 'M14.5 5.5L8 12l6.5 6.5',
  external: 'M14 4.5h5.5V10M19.5 4.5L11 13M17 13.5v6H4.5V7H10.5',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  edit: 'M4.5 19.5l1-4L16 5l3 3L8.5 18.5z',
  keep: 'M6.5 4.5h11v15.5l-5.5-4-5.5 4z',
} as const;

export type IconName = keyof typeof LINES;

const NAMESPACE = 'http://www.w3.org/2000/svg';

/** Draws an icon on a grid of 24; it says nothing to screen readers. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  const line = document.createElementNS(NAMESPACE, 'path');
  line.setAttribute('d', LINES[name]);
  svg.append(line);
  return svg;
}
