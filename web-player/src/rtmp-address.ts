/** RTMP's own port, which URLs need not name. */
const RTMP_PORT = 1935;

/**
 * What an encoder takes for its server: `rtmp://example.org/live`.
 *
 * @param hostname as in a URL, an IPv6 address in brackets
 * @param port 0 or undefined where the server doesn't say
 */
export function rtmpServer(hostname: string, port: number | undefined): string {
  return `rtmp://${hostname}${!port || port === RTMP_PORT ? '' : `:${port}`}/live`;
}
