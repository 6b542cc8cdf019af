// Turns built files into assembly that includes their bytes, plain and compressed, and a table of
// them for src/console/assets.cc.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

function filesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

// compressed returns nothing where it would gain nothing.
function compressed(bytes, type) {
  const none = Buffer.alloc(0);
  if (type.startsWith('font/') || type === 'image/png') return { gzip: none, brotli: none };
  const gzip = gzipSync(bytes, { level: 9 });
  const brotli = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  return {
    gzip: gzip.length < bytes.length ? gzip : none,
    brotli: brotli.length < bytes.length ? brotli : none,
  };
}

export function embed(dist, out) {
  const blobs = join(out, 'blobs');
  mkdirSync(blobs, { recursive: true });
  const assembly = ['.section .rodata'];
  const table = ['#define KEYTURN_CONSOLE_ASSETS \\'];
  for (const [index, file] of filesBelow(dist).entries()) {
    const type = types[extname(file)];
    if (type === undefined) throw new Error(`${file}: of no known type`);
    const bytes = readFileSync(file);
    const symbol = `asset_${index}`;
    const path = `/console/${relative(dist, file)}`;
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    table.push(
      `  KEYTURN_ASSET(${symbol}, "${path}", "${type}", "\\"${digest}\\"", ${path.startsWith('/console/assets/')}) \\`,
    );
    for (const [form, content] of Object.entries({ bytes, ...compressed(bytes, type) })) {
      const name = `kt_${symbol}_${form}`;
      const blob = join(blobs, name);
      writeFileSync(blob, content);
      assembly.push(`.global ${name}, ${name}_end`, `${name}: .incbin "${blob}"`, `${name}_end:`);
    }
  }
  assembly.push('.section .note.GNU-stack,"",%progbits');
  writeFileSync(join(out, 'assets.S'), `${assembly.join('\n')}\n`);
  writeFileSync(join(out, 'console_assets.inc'), `${table.join('\n')}\n\n`);
}
