// Debian's Chromium on the console of a test server. A violation of the content security policy, an
// error of a script or a request to another origin fails the test that it happens in.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { credentials } from './server.mjs';

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    return browser;
  }

  // open returns a page with nothing of earlier ones, on the console's sign-in or a route of it.
  async open(server, { route = '', width = 1440, height = 900, colorScheme = 'light' } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, colorScheme,
      reducedMotion: 'reduce', locale: 'en-US', timezoneId: 'UTC', acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    page.problems = [];
    page.on('pageerror', (error) => page.problems.push(`script: ${error.stack}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(server.url) && !url.startsWith('blob:')) page.problems.push(`foreign: ${url}`);
    });
    await page.exposeFunction('reportViolation', (text) => page.problems.push(`policy: ${text}`));
    await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) =>
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`)));
    await page.goto(`${server.url}/console/${route && `#${route}`}`);
    return page;
  }

  async stop() {
    await this.chromium.close();
  }
}

export async function signIn(page, keys = credentials) {
  await page.getByLabel('Access key ID').fill(keys.accessKeyId);
  await page.getByLabel('Secret access key').fill(keys.secretAccessKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation').first().waitFor();
}

// settled waits until nothing is loading any more.
export async function settled(page) {
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.waitForFunction(() => !/Loading|Counting|Judging|Reading the trail|Asking the server/
    .test(document.querySelector('main')?.innerText ?? ''));
  // Charts measure their labels a frame after they are there, and stumble when they are gone by then.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100))));
}

export async function close(page) {
  const { problems } = page;
  await page.context().close();
  assert.deepEqual(problems, []);
}
