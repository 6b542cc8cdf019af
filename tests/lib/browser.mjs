// Debian's Chromium on the console of a test server. A violation of the content security policy, an
// error of a script or a request to another origin fails the test that it happens in.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { credentials } from './server.mjs';

// watch runs in every page before its own scripts: it reports violations, and counts the requests that
// are under way.
function watch() {
  addEventListener('securitypolicyviolation', (event) =>
    window.reportViolation(`${event.violatedDirective} ${event.blockedURI}`));
  window.underWay = 0;
  for (const [owner, name] of [[window, 'fetch'], [Response.prototype, 'text']]) {
    const original = owner[name];
    owner[name] = function counted(...all) {
      ++window.underWay;
      return original.apply(this, all).finally(() => { --window.underWay; });
    };
  }
}

export class Browser {
  // Of every page that was opened, whether its test closed it or not.
  problems = [];

  static async start() {
    const browser = new Browser();
    browser.chromium = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage'] });
    return browser;
  }

  // open returns a page with nothing of earlier ones, on the console's sign-in or a route of it. With
  // clock, page.clock moves its time.
  async open(server, { route = '', width = 1440, height = 900, clock = false, ...options } = {}) {
    const context = await this.chromium.newContext({ viewport: { width, height }, colorScheme: 'light',
      reducedMotion: 'reduce', locale: 'en-US', timezoneId: 'UTC', acceptDownloads: true, ...options });
    const page = await context.newPage();
    if (clock) await page.clock.install();
    page.setDefaultTimeout(15000);
    page.problems = [];
    const problem = (text) => {
      page.problems.push(text);
      this.problems.push(text);
    };
    page.on('pageerror', (error) => problem(`script: ${error.stack}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(server.url) && !url.startsWith('blob:')) problem(`foreign: ${url}`);
    });
    await page.exposeFunction('reportViolation', (text) => problem(`policy: ${text}`));
    await page.addInitScript(watch);
    page.go = async (to) => {
      await page.goto(`${server.url}/console/#${to}`);
      await settled(page, to);
    };
    await page.goto(`${server.url}/console/${route && `#${route}`}`);
    return page;
  }

  async stop() {
    await this.chromium.close();
    assert.deepEqual(this.problems, []);
  }
}

export async function signIn(page, keys = credentials) {
  await page.getByLabel('Access key ID').fill(keys.accessKeyId);
  await page.getByLabel('Secret access key').fill(keys.secretAccessKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation').first().waitFor();
}

// settled waits until the page of a route has come and nothing is loading any more.
export async function settled(page, route) {
  await page.waitForFunction((wanted) => {
    const shown = document.querySelector('[data-page]');
    window.quiet = shown?.querySelector('h1') && (!wanted || shown.dataset.page === wanted) && window.underWay === 0
      && !/Loading|Counting|Judging|Reading the trail|Asking the server/.test(shown.innerText) ? (window.quiet ?? 0) + 1 : 0;
    // Charts measure their labels a frame after they are there.
    return window.quiet > 3;
  }, route);
}

export async function close(page) {
  const { problems } = page;
  await page.context().close();
  assert.deepEqual(problems, []);
}
