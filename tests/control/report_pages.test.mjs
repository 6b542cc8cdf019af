// Can the HTML reports be read in both themes, on a phone, by keyboard and screen reader, without a
// request to anybody? The pages are those of tests/golden.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'] });
});
after(() => browser.close());

const golden = (name) => new URL(`../golden/report/${name}`, import.meta.url);

// look opens a page for a theme; problems holds errors of scripts and every request but its own.
async function look(name, colorScheme) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, colorScheme,
    reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(60000);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  page.on('request', (request) => request.url() !== golden(name).href && page.problems.push(request.url()));
  await page.goto(golden(name).href);
  return page;
}

for (const name of ['audit.html', 'audit-fleet.html', 'trend.html']) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${name} in ${colorScheme}, wide and on a phone`, async () => {
      const page = await look(name, colorScheme);
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(background, colorScheme === 'dark' ? 'rgb(14, 17, 21)' : 'rgb(245, 246, 248)');
      for (const width of [1280, 420]) {
        await page.setViewportSize({ width, height: 900 });
        // What is wide scrolls in its own frame, the page never.
        const [client, scroll] = await page.evaluate(() => [document.documentElement.clientWidth,
          document.documentElement.scrollWidth]);
        assert.ok(scroll <= client, `the page is ${scroll} px wide on ${client}`);
        // SHOTS=DIR keeps pictures, for eyes.
        if (process.env.SHOTS) {
          await page.screenshot({ fullPage: true, path: `${process.env.SHOTS}/${name}-${colorScheme}-${width}.png` });
        }
      }
      // Of the fleet's page only what the other one has not: all of it would take a minute.
      const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] });
      // A theme changes colours, and nothing else.
      if (colorScheme === 'dark') axe.withRules(['color-contrast']);
      if (name === 'audit-fleet.html') axe.include('section:has(#coverage-h)');
      const { violations } = await axe.analyze();
      assert.deepEqual(violations.map(({ id, nodes }) =>
        `${id}: ${nodes.map(({ html }) => html).join(' ').slice(0, 400)}`), []);
      assert.deepEqual(page.problems, []);
      await page.context().close();
    });
  }
}

test('the matrix of a fleet says in words what it shows in signs', async () => {
  const page = await browser.newPage();
  await page.goto(golden('audit-fleet.html').href);
  const cells = await page.locator('.matrix tbody tr').evaluateAll((rows) => rows.map((row) =>
    [row.cells[0].innerText.split('\n')[0], [...row.cells].slice(1).map((cell) => cell.title)]));
  assert.ok(cells.length > 3);
  assert.ok(cells.every(([account]) => /^\d{12}$/.test(account)));
  const words = cells.flatMap(([, titles]) => titles).join('|');
  for (const part of ['failing', 'not judged', 'denied', 'not enabled', 'excepted', 'none failing', 'nothing to judge']) {
    assert.ok(words.includes(part), part);
  }
  await page.close();
});
