import type { CallbackAnswer } from './callback-client.js';

/**
 * Whether a callback server said yes, as SRS has it: 200 or 201, and the body is `0` or an object with `code: 0`. An
 * empty body, or any other, is a no.
 */
export function saysYes({ status, body }: CallbackAnswer): boolean {
  if (status !== 200 && status !== 201) return false;
  if (body === '0') return true;
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === 'object' && answer !== null && 'code' in answer && answer.code === 0;
  } catch {
    return false;
  }
}
