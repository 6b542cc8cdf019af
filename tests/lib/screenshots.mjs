// scripts/screenshots: pictures of the console. Those of the README, of a small fleet; or with --all
// every stop of the tour.
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Browser, close, signIn } from './browser.mjs';
import { ConsoleSession } from './console.mjs';
import { Server } from './server.mjs';
import { Tour } from './tour.mjs';

const all = process.argv[2] === '--all';
const out = process.argv.at(-1);
mkdirSync(out, { recursive: true });
const browser = await Browser.start();

async function shoot(page, name) {
  const file = path.join(out, `${name}.png`);
  await page.screenshot({ path: file });
  console.log(`${file} ${statSync(file).size} bytes`);
}

// fleet makes keys as an account of some years has them, and returns the id of one.
async function fleet(session) {
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
  await rotate(ids.global, 365);
  await make('frankfurt', {}, 'eu-central-1');
  await session.call('DisableKey', { KeyId: ids.reports });
  return ids.payments;
}

async function readme() {
  const server = await Server.start();
  const key = await fleet(await ConsoleSession.open(server.url));
  const page = await browser.open(server, { width: 1280, height: 800 });
  await signIn(page);
  await page.go('/kms/rotation');
  await shoot(page, 'console-dashboard');
  await page.go(`/kms/keys/${key}/keyRotation`);
  await shoot(page, 'console-key-rotation');
  await close(page);
  await server.stop();
}

async function everything() {
  const tour = await Tour.start();
  // A walk for each theme: one that changes under an open menu would move the menu.
  for (const [width, height] of [[1440, 900], [1024, 768], [420, 800]]) {
    for (const colorScheme of ['light', 'dark']) {
      await tour.walk(browser, { width, height, colorScheme }, async (page, { name, route, act }) => {
        // The whole page by a window as high as it is: taken beyond the window, parts lie where they never do.
        if (route && !act) await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
        await page.waitForTimeout(100);
        await shoot(page, `${tour.named(name).replaceAll(/[^A-Za-z0-9]+/g, '-')}-${width}-${colorScheme}`);
        await page.setViewportSize({ width, height });
      });
    }
  }
  await tour.stop();
}

await (all ? everything() : readme());
await browser.stop();
