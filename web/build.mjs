// Bundles src/ into the folder given: pages as they are, scripts and styles minified.
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const out = process.argv[2];
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  entryPoints: ['src/index.js', 'src/desktop.js', 'src/app.css'],
  outdir: out,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'eof',
  logLevel: 'warning',
});
for (const page of ['index.html', 'desktop.html', 'icon.svg']) {
  await cp(join('src', page), join(out, page));
}
