// What a page weighs, when it is first seen, and how long ten thousand keys take. Times: nothing runs beside it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, close, settled, signIn } from '../lib/browser.mjs';
import { ConsoleSession } from '../lib/console.mjs';
import { Server } from '../lib/server.mjs';

let server;
let browser;
before(async () => {
  server = await Server.start();
  browser = await Browser.start();
});
after(async () => {
  await browser.stop();
  await server.stop();
});

// best: the shortest time of at most five, or the first that keeps the budget: what a machine does besides
// is not measured.
async function best(budget, measure) {
  let least = Infinity;
  for (let turn = 0; turn < 5 && least >= budget; ++turn) least = Math.min(least, await measure());
  return Math.round(least);
}

test('what a page weighs, and when it is first seen', async () => {
  await (await ConsoleSession.open(server.url)).makeKeys(10);
  const page = await browser.open(server, { route: '/kms/keys' });
  // A font of the first visit may be under way still; only the second one counts.
  await page.getByLabel('Access key ID').waitFor();
  await page.waitForLoadState('networkidle');
  const tools = await page.context().newCDPSession(page);
  await tools.send('Network.setCacheDisabled', { cacheDisabled: true });
  const paint = await best(600, async () => {
    await page.reload();
    await page.getByLabel('Access key ID').waitFor();
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0);
    return page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  });
  let bytes = 0;
  page.on('response', (response) => {
    if (!response.url().includes('/console/api/')) bytes += Number(response.headers()['content-length']);
  });
  await page.reload();
  await page.getByLabel('Access key ID').waitFor();
  await page.waitForLoadState('networkidle');
  const signInBytes = bytes;
  await signIn(page);
  await settled(page, '/kms/keys');
  const listBytes = bytes;
  console.log(`sign-in ${signInBytes} bytes, key list ${listBytes} bytes, first paint ${paint} ms`);
  assert.ok(signInBytes < 190_000, `sign-in: ${signInBytes}`);
  assert.ok(listBytes < 500_000, `key list: ${listBytes}`);
  assert.ok(paint < 600, `first paint: ${paint}`);
  await close(page);
});

test('ten thousand keys: listed, judged and usable within a second', { timeout: 200000 }, async () => {
  const session = await ConsoleSession.open(server.url);
  await session.makeKeys(9990);
  const page = await browser.open(server);
  await signIn(page);
  await settled(page, '/kms/keys');
  const answer = await best(0, async () => {
    const begin = performance.now();
    await session.send('GET', 'keys');
    return performance.now() - begin;
  });
  // Of the second the server may take 400 ms, which it does when it is released; one that is built for
  // debugging takes longer, and is counted as if it did.
  const budget = 600 + (process.env.KEYTURN_RELEASE ? 400 : Math.max(400, answer));
  const took = await best(budget, () => page.evaluate(async () => {
    const loading = () => document.querySelector('[data-page]').innerText.includes('Loading keys');
    const once = (wanted) => new Promise((resolve) => {
      const look = () => (loading() === wanted ? resolve() : requestAnimationFrame(look));
      look();
    });
    const begin = performance.now();
    document.querySelector('[data-page] [aria-label=Refresh]').click();
    await once(true);
    await once(false);
    return performance.now() - begin;
  }));
  console.log(`10,000 keys listed in ${took} ms, of which the server ${answer} ms`);
  assert.ok(took < budget, `${took} ms`);
  await page.getByRole('checkbox', { name: /Select all/ }).focus();
  await page.keyboard.press('Space');
  await page.getByText('(50/10000)').waitFor();
  await close(page);
});
