// Can rotation be turned on for all keys that need it, followed, taken back and proven, in the
// browser, and does what is under way survive the browser and the server?
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Browser, close, signIn } from '../lib/browser.mjs';
import { ConsoleSession } from '../lib/console.mjs';
import { person } from '../lib/people.mjs';
import { Server, credentials } from '../lib/server.mjs';

let server;
let browser;
let session;
const fleet = { off: [], long: '', other: '' };

before(async () => {
  server = await Server.start();
  browser = await Browser.start();
  session = await ConsoleSession.open(server.url);
  const make = async (input = {}, options = {}) => (await session.call('CreateKey', input, options)).json.KeyMetadata;
  for (let i = 0; i < 30; ++i) fleet.off.push((await make()).KeyId);
  fleet.long = (await make()).KeyId;
  await session.call('EnableKeyRotation', { KeyId: fleet.long, RotationPeriodInDays: 730 });
  await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  const headers = { 'x-keyturn-region': 'eu-west-1' };
  fleet.other = (await make({}, { headers })).KeyId;
});
after(async () => {
  await browser.stop();
  await server.stop();
});

const status = async (KeyId, region = 'us-east-1') =>
  (await session.call('GetKeyRotationStatus', { KeyId }, { headers: { 'x-keyturn-region': region } })).json;
const next = (page) => page.getByRole('button', { name: 'Next', exact: true }).click();
const jobOf = (page) => page.url().match(/jobs\/([0-9a-f-]{36})/)[1];

async function confirmSecret(page, name, button) {
  const dialog = page.getByRole('dialog', { name });
  const secret = dialog.getByLabel('Secret access key');
  if (await secret.count()) await secret.fill(credentials.secretAccessKey);
  await dialog.getByRole('button', { name: button }).click();
}

test('choose, justify, review, turn on, and read the results after a reload', async () => {
  const page = await browser.open(server, { route: '/kms/rotation' });
  await signIn(page);
  await page.getByRole('button', { name: 'Turn on rotation' }).click();
  await page.getByText('(32/32)').first().waitFor();
  await next(page);
  await page.getByLabel('Rotation period (in days)').fill('89');
  await next(page);
  await page.getByText('Enter a number of days from 90 to 2560.').first().waitFor();
  await page.getByLabel('Rotation period (in days)').fill('365');
  await page.getByLabel(/^Justification/).fill('Control 3.8');
  await next(page);
  await page.getByRole('heading', { name: 'Keys that will be changed (32)' }).waitFor();
  assert.equal((await status(fleet.off[0])).KeyRotationEnabled, false);
  await page.getByRole('button', { name: 'Turn on rotation' }).click();
  await page.getByText('32 changed, 32 read back as wanted, 0 not changed').first().waitFor();
  await page.reload();
  await page.getByText('32 changed, 32 read back as wanted, 0 not changed').first().waitFor();
  await page.getByRole('table').getByText('Control 3.8').waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const csv = await readFile(await (await download).path(), 'utf8');
  assert.equal(csv.split('\r\n').length, 33);
  for (const id of fleet.off) {
    assert.equal((await status(id)).RotationPeriodInDays, 365);
    assert.ok(csv.includes(id));
  }
  assert.equal((await status(fleet.long)).RotationPeriodInDays, 365);
  assert.equal((await status(fleet.other, 'eu-west-1')).KeyRotationEnabled, true);
  await page.goto(`${server.url}/console/#/kms/rotation`);
  await page.getByText('100%', { exact: true }).first().waitFor();
  await page.getByText('Every key that must rotate does.').locator('visible=true').first().waitFor();
  await close(page);
});

test('back-out: a reason, a typed word and the secret; what was there before is there again', async () => {
  const page = await browser.open(server, { route: '/kms/rotation/history' });
  await signIn(page);
  await page.getByRole('link', { name: 'Turn on, every 365 days' }).click();
  await page.getByRole('button', { name: 'Back out' }).click();
  await page.getByRole('heading', { name: 'Why this is justified' }).waitFor();
  await next(page);
  await page.getByText('Say why it is justified.').first().waitFor();
  await page.getByRole('textbox', { name: 'Justification' }).fill('Ticket 12');
  await page.getByLabel('To confirm, type "back out"').fill('back');
  await next(page);
  await page.getByText('Type "back out".').first().waitFor();
  await page.getByLabel('To confirm, type "back out"').fill('back out');
  await next(page);
  await page.getByRole('heading', { name: 'Keys that will be changed (32)' }).waitFor();
  await page.getByRole('button', { name: 'Take back', exact: true }).click();
  await confirmSecret(page, 'Back out', 'Take back');
  await page.getByText('32 changed, 32 read back as wanted, 0 not changed').first().waitFor();
  await page.getByRole('heading', { name: 'Taking back: turn on, every 365 days' }).waitFor();
  assert.equal((await status(fleet.off[0])).KeyRotationEnabled, false);
  assert.equal((await status(fleet.long)).RotationPeriodInDays, 730);
  assert.equal((await status(fleet.other, 'eu-west-1')).KeyRotationEnabled, false);
  const [record] = (await session.send('GET', `trail?operation=DisableKeyRotation&key-id=${fleet.off[0]}`)).json.Records;
  assert.deepEqual(record.additionalEventData, { jobId: jobOf(page), justification: 'Ticket 12' });
  await close(page);
});

test('chosen keys of the list are turned off, and a job can be cancelled and taken up from its page', async () => {
  for (const KeyId of fleet.off) await session.call('EnableKeyRotation', { KeyId });
  const page = await browser.open(server, { route: '/kms/keys' });
  await signIn(page);
  await page.getByRole('checkbox', { name: `Select ${fleet.off[0]}` }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Key actions' }).click();
  await page.getByRole('menuitem', { name: 'Turn off automatic rotation' }).click();
  await page.getByText('(1/31)').first().waitFor();
  await next(page);
  await page.getByRole('textbox', { name: 'Justification' }).fill('Ticket 13');
  await page.getByLabel('To confirm, type "back out"').fill('back out');
  await next(page);
  await page.getByRole('heading', { name: 'Keys that will be changed (1)' }).waitFor();
  await page.getByRole('button', { name: 'Turn off rotation' }).click();
  await confirmSecret(page, 'Back out', 'Turn off rotation');
  await page.getByText('1 changed, 1 read back as wanted, 0 not changed').first().waitFor();
  assert.equal((await status(fleet.off[0])).KeyRotationEnabled, false);
  await close(page);
});

test('a job waits for its owner, says so on its page, and goes on after the sign-in', async () => {
  const keys = await person(server, 'worker', [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }]);
  const worker = await ConsoleSession.open(server.url, { keys });
  const { json: { Keys } } = await worker.send('GET', 'keys');
  const arns = Keys.filter((key) => fleet.off.includes(key.KeyId)).map((key) => key.Arn);
  // A job at work when the server is killed is waiting afterwards, however far it was.
  const { json: { JobId } } = await worker.send('POST', 'jobs', { body: JSON.stringify({ Enabled: true, PeriodInDays: 400, Keys: arns }) });
  await worker.send('POST', `jobs/${JobId}/cancel`);
  await worker.send('POST', 'sign-out');
  const page = await browser.open(server, { route: `/kms/rotation/jobs/${JobId}` });
  await signIn(page);
  const goOn = page.getByRole('button', { name: 'Go on' });
  // Cancelled between two keys it waits; a fast server may have been done before.
  const done = page.getByText('30 changed, 30 read back as wanted, 0 not changed');
  await goOn.or(done).first().waitFor();
  if (await goOn.count()) await goOn.click();
  await done.first().waitFor();
  await close(page);
  assert.equal((await status(fleet.off[3])).RotationPeriodInDays, 400);
});

test('evidence: the control\'s own report, its digest in the trail, and a page to print', async () => {
  const page = await browser.open(server, { route: '/kms/rotation/evidence' });
  await signIn(page);
  for (const [name, check] of [
    ['JSON', (text) => assert.equal(JSON.parse(text).keys.length, 33)],
    ['CSV', (text) => assert.equal(text.trim().split('\r\n').length, 34)],
    ['HTML report', (text) => assert.match(text, /<!doctype html>/i)],
  ]) {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name, exact: true }).click();
    const text = await readFile(await (await download).path(), 'utf8');
    check(text);
    const digest = createHash('sha256').update(text).digest('hex');
    await page.getByText(digest).waitFor();
    const [record] = (await session.send('GET', 'trail?operation=GetRotationEvidence&limit=1')).json.Records;
    assert.equal(record.additionalEventData.sha256, digest);
  }
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('navigation', { name: 'Services' }).isVisible(), false);
  assert.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false);
  assert.ok((await page.pdf()).length > 10000);
  await close(page);
});

test('who may only read sees what many keys need, and may not do it, with the reason', async () => {
  await session.call('DisableKeyRotation', { KeyId: fleet.off[1] });
  const keys = await person(server, 'reader', [{ Effect: 'Allow', Resource: '*', Action: ['kms:List*', 'kms:Describe*', 'kms:Get*'] }]);
  const page = await browser.open(server, { route: '/kms/rotation' });
  await signIn(page, keys);
  const turnOn = page.getByRole('button', { name: 'Turn on rotation' });
  await page.waitForFunction(() => [...document.querySelectorAll('button')].some((each) =>
    each.textContent.startsWith('Turn on rotation') && each.getAttribute('aria-disabled') === 'true'));
  await turnOn.hover();
  await page.getByText('You are not authorized to perform kms:EnableKeyRotation on any of these keys.').locator('visible=true').first().waitFor();
  await page.goto(`${server.url}/console/#/kms/rotation/enable`);
  await page.getByText('You are not authorized to perform kms:EnableKeyRotation on some of these keys.').waitFor();
  await page.getByLabel('Find keys').fill(fleet.off[1]);
  assert.equal(await page.getByRole('checkbox', { name: `Select ${fleet.off[1]}` }).isEnabled(), false);
  await close(page);
});
