import { CREDENTIAL_PARAMETERS } from '@sluice/core';

const QUERY = /\?[^\s"']*/g;
const ASSIGNED = new RegExp(`\\b(${[...CREDENTIAL_PARAMETERS, 'password', 'secret'].join('|')})=[^\\s&"']+`, 'gi');
const BEARER = /\b(Bearer|Basic) +[^\s"']+/gi;

/** Takes out of a text what may be a secret: query strings, credentials by name, Authorization headers. */
export function redactSecrets(text: string): string {
  return text.replace(QUERY, '?…').replace(ASSIGNED, '$1=…').replace(BEARER, '$1 …');
}
