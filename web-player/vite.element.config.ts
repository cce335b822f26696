import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Builds `<sluice-player>` for other sites: one module at an address that stays, with the engines beside it. */
export default defineConfig({
  // What is loaded later is beside the module, wherever that came from.
  base: './',
  build: {
    target: 'es2022',
    emptyOutDir: false,
    copyPublicDir: false,
    modulePreload: false,
    chunkSizeWarningLimit: 800,
    rollupOptions: {
      input: fileURLToPath(new URL('src/element/sluice-player.ts', import.meta.url)),
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'assets/sluice-player.js', chunkFileNames: 'assets/[name]-[hash].js' },
    },
  },
});
