/** What a URL asks of recordings. Names are as they were written: nothing in them is decoded. */
export type RecordingRoute =
  | { readonly kind: 'list' }
  | { readonly kind: 'clip' }
  | { readonly kind: 'timeline'; readonly path: string }
  | { readonly kind: 'playlist'; readonly path: string }
  | { readonly kind: 'segment'; readonly path: string; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly id: string; readonly extension: string }
  | { readonly kind: 'picture'; readonly path: string; readonly id: string }
  | { readonly kind: 'storyboard'; readonly path: string; readonly id: string; readonly form: 'vtt' | 'jpg' }
  | { readonly kind: 'nothing' };

/** A stream's path has two names at least, so that `live/recordings` is a stream, and nobody's recordings. */
const OF_STREAM = /^\/([^/]+(?:\/[^/]+)+)\/recordings(?:\.(json|m3u8)|\/([^/]+))$/;
const SEGMENT = /^[\w-]+(?:\.[\w-]+)+\.(?:m4s|mp4)$/;
const FILE = /^([\w-]{1,128})\.(mp4|flv|ts|jpg)$/;
const STORYBOARD = /^([\w-]{1,128})\.storyboard\.(vtt|jpg)$/;

/** @returns undefined for what is no matter of recordings */
export function recordingRouteOf(pathname: string): RecordingRoute | undefined {
  if (pathname === '/list') return { kind: 'list' };
  if (pathname === '/get') return { kind: 'clip' };
  const [, path, form, name = ''] = OF_STREAM.exec(pathname) ?? [];
  if (path === undefined) return undefined;
  if (form !== undefined) return { kind: form === 'json' ? 'timeline' : 'playlist', path };
  const [, ofBoard, board] = STORYBOARD.exec(name) ?? [];
  if (ofBoard !== undefined) return { kind: 'storyboard', path, id: ofBoard, form: board === 'vtt' ? 'vtt' : 'jpg' };
  const [, id, extension] = FILE.exec(name) ?? [];
  if (id !== undefined && extension !== undefined) {
    return extension === 'jpg' ? { kind: 'picture', path, id } : { kind: 'file', path, id, extension };
  }
  return SEGMENT.test(name) ? { kind: 'segment', path, name } : { kind: 'nothing' };
}
