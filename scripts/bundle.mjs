// One program, `dist/bundle/skerry.js`, in chunks that each command loads only when it runs. The edge node's share of it is
// kept small: aedes' readable-stream is Node's own stream module by another name (about 10 MB of memory; ADR 0012).
import { chmodSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const outdir = 'dist/bundle';
rmSync(outdir, { recursive: true, force: true });

await build({
  entryPoints: { skerry: 'src/cli/main.ts' },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  minifySyntax: true,
  alias: { 'readable-stream': 'node:stream' },
  // Native: it finds its prebuilt binary beside its own files.
  external: ['classic-level'],
  banner: {
    // CommonJS packages inside the bundle ask for `require`.
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
chmodSync(`${outdir}/skerry.js`, 0o755);
