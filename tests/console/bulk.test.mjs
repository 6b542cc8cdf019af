// Can rotation be turned on for all keys that need it, followed, taken back and proven, in the
// browser, and does what is under way survive the browser and the server?
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Browser, close, signIn } from '../lib/browser.mjs';
import { ConsoleSession } from '../lib/console.mjs';
import { admin, person } from '../lib/people.mjs';
import { Server, credentials } from '../lib/server.mjs';

let server;
let browser;
let session;
let page;
const fleet = { off: [], long: '', other: '' };

before(async () => {
  server = await Server.start();
  browser = await Browser.start();
  session = await ConsoleSession.open(server.url);
  const make = async (input = {}, options = {}) => (await session.call('CreateKey', input, options)).json.KeyMetadata;
  fleet.off.push(...(await session.makeKeys(30)).map((arn) => arn.split('/').pop()));
  fleet.long = (await make()).KeyId;
  await session.call('EnableKeyRotation', { KeyId: fleet.long, RotationPeriodInDays: 730 });
  await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  const headers = { 'x-keyturn-region': 'eu-west-1' };
  fleet.other = (await make({}, { headers })).KeyId;
  page = await browser.open(server);
  await signIn(page);
});
after(async () => {
  await close(page);
  await browser.stop();
  await server.stop();
});

const status = async (KeyId, region = 'us-east-1') =>
  (await session.call('GetKeyRotationStatus', { KeyId }, { headers: { 'x-keyturn-region': region } })).json;
const next = (on = page) => on.getByRole('button', { name: 'Next', exact: true }).click();
const jobOf = (on = page) => on.url().match(/jobs\/([0-9a-f-]{36})/)[1];

async function confirmSecret(name, button) {
  const dialog = page.getByRole('dialog', { name });
  const secret = dialog.getByLabel('Secret access key');
  if (await secret.count()) await secret.fill(credentials.secretAccessKey);
  await dialog.getByRole('button', { name: button }).click();
}

test('choose, justify, review, turn on, and read the results after a reload', async () => {
  await page.go('/kms/rotation');
  await page.getByRole('button', { name: 'Turn on rotation' }).click();
  await page.getByText('(32/32)').first().waitFor();
  await next();
  await page.getByLabel('Rotation period (in days)').fill('89');
  await next();
  await page.getByText('Enter a number of days from 90 to 2560.').first().waitFor();
  await page.getByLabel('Rotation period (in days)').fill('365');
  await page.getByLabel(/^Justification/).fill('Control 3.8');
  await next();
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
});

test('back-out: a reason, a typed word and the secret; what was there before is there again', async () => {
  await page.go('/kms/rotation/history');
  await page.getByRole('link', { name: 'Turn on, every 365 days' }).click();
  await page.getByRole('button', { name: 'Back out' }).click();
  await page.getByRole('heading', { name: 'Why this is justified' }).waitFor();
  await next();
  await page.getByText('Say why it is justified.').first().waitFor();
  await page.getByRole('textbox', { name: 'Justification' }).fill('Ticket 12');
  await page.getByLabel('To confirm, type "back out"').fill('back');
  await next();
  await page.getByText('Type "back out".').first().waitFor();
  await page.getByLabel('To confirm, type "back out"').fill('back out');
  await next();
  await page.getByRole('heading', { name: 'Keys that will be changed (32)' }).waitFor();
  await page.getByRole('button', { name: 'Take back', exact: true }).click();
  await confirmSecret('Back out', 'Take back');
  await page.getByText('32 changed, 32 read back as wanted, 0 not changed').first().waitFor();
  await page.getByRole('heading', { name: 'Taking back: turn on, every 365 days' }).waitFor();
  assert.equal((await status(fleet.off[0])).KeyRotationEnabled, false);
  assert.equal((await status(fleet.long)).RotationPeriodInDays, 730);
  assert.equal((await status(fleet.other, 'eu-west-1')).KeyRotationEnabled, false);
  const [record] = (await session.send('GET', `trail?operation=DisableKeyRotation&key-id=${fleet.off[0]}`)).json.Records;
  assert.deepEqual(record.additionalEventData, { jobId: jobOf(), justification: 'Ticket 12' });
});

test('chosen keys of the list are turned off, and a job can be cancelled and taken up from its page', async () => {
  for (const KeyId of fleet.off) await session.call('EnableKeyRotation', { KeyId });
  await page.go('/kms/keys');
  await page.getByRole('checkbox', { name: `Select ${fleet.off[0]}` }).focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Key actions' }).click();
  await page.getByRole('menuitem', { name: 'Turn off automatic rotation' }).click();
  await page.getByText('(1/31)').first().waitFor();
  await next();
  await page.getByRole('textbox', { name: 'Justification' }).fill('Ticket 13');
  await page.getByLabel('To confirm, type "back out"').fill('back out');
  await next();
  await page.getByRole('heading', { name: 'Keys that will be changed (1)' }).waitFor();
  await page.getByRole('button', { name: 'Turn off rotation' }).click();
  await confirmSecret('Back out', 'Turn off rotation');
  await page.getByText('1 changed, 1 read back as wanted, 0 not changed').first().waitFor();
  assert.equal((await status(fleet.off[0])).KeyRotationEnabled, false);
});

// One job over 2,000 keys, begun in the browser, and everything in its way that can be.
test('2,000 keys: a sign-out, a lost access key, a cancel, a crash and a restart, and each key is changed once', { timeout: 240000 }, async () => {
  const other = await Server.start();
  try {
    const all = await ConsoleSession.open(other.url);
    const keys = await person(other, 'bulk', [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }]);
    const spare = await admin(other, 'access-key', 'create', '--user', 'bulk');
    const keysOfSpare = { accessKeyId: spare.AccessKeyId, secretAccessKey: spare.SecretAccessKey };
    const arns = await all.makeKeys(2000);
    const own = await browser.open(other, { route: '/kms/rotation/enable' });
    await signIn(own, keys);
    await own.getByText('(2000/2000)').first().waitFor();
    await next(own);
    await own.getByLabel(/^Justification/).fill('Control 3.8');
    await next(own);
    await own.getByRole('heading', { name: 'Keys that will be changed (2000)' }).waitFor();
    await own.getByRole('button', { name: 'Turn on rotation' }).click();
    await own.waitForURL(/jobs\//);
    const id = jobOf(own);

    // Whatever stops it, the job waits for its owner, and the page shows where it was when they are back.
    let done = 0;
    const progressed = async (who) => { done = (await who.jobOnce(id, (job) => job.Counts.Done > done)).Counts.Done; };
    const stopped = async (who, state, reason) => {
      const job = await who.jobOnce(id, ({ State }) => State === state);
      assert.ok(job.Counts.Done < 2000, 'it was stopped in the middle');
      if (reason) assert.match(job.Reason, reason);
      done = job.Counts.Done;
    };
    const back = async (credentialsNow) => {
      await own.getByText(/^Your session has ended/).waitFor();
      await signIn(own, credentialsNow);
    };

    const mine = await ConsoleSession.open(other.url, { keys });
    await progressed(all);
    await mine.send('POST', 'sign-out-everywhere');
    await stopped(all, 'WAITING', /user\/bulk is not signed in\. The job goes on when they sign in again\./);
    await back(keys);

    await progressed(all);
    await admin(other, 'access-key', 'delete', '--id', keys.accessKeyId);
    await stopped(all, 'WAITING', /inactive or deleted/);
    await back(keysOfSpare);

    await progressed(all);
    const again = await ConsoleSession.open(other.url, { keys: keysOfSpare });
    assert.equal((await again.send('POST', `jobs/${id}/cancel`)).status, 200);
    await stopped(all, 'CANCELLED');
    assert.equal((await again.send('POST', `jobs/${id}/cancel`)).status, 400);
    await own.getByRole('button', { name: 'Go on' }).click();

    for (const signal of ['SIGKILL', 'SIGTERM']) {
      const watching = await ConsoleSession.open(other.url);
      await progressed(watching);
      await other.kill(signal);
      await own.getByText('The server could not be reached. The job does not depend on this page.').waitFor();
      await other.launch({ samePort: true });
      await stopped(await ConsoleSession.open(other.url), 'WAITING');
      await back(keysOfSpare);
    }

    await own.getByText('2000 changed, 2000 read back as wanted, 0 not changed').first().waitFor({ timeout: 90000 });
    await close(own);
    const session2 = await ConsoleSession.open(other.url);
    const job = await session2.job(id);
    assert.deepEqual(job.Counts, { Keys: 2000, Done: 2000, Unchanged: 0, Refused: 0, Failed: 0, Pending: 0, Verified: 2000 });
    assert.deepEqual(job.Lines.map((line) => line.Arn).sort(), [...arns].sort());
    const { json: { Keys } } = await session2.send('GET', 'keys');
    assert.ok(Keys.every((key) => key.Verdict === 'PASS' && key.Rotation.PeriodInDays === 365));
    const changes = (await session2.records('operation=EnableKeyRotation')).filter((record) => !record.errorCode);
    assert.deepEqual(changes.map((record) => record.resources[0].ARN).sort(), [...arns].sort(), 'each key was changed once, whatever happened');
    assert.ok(changes.every((record) => record.additionalEventData.jobId === id && record.additionalEventData.justification === 'Control 3.8'));
  } finally {
    await other.stop();
  }
});

test('evidence: the control\'s own report, its digest in the trail, and a page to print', async () => {
  await page.go('/kms/rotation/evidence');
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
});
