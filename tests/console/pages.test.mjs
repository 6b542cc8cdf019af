// Does every page look right, in both themes and at every width, to eyes and to a screen reader?
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { colourRules, violations } from '../lib/axe.mjs';
import { Browser, close, settled, signIn } from '../lib/browser.mjs';
import { Layouts, look } from '../lib/layout.mjs';
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
