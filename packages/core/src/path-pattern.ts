/** Segments of letters, digits, `.`, `_`, `-` and `*`, joined by `/`. */
export const PATH_PATTERN = /^[A-Za-z0-9._*-]+(\/[A-Za-z0-9._*-]+)+$/;

/** Whether a stream path fits a pattern, in which a star stands for any part of one segment: `live/*`, `*-hd` under an app. */
export function pathFits(pattern: string, path: string): boolean {
  const patterns = pattern.split('/');
  const segments = path.split('/');
  return patterns.length === segments.length && patterns.every((part, at) => segmentFits(part, segments[at] ?? ''));
}

/** Linear: after a star, the earliest place where the next piece fits is as good as any later one. */
function segmentFits(pattern: string, segment: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return first === segment;
  const last = rest.pop() ?? '';
  if (!segment.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = segment.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return segment.length - at >= last.length && segment.endsWith(last);
}
