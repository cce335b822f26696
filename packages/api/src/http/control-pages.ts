import type { RequestHandler } from 'express';
import sirv from 'sirv';

/** Pages of the control plane, by URL. */
const PAGES: Readonly<Record<string, string>> = {
  '/': '/api-docs.html',
  '/api/v2/docs': '/api-docs.html',
};

/**
 * Serves the pages of the control plane, and the files that they load.
 *
 * @param directory of the built pages; read once, now
 */
export function makeControlPages(directory: string): RequestHandler {
  const serve = sirv(directory, { etag: true });
  return (request, response, next) => {
    const page = PAGES[request.path];
    const isAsset = request.path.startsWith('/assets/') || request.path === '/sluice.svg';
    if (request.method !== 'GET' || (page === undefined && !isAsset)) {
      next();
      return;
    }
    if (page !== undefined) request.url = page;
    serve(request, response, next);
  };
}
