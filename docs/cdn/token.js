// For nginx (ngx_http_js_module): checks the token in front of a path, and takes it away. docs/cdn.md has the form.
// biome-ignore lint/style/useNodejsImportProtocol: njs has it under this name
import crypto from 'crypto';

/** The path behind a token that holds for it; empty where none does. */
function path(request) {
  const parts = /^\/~(\d+)~([\w-]+)~([\w-]+)(\/.*)$/.exec(request.uri);
  if (parts === null) return '';
  const expires = parts[1];
  const prefix = parts[2];
  const mac = parts[3];
  const rest = parts[4];
  if (Number(expires) * 1000 <= Date.now()) return '';
  const expected = crypto.createHmac('sha256', request.variables.cdn_secret).update(`${expires}~${prefix}`);
  if (!isSame(expected.digest('base64url'), mac)) return '';
  return isFor(Buffer.from(prefix, 'base64url').toString(), rest) ? rest : '';
}

/** live/show is for live/show.m3u8 and live/show/hls/…, and not for live/show2.m3u8. Players of DASH ask for the time. */
function isFor(prefix, uri) {
  if (uri === '/time') return true;
  return uri.startsWith(prefix) && (prefix.endsWith('/') || uri[prefix.length] === '.' || uri[prefix.length] === '/');
}

/** In a time that doesn't tell where they differ. */
function isSame(expected, shown) {
  if (expected.length !== shown.length) return false;
  let difference = 0;
  for (let at = 0; at < expected.length; at++) difference |= expected.charCodeAt(at) ^ shown.charCodeAt(at);
  return difference === 0;
}

// biome-ignore lint/style/noDefaultExport: js_import takes nothing else
export default { path };
