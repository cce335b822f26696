import { encode } from 'uqr';

const NAMESPACE = 'http://www.w3.org/2000/svg';
/** ISO/IEC 18004 §9.1: the quiet zone is four modules wide. */
const QUIET_ZONE = 4;

/** A text as a QR code, black on white whatever the theme. @param label for screen readers */
export function qrCode(text: string, label: string): SVGSVGElement {
  const { data, size } = encode(text, { ecc: 'M', border: QUIET_ZONE });
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
  svg.setAttribute('class', 'qr-code');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  const path = document.createElementNS(NAMESPACE, 'path');
  const squares = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  path.setAttribute('d', squares.join(''));
  svg.append(path);
  return svg;
}
