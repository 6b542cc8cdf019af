// Can everybody use the console: by keyboard alone, in their own language and time, with few rights or
// none, on a server that is empty or slow, and after the session has ended?
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { violations } from '../lib/axe.mjs';
import { Browser, close, settled, signIn } from '../lib/browser.mjs';
import { Clock } from '../lib/clock.mjs';
import { person, putPolicy } from '../lib/people.mjs';
import { Server, credentials } from '../lib/server.mjs';
import { Tour } from '../lib/tour.mjs';

let tour;
let server;
let browser;
let ids;
before(async () => {
  tour = await Tour.start();
  ({ server, ids } = tour);
  browser = await Browser.start();
});
after(async () => {
  await browser.stop();
  await tour.stop();
});

const minute = 60 * 1000;
const shows = (page, text) => page.locator('[data-page]').getByText(text).locator('visible=true').first().waitFor();

// reach presses a key until the focus is on what it looks for.
async function reach(page, wanted, key = 'Tab') {
  for (let pressed = 0; pressed < 60; ++pressed) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${key} does not reach ${wanted}`);
}

test('by keyboard alone: a wrong secret, signing in, the steps of the control, signing out', async () => {
  const page = await browser.open(server, { route: '/kms/keys' });
  await page.getByLabel('Access key ID').waitFor();
  await page.keyboard.type(credentials.accessKeyId);
  await page.keyboard.press('Tab');
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('The secret access key does not belong to this access key.').waitFor();
  await reach(page, page.getByLabel('Secret access key'), 'Shift+Tab');
  await page.keyboard.press('Control+A');
  await page.keyboard.type(credentials.secretAccessKey);
  await page.keyboard.press('Enter');
  await settled(page, '/kms/keys');

  await reach(page, page.getByRole('link', { name: ids.still }));
  await page.keyboard.press('Enter');
  await settled(page, `/kms/keys/${ids.still}`);
  assert.ok(await page.evaluate(() => document.activeElement.contains(document.querySelector('h1'))), 'readers are taken to the new page');
  assert.equal(await page.evaluate(() => scrollY), 0);
  await reach(page, page.getByRole('tab', { name: 'Key policy' }));
  for (let right = 0; right < 3; ++right) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await settled(page, `/kms/keys/${ids.still}/keyRotation`);
  const box = page.getByRole('checkbox', { name: 'Automatically rotate this KMS key every year' });
  await reach(page, box);
  await page.keyboard.press('Space');
  assert.equal(await box.isChecked(), true);
  await reach(page, page.getByRole('button', { name: 'Save' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByText('This key rotates automatically every 365 days.').first().waitFor();
  const status = await tour.session.call('GetKeyRotationStatus', { KeyId: ids.still });
  assert.equal(status.json.KeyRotationEnabled, true);
  await tour.session.call('DisableKeyRotation', { KeyId: ids.still });

  await reach(page, page.getByRole('button', { name: /admin/ }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Light mode' }).waitFor();
  for (const key of ['ArrowDown', 'ArrowDown', 'Enter']) await page.keyboard.press(key);
  await page.getByText('You are signed out.').waitFor();
  await page.reload();
  await page.getByLabel('Access key ID').waitFor();
  await close(page);
});

test('the secret does not leave the page, and nothing of it stays', async () => {
  const page = await browser.open(server);
  const sent = [];
  page.on('request', (request) => sent.push(JSON.stringify([request.url(), request.headers(), request.postData()])));
  await signIn(page);
  assert.ok(sent.length > 0);
  assert.ok(sent.every((text) => !text.includes(credentials.secretAccessKey)));
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!kept.includes(credentials.secretAccessKey) && !kept.includes('__Host-'), kept);
  await close(page);
});

test('an idle session is warned, ends, and goes on on the same page; failed sign-ins are slowed down', async () => {
  const clock = await Clock.make();
  const other = await Server.start({ env: clock.env });
  try {
    const page = await browser.open(other, { route: '/kms/trail', clock: true });
    await signIn(page);
    await settled(page, '/kms/trail');
    await page.clock.fastForward(14 * minute + 10000);
    await page.getByText('You will be signed out in a minute unless you go on.').first().waitFor();
    await clock.move(16 * minute);
    await page.clock.fastForward(2 * minute);
    await page.getByText(/^Your session has ended/).waitFor();
    await signIn(page);
    await settled(page, '/kms/trail');
    await clock.move(16 * minute);
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByText('Your session has ended. Sign in again to go on where you were.').waitFor();
    for (let failed = 0; failed < 6; ++failed) {
      await page.getByLabel('Access key ID').fill(credentials.accessKeyId);
      await page.getByLabel('Secret access key').fill(`wrong ${failed}`);
      const answer = page.waitForResponse(/sign-in/);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await answer;
    }
    await page.getByText('Too many sign-ins have failed. Wait a minute and try again.').waitFor();
    await close(page);
  } finally {
    await other.stop();
    await clock.remove();
  }
});

test('signing out everywhere ends the other window, too', async () => {
  const keys = await person(server, 'mover', [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }]);
  const [one, two] = [await browser.open(server), await browser.open(server)];
  for (const page of [one, two]) await signIn(page, keys);
  await one.getByRole('button', { name: /mover/ }).click();
  await one.getByRole('menuitem', { name: 'Sign out everywhere' }).click();
  await one.getByText('You are signed out everywhere.').waitFor();
  // A page that is still asking finds out without being told to.
  const ended = two.getByText('Your session has ended. Sign in again to go on where you were.');
  await Promise.any([two.getByRole('button', { name: 'Refresh' }).click(), ended.waitFor()]);
  await ended.waitFor();
  await close(one);
  await close(two);
});

// What changes nothing on the server; everything else must be disabled for who may only read.
const harmless = new RegExp(`^(${['Refresh', 'CSV', 'JSON', 'HTML report', 'Print', 'Evidence', 'History', 'Next', 'Previous', 'Cancel',
  'Filter', 'Explain', 'Download', 'Preferences', 'Previous page', 'Next page', 'Page \\d+ of all pages', 'Clear filters?',
  'Choose file'].join('|')})$`);

test('who may only read sees on every page what they may not do disabled, with the reason', async () => {
  const keys = await person(server, 'auditor', [{ Effect: 'Allow', Resource: '*',
    Action: ['kms:List*', 'kms:Describe*', 'kms:GetKeyPolicy', 'kms:GetKeyRotationStatus', 'kms:GetPublicKey', 'keyturn:LookupEvents'] }]);
  const page = await browser.open(server, { route: '/kms/keys' });
  await signIn(page, keys);
  await settled(page, '/kms/keys');
  const expected = {
    '/kms/keys': ['Create key'],
    '/kms/rotation': ['Turn on rotation'],
    [`/kms/rotation/jobs/${ids.job}`]: ['Back out'],
    [`/kms/keys/${ids.still}/keyPolicy`]: ['Edit'],
    [`/kms/keys/${ids.rotating}/tags`]: ['Add tag', 'Remove tag team'],
    [`/kms/keys/${ids.still}/keyRotation`]: ['Save', 'Rotate now'],
    [`/kms/keys/${ids.rotating}/aliases`]: ['Create alias', 'Delete alias/rotating'],
    [`/kms/keys/${ids.rotating}/grants`]: ['Create grant', `Revoke grant billing (${ids.grant})`],
    [`/kms/keys/${ids.imported}/keyMaterial`]: ['Delete key material', 'Download wrapping key', 'Import key material'],
    [`/kms/keys/${ids.global}/regionality`]: ['Create replica'],
  };
  for (const [route, names] of Object.entries(expected)) {
    await page.go(route);
    const buttons = await page.locator('[data-page] button').evaluateAll((all) => all.filter((each) => each.checkVisibility() && !each.ariaHasPopup && each.role !== 'tab').map((each) => ({
      name: each.getAttribute('aria-label') ?? each.innerText.trim(),
      disabled: each.disabled || each.getAttribute('aria-disabled') === 'true',
      reason: (each.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent ?? '').join(' '),
    })));
    const reasoned = buttons.filter(({ disabled, reason }) => disabled && /not authorized|who asked for the job|of these keys/.test(reason)).map(({ name }) => name);
    assert.deepEqual(names.filter((name) => !reasoned.includes(name)), [], `${route}: ${JSON.stringify(buttons)}`);
    const free = buttons.filter(({ disabled, name }) => !disabled && !harmless.test(name)).map(({ name }) => name);
    assert.deepEqual(free, [], route);
  }
  for (const route of ['/kms/keys/create', '/kms/rotation/enable']) {
    await page.go(route);
    await shows(page, /not authorized to perform:? kms:(CreateKey|EnableKeyRotation)/);
  }
  await page.getByLabel('Find keys').fill(ids.still);
  assert.equal(await page.getByRole('checkbox', { name: `Select ${ids.still}` }).isEnabled(), false);
  await page.go('/kms/rotation/disable');
  await shows(page, 'No job has changed anything that could be taken back.');
  await page.go(`/kms/keys/${ids.still}/keyPolicy`);
  await page.getByRole('button', { name: 'Key actions' }).click();
  for (const name of ['Disable', 'Schedule key deletion']) {
    const item = page.getByRole('menuitem', { name, exact: true });
    assert.equal(await item.getAttribute('aria-disabled'), 'true', name);
    await item.hover();
    await page.getByText(/not authorized to perform: kms:/).locator('visible=true').first().waitFor();
  }
  await close(page);
});

test('who may do less still sees on every page why, with the id of the request, and can try again', async () => {
  const may = (...actions) => [{ Effect: 'Allow', Action: actions, Resource: '*' }];
  const keys = await person(server, 'guest', may('kms:DescribeKey'));
  const page = await browser.open(server, { route: '/kms/keys', colorScheme: 'dark' });
  await signIn(page, keys);
  const tab = (name, id) => `/kms/keys/${ids[name]}/${id}`;
  for (const route of ['/kms/keys', '/kms/custom-key-stores', '/kms/rotation', '/kms/rotation/enable', '/kms/rotation/history', '/kms/rotation/evidence',
    `/kms/rotation/jobs/${ids.job}`, '/kms/trail', tab('still', 'keyPolicy'), tab('still', 'tags'), tab('still', 'keyRotation'), tab('still', 'aliases'),
    tab('still', 'grants'), tab('signing', 'publicKey')]) {
    await page.go(route);
    await shows(page, /Request ID: [0-9a-f-]{36}/);
    assert.deepEqual(await violations(page), [], route);
  }
  await putPolicy(server, 'guest', may('kms:DescribeKey', 'kms:GetPublicKey'));
  await page.getByRole('button', { name: 'Retry' }).first().click();
  await shows(page, /BEGIN PUBLIC KEY/);
  // Of a list, a part: the rest is told.
  const { json: { KeyMetadata: { Arn } } } = await tour.session.call('DescribeKey', { KeyId: ids.still });
  await putPolicy(server, 'guest', [...may('kms:ListKeys'), { Effect: 'Allow', Action: 'kms:DescribeKey', Resource: Arn }]);
  await page.go('/kms/keys');
  await shows(page, /^\d+ more keys are not yours to see\.$/);
  await page.getByRole('link', { name: ids.still }).waitFor();
  await page.go('/kms/rotation');
  await shows(page, /keys of this account are not yours to see and not counted/);
  await close(page);
});

test('a server without keys says so on every page, and one that is slow that it is at work', async () => {
  const other = await Server.start();
  const page = await browser.open(other, { colorScheme: 'dark' });
  await signIn(page);
  const empty = { '/kms/keys': 'No keys', '/kms/defaultKeys': 'AWS managed keys are made by services, not by you.', '/kms/custom-key-stores': /^No key stores/,
    '/kms/rotation': 'Every key that must rotate does.', '/kms/rotation/enable': 'Every key that must rotate does.',
    '/kms/rotation/disable': 'No job has changed anything that could be taken back.', '/kms/rotation/history': 'No jobs', '/kms/rotation/evidence': '(0)',
    '/kms/trail?operation=None': 'No calls match' };
  for (const [route, text] of Object.entries(empty)) {
    await page.go(route);
    await shows(page, text);
    assert.deepEqual(await violations(page), [], route);
  }
  await page.route(/console\/api\//, () => {});
  const slow = { '/kms/keys': 'Loading keys', '/kms/external-key-stores': 'Loading key stores', '/kms/rotation': 'Counting', '/kms/rotation/enable': 'Loading keys',
    '/kms/rotation/disable': 'Loading jobs', '/kms/rotation/history': 'Loading jobs', '/kms/rotation/evidence': 'Loading keys', '/kms/trail': 'Reading the trail' };
  for (const [route, text] of Object.entries(slow)) {
    await page.goto(`${other.url}/console/#${route}`);
    await page.locator(`[data-page="${route}"]`).getByText(text).locator('visible=true').first().waitFor();
  }
  await page.unroute(/console\/api\//);
  await other.stop();
  await page.goto(`${other.url}/console/#/kms/keys`);
  await shows(page, 'The server could not be reached.');
  await close(page);
});

test('dates are the reader\'s, with UTC at hand', async () => {
  const page = await browser.open(server, { route: `/kms/keys/${ids.rotating}/keyRotation`, locale: 'de-DE', timezoneId: 'Asia/Tokyo' });
  await signIn(page);
  await settled(page);
  const times = await page.locator('time').evaluateAll((all) => all.map((each) => [each.textContent, each.title, each.dateTime]));
  assert.ok(times.length >= 5);
  for (const [text, title, iso] of times) {
    const format = (options) => new Intl.DateTimeFormat('de-DE', { timeZone: 'Asia/Tokyo', dateStyle: 'medium', ...options }).format(new Date(iso));
    assert.ok([format(), format({ timeStyle: 'short' })].includes(text), `${text} of ${iso}`);
    assert.equal(title, `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`);
  }
  await close(page);
});
