import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Packages resolve to their sources, so that tests need no build. */
const alias = {
  '@sluice/media': source('packages/media/src/index.ts'),
  '@sluice/rtmp': source('packages/protocols/rtmp/src/index.ts'),
  '@sluice/srt': source('packages/protocols/srt/src/index.ts'),
  '@sluice/rtp': source('packages/protocols/rtp/src/index.ts'),
  '@sluice/webrtc': source('packages/protocols/webrtc/src/index.ts'),
  '@sluice/core': source('packages/core/src/index.ts'),
  '@sluice/ingest': source('packages/ingest/src/index.ts'),
  '@sluice/delivery': source('packages/delivery/src/index.ts'),
  '@sluice/storage': source('packages/storage/src/index.ts'),
  '@sluice/bbb-capture': source('packages/bbb-capture/src/index.ts'),
  '@sluice/cluster': source('packages/cluster/src/index.ts'),
  '@sluice/api': source('packages/api/src/index.ts'),
  '@sluice/server': source('packages/server/src/index.ts'),
};

/** What fills the machine, or measures a line: after all others, one at a time. */
const ALONE = [
  ...(process.env.TEST_LONG === undefined ? [] : ['test/flood.test.ts']),
  'test/webrtc-network.test.ts',
  'test/bbb.test.ts',
  'test/bbb-publish.test.ts',
];

export default defineConfig({
  resolve: { alias },
  test: {
    maxWorkers: 4,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['{packages,web-player,bench}/**/src/**/*.test.ts'], testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: ALONE,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
