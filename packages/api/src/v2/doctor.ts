import { isWell } from '@sluice/core';
import { z } from 'zod';
import { type Route, route } from '../http/route.js';
import type { Control } from './control.js';
import { iso, time } from './schemas.js';

const findingSchema = z.object({
  check: z.string().describe('What was looked at.'),
  status: z.enum(['ok', 'warning', 'failed']).describe('`warning`: it works, but not for everybody or not for long.'),
  found: z.string(),
  advice: z.string().nullable().describe('What to change; null where all is well.'),
});

/** What `sluice doctor` tells. */
export function doctorRoutes({ doctor }: Control): Route[] {
  return [
    route({
      method: 'get',
      path: '/doctor',
      tag: 'Server',
      summary: 'What is in the way of viewers and publishers, and what to do about it; takes some seconds',
      needs: 'config',
      answer: z.object({
        at: time.describe('When the checks were made. ISO 8601.'),
        ok: z.boolean().describe('Whether nothing has failed.'),
        findings: z.array(findingSchema),
      }),
      handle: async () => {
        const { at, findings } = await doctor.diagnose();
        return {
          at: iso(at),
          ok: isWell(findings),
          findings: findings.map(({ advice, ...rest }) => ({ ...rest, advice: advice ?? null })),
        };
      },
    }),
  ];
}
