// scripts/screenshots: a server with a small fleet, and pictures of its console.
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Browser, close, settled, signIn } from './browser.mjs';
import { ConsoleSession } from './console.mjs';
import { Server } from './server.mjs';

const all = process.argv[2] === '--all';
const out = process.argv.at(-1);
mkdirSync(out, { recursive: true });

const server = await Server.start();
const session = await ConsoleSession.open(server.url);
const ids = {};
const make = async (name, input = {}, region = 'us-east-1') => {
  const headers = { 'x-keyturn-region': region };
  const { KeyMetadata } = (await session.call('CreateKey', input, { headers })).json;
  ids[name] = KeyMetadata.KeyId;
  await session.call('CreateAlias', { AliasName: `alias/${name}`, TargetKeyId: KeyMetadata.KeyId }, { headers });
  return KeyMetadata;
};
const rotate = (KeyId, RotationPeriodInDays) => session.call('EnableKeyRotation', { KeyId, RotationPeriodInDays });

for (const name of ['payments', 'invoices', 'archive', 'sessions', 'backups', 'mail', 'search', 'reports', 'exports', 'ledger', 'tokens', 'uploads']) {
  const { KeyId } = await make(name, { Description: `Data of ${name}`, Tags: [{ TagKey: 'team', TagValue: name.length > 6 ? 'blue' : 'green' }] });
  if (name !== 'exports' && name !== 'uploads') await rotate(KeyId, name === 'archive' ? 730 : 90 + 30 * name.length);
}
for (let i = 0; i < 3; ++i) await session.call('RotateKeyOnDemand', { KeyId: ids.payments });
await session.call('RotateKeyOnDemand', { KeyId: ids.invoices });
await make('signing', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
await make('imported', { Origin: 'EXTERNAL' });
await make('global', { MultiRegion: true });
await make('frankfurt', {}, 'eu-central-1');
await session.call('CreateGrant', { KeyId: ids.payments, Operations: ['Encrypt', 'Decrypt'], GranteePrincipal: 'arn:aws:iam::111122223333:user/admin' });
await session.call('DisableKey', { KeyId: ids.reports });
const { json: { Keys } } = await session.send('GET', 'keys');
const arnOf = (name) => Keys.find((key) => key.KeyId === ids[name]).Arn;
const job = await session.send('POST', 'jobs', { body: JSON.stringify({ Enabled: true, Justification: 'Control 3.8, yearly review', Keys: [arnOf('global'), arnOf('ledger')] }) });
ids.job = job.json.JobId;

const tabs = { payments: ['keyPolicy', 'cryptographicConfiguration', 'tags', 'keyRotation', 'aliases', 'grants'], signing: ['publicKey'], imported: ['keyMaterial'], global: ['regionality'] };
const routes = all
  ? ['', '/kms/keys', '/kms/defaultKeys', '/kms/keys/create', '/kms/custom-key-stores', '/kms/external-key-stores', '/kms/rotation', '/kms/rotation/enable',
    '/kms/rotation/disable', '/kms/rotation/history', '/kms/rotation/evidence', `/kms/rotation/jobs/${ids.job}`, '/kms/trail',
    ...Object.entries(tabs).flatMap(([name, list]) => list.map((tab) => `/kms/keys/${ids[name]}/${tab}`))]
  : ['/kms/rotation', `/kms/keys/${ids.payments}/keyRotation`];
const views = all
  ? [[1440, 900, 'light'], [1440, 900, 'dark'], [1024, 768, 'light'], [420, 800, 'light'], [420, 800, 'dark']]
  : [[1280, 800, 'light']];
const fileOf = (route) => Object.entries(ids).reduce((text, [name, id]) => text.replace(id, name), route).replace(/^\/kms\//, '').replaceAll('/', '-') || 'sign-in';

const browser = await Browser.start();
for (const [width, height, colorScheme] of views) {
  const page = await browser.open(server, { width, height, colorScheme });
  await page.getByLabel('Access key ID').waitFor();
  let signedIn = false;
  for (const route of routes) {
    if (route) {
      if (!signedIn) await signIn(page);
      signedIn = true;
      await page.goto(`${server.url}/console/#${route}`);
      await settled(page);
    }
    const names = { '/kms/rotation': 'console-dashboard' };
    const file = path.join(out, all ? `${fileOf(route)}-${width}-${colorScheme}.png` : `${names[route] ?? 'console-key-rotation'}.png`);
    await page.screenshot({ path: file, fullPage: all });
    console.log(`${file} ${statSync(file).size} bytes`);
  }
  await close(page);
}
await browser.stop();
await server.stop();
