import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  base: '/',
  build: {
    target: 'es2022',
    // Pages are served under a policy that forbids inline scripts and data URLs of scripts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    rollupOptions: {
      input: [
        page('index.html'),
        page('player.html'),
        page('publish.html'),
        page('recordings.html'),
        page('api-docs.html'),
        page('console.html'),
      ],
    },
  },
});
