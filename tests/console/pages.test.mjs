// Does every page look right, in both themes and at every width, to eyes and to a screen reader, and is
// it there at once?
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { colourRules, violations } from '../lib/axe.mjs';
import { Browser, close, settled, signIn } from '../lib/browser.mjs';
import { ConsoleSession } from '../lib/console.mjs';
import { Layouts, look } from '../lib/layout.mjs';
import { Server } from '../lib/server.mjs';
import { Tour } from '../lib/tour.mjs';

let tour;
let browser;
before(async () => {
  tour = await Tour.start();
  browser = await Browser.start();
});
after(async () => {
  await browser.stop();
  await tour.stop();
});

// Every stop of the tour, at each width: what axe says in both themes, what is cut off or overlaps, and
// whether the parts lie where they lay when somebody last looked (UPDATE_GOLDEN=1, then look at the PNGs
// that scripts/screenshots makes). What the other theme can do wrong is a colour; 1024 pixels bring
// nothing that 1440 and 420 do not have.
const looks = [
  { width: 1440, height: 900, themes: { light: undefined, dark: colourRules } },
  { width: 1024, height: 768, themes: {} },
  { width: 420, height: 800, themes: { dark: undefined } },
];
for (const { width, height, themes } of looks) {
  test(`every page, ${width} pixels wide`, { timeout: 240000 }, async () => {
    const layouts = new Layouts(path.join(path.dirname(new URL(import.meta.url).pathname), 'layout', `${width}.json`));
    await tour.walk(browser, { width, height }, async (page, { name, route }) => {
      const { problems, parts } = await look(page);
      assert.deepEqual(problems, [], name);
      layouts.check(tour.named(name), parts);
      for (const [colorScheme, rules] of Object.entries(themes)) {
        await page.emulateMedia({ colorScheme });
        assert.deepEqual(await violations(page, rules), [], `${name}, ${colorScheme}`);
      }
      if (route) assert.equal(await page.locator('[data-page] h1').count(), 1, name);
    });
    layouts.finish();
  });
}

test('the page that is open stays, and bears the pointer, until the next one has come', async () => {
  const page = await browser.open(tour.server, { route: '/kms/rotation' });
  await signIn(page);
  await settled(page, '/kms/rotation');
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  await page.route(/assets\/trail-.*\.js/, async (route) => {
    await released;
    await route.continue();
  });
  const asked = page.waitForRequest(/assets\/trail-.*\.js/);
  const chart = page.locator('svg[role=application]').first();
  await chart.hover();
  await page.goto(`${tour.server.url}/console/#/kms/trail`);
  await asked;
  const { x, y } = await chart.boundingBox();
  for (const way of [30, 60, -30]) await page.mouse.move(x + way, y + 60);
  assert.ok(await page.getByRole('heading', { name: 'Rotation dashboard' }).isVisible());
  release();
  await settled(page, '/kms/trail');
  await close(page);
});

// best: the shortest time of at most five, or the first that keeps the budget: what a machine does besides
// is not measured.
async function best(budget, measure) {
  let least = Infinity;
  for (let turn = 0; turn < 5 && least >= budget; ++turn) least = Math.min(least, await measure());
  return Math.round(least);
}

test('what a page weighs, and when it is first seen', async () => {
  const page = await browser.open(tour.server, { route: '/kms/keys' });
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
  const large = await Server.start();
  try {
    const session = await ConsoleSession.open(large.url);
    await session.makeKeys(10000);
    const page = await browser.open(large);
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
  } finally {
    await large.stop();
  }
});
