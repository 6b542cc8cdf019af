// The console's own arithmetic, without a browser: signatures, months, CSV. Vite compiles it as it
// does for the pages.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../console');
let vite;
before(async () => {
  const { createServer } = await import(pathToFileURL(createRequire(path.join(root, 'build.mjs')).resolve('vite')));
  vite = await createServer({ root, configFile: false, logLevel: 'error', appType: 'custom', server: { middlewareMode: true, ws: false, watch: null } });
});
after(() => vite.close());

test('the sign-in is signed as AWS\'s own signer signs it', async () => {
  const { sign } = await vite.ssrLoadModule('/src/sigv4.ts');
  globalThis.location = { host: 'kms.example:8443' };
  const credentials = { accessKeyId: 'AKIAKEYTURNTESTS0000', secretAccessKey: 'secret/with+signs=', sessionToken: 'token==' };
  for (const sessionToken of [undefined, 'token==']) {
    const keys = { ...credentials, sessionToken };
    const now = new Date('2026-03-01T09:08:07Z');
    const mine = await sign('/console/api/sign-in', 'eu-central-1', keys, now);
    const signer = new SignatureV4({ credentials: keys, region: 'eu-central-1', service: 'keyturn-console', sha256: Sha256, applyChecksum: false });
    const { headers } = await signer.sign({ method: 'POST', protocol: 'https:', hostname: 'kms.example', port: 8443, path: '/console/api/sign-in',
      query: {}, body: mine.body, headers: { host: 'kms.example:8443', 'content-type': 'application/json' } }, { signingDate: now });
    const signatureOf = (all) => /Signature=([0-9a-f]{64})$/.exec(all.authorization)[1];
    assert.equal(signatureOf(mine.headers), signatureOf(headers));
    assert.equal(mine.headers['x-amz-date'], '20260301T090807Z');
  }
  const two = await Promise.all([1, 2].map(() => sign('/', 'r', credentials, new Date(0))));
  assert.notEqual(two[0].headers.authorization, two[1].headers.authorization, 'a signature of the same second is another one');
});

test('months count in UTC, and a date on a border once', async () => {
  const { months, countByMonth } = await vite.ssrLoadModule('/src/rotation/months.ts');
  const seconds = (text) => Date.parse(text) / 1000;
  assert.equal(months(seconds('2026-11-25T00:00:00Z'), 0, 13).at(-1).toISOString(), '2027-11-01T00:00:00.000Z');
  const starts = months(seconds('2026-11-30T23:59:59Z'), -11);
  assert.equal(starts.length, 12);
  assert.equal(starts[0].toISOString(), '2025-12-01T00:00:00.000Z');
  assert.equal(starts[11].toISOString(), '2026-11-01T00:00:00.000Z');
  const dates = ['2025-11-30T23:59:59Z', '2025-12-01T00:00:00Z', '2026-02-28T23:59:59Z', '2026-03-01T00:00:00Z', '2026-11-30T23:59:59Z', '2026-12-01T00:00:00Z'];
  assert.deepEqual(countByMonth(dates.map(seconds), starts).map(({ y }) => y), [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
});

test('CSV quotes every field, and none of them is a formula', async () => {
  const { csv } = await vite.ssrLoadModule('/src/csv.ts');
  assert.equal(csv([['a"b', undefined, 7], ['=1+1', '+x', '-x', '@x', '\tx', '\rx', 'x=1']]),
    '"a""b","","7"\r\n"\'=1+1","\'+x","\'-x","\'@x","\'\tx","\'\rx","x=1"');
});
