// Builds the console: checks the types, bundles, and embeds the files: node build.mjs <out>.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { build } from 'vite';
import { embed } from './embed.mjs';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const out = resolve(process.argv[2] ?? 'dist');

// The style sheet holds its fonts as data: URIs, which the content security policy forbids.
function extractFonts() {
  const directory = join(here, 'node_modules/.keyturn');
  mkdirSync(directory, { recursive: true });
  let count = 0;
  const css = readFileSync(join(here, 'node_modules/@cloudscape-design/global-styles/index.css'), 'utf8')
    .replaceAll(/url\(['"]?data:font\/woff2;base64,([A-Za-z0-9+/=]+)['"]?\)/g, (_, base64) => {
      const name = `font-${count++}.woff2`;
      writeFileSync(join(directory, name), Buffer.from(base64, 'base64'));
      return `url('./${name}')`;
    });
  if (count === 0 || css.includes('data:')) throw new Error('the fonts were not found');
  const file = join(directory, 'global-styles.css');
  writeFileSync(file, css);
  return file;
}

// The navigation's button on a phone stands in a nav with an orientation, which a nav does not have:
// axe's aria-allowed-attr.
const plainNavigation = {
  name: 'plain-navigation',
  transform(code, id) {
    if (!id.endsWith('/app-layout/visual-refresh/mobile-toolbar.js')) return null;
    const wrong = ' "aria-orientation": "horizontal",';
    if (!code.includes(wrong)) throw new Error(`${id}: the orientation of the navigation was not found`);
    return { code: code.replace(wrong, ''), map: null };
  },
};

const styles = extractFonts();
const types = spawnSync(join(here, 'node_modules/.bin/tsc'), ['--noEmit'], { cwd: here, stdio: 'inherit' });
if (types.status !== 0) process.exit(1);
const dist = join(out, 'dist');
await build({
  root: here,
  configFile: false,
  base: '/console/',
  logLevel: 'warn',
  plugins: [react(), plainNavigation],
  resolve: { alias: { '#global-styles.css': styles } },
  build: {
    outDir: dist,
    emptyOutDir: true,
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
  },
});
embed(dist, out);
