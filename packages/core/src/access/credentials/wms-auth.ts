import { createHash, timingSafeEqual } from 'node:crypto';
import { type Millis, millis } from '@sluice/media';

/** What a WMSAuth token says. It names no path and no action, and it ends no session: it is a ticket to begin one. */
export interface WmsAuthGrant {
  readonly id?: string | undefined;
  /** The address that it is bound to. */
  readonly ip?: string | undefined;
  readonly validMinutes: number;
  readonly serverTime: Millis;
}

/** Makes the value of `?wmsAuthSign=`. */
export function makeWmsAuth(key: string, grant: WmsAuthGrant): string {
  const time = usTime(grant.serverTime);
  const hash = hashOf(key, time, String(grant.validMinutes), grant.id ?? '', grant.ip ?? '').toString('base64');
  const fields = [`server_time=${time}`, `hash_value=${hash}`, `validminutes=${grant.validMinutes}`];
  if (grant.id !== undefined) fields.push(`id=${grant.id}`);
  if (grant.ip !== undefined) fields.push('checkip=true');
  return Buffer.from(fields.join('&')).toString('base64');
}

/**
 * Reads the value of `?wmsAuthSign=`.
 *
 * @param ip the viewer's address, which is part of the hash where the token asks for it
 * @returns undefined where it is not made with this key, or for another address
 */
export function readWmsAuth(key: string, token: string, ip: string): WmsAuthGrant | undefined {
  const { time, minutes, id, checkIp, shown } = fieldsOf(token);
  const boundTo = checkIp ? ip : undefined;
  const expected = hashOf(key, time, minutes, id ?? '', boundTo ?? '');
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) return undefined;
  const serverTime = fromUsTime(time);
  if (serverTime === undefined || !/^\d{1,6}$/.test(minutes)) return undefined;
  return { id, ip: boundTo, validMinutes: Number(minutes), serverTime };
}

/** What tells a token from others, however it is spelled: its hash covers the fields, and nothing else does. */
export function wmsAuthIdentity(token: string): string {
  const { time, minutes, id, checkIp, shown } = fieldsOf(token);
  return JSON.stringify([time, minutes, id, checkIp, shown.toString('base64')]);
}

function fieldsOf(token: string) {
  // A query turns `+` into a space. And `+` inside, in the hash, is meant: these are no URL-encoded fields.
  const text = Buffer.from(token.replaceAll(' ', '+'), 'base64').toString();
  const fields = new Map(text.split('&').map((field) => [nameOf(field), field.slice(nameOf(field).length + 1)]));
  return {
    time: fields.get('server_time') ?? '',
    minutes: fields.get('validminutes') ?? '',
    id: fields.get('id'),
    checkIp: fields.get('checkip') === 'true',
    shown: Buffer.from((fields.get('hash_value') ?? '').replaceAll(' ', '+'), 'base64'),
  };
}

const nameOf = (field: string): string => field.split('=', 1)[0] ?? '';

/** MD5, because that is what the tokens of those who migrate are made with. */
function hashOf(key: string, time: string, minutes: string, id: string, ip: string): Buffer {
  return createHash('md5').update(`${ip}${id}${key}${time}${minutes}`).digest();
}

/** `M/D/YYYY h:mm:ss AM`, UTC. */
function usTime(time: Millis): string {
  const date = new Date(time);
  const hour = date.getUTCHours();
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${date.getUTCFullYear()}`;
  return `${day} ${hour % 12 || 12}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} ${hour < 12 ? 'AM' : 'PM'}`;
}

function fromUsTime(text: string): Millis | undefined {
  const match = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d{2}):(\d{2}) (AM|PM)$/.exec(text);
  if (match === null) return undefined;
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const hours = (hour % 12) + (match[7] === 'PM' ? 12 : 0);
  return millis(Date.UTC(year, month - 1, day, hours, minute, second));
}
