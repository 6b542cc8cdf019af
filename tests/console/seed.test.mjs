// Can the control's console steps be done in the console to the letter, over every matching key, and
// taken back? Read back with the SDK.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateKeyCommand, EnableKeyRotationCommand, GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import { Browser, close, signIn } from '../lib/browser.mjs';
import { Server } from '../lib/server.mjs';

const checkbox = 'Automatically rotate this KMS key every year';
let server;
let browser;
let client;
const off = [];
let on;

before(async () => {
  server = await Server.start();
  browser = await Browser.start();
  client = server.client();
  const make = async (input = {}) => (await client.send(new CreateKeyCommand(input))).KeyMetadata.KeyId;
  for (let i = 0; i < 3; ++i) off.push(await make());
  on = await make();
  await client.send(new EnableKeyRotationCommand({ KeyId: on }));
  await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
});
after(async () => {
  await browser.stop();
  await server.stop();
});

const status = (KeyId) => client.send(new GetKeyRotationStatusCommand({ KeyId }));

// openKeys clicks Customer-managed keys in the left navigation pane.
async function openKeys(page) {
  await page.getByRole('navigation', { name: 'Services' }).getByRole('link', { name: 'Customer-managed keys', exact: true }).click();
  await page.getByRole('table', { name: 'Customer-managed keys' }).getByRole('row').nth(1).waitFor();
}

// symmetricKeys reads the ids of the rows whose Key spec is SYMMETRIC_DEFAULT.
async function symmetricKeys(page) {
  const rows = page.getByRole('table', { name: 'Customer-managed keys' }).getByRole('row')
    .filter({ hasText: 'SYMMETRIC_DEFAULT' });
  const ids = [];
  for (const row of await rows.all()) ids.push((await row.textContent()).match(/[0-9a-f]{8}-[0-9a-f-]{27}/)[0]);
  return ids;
}

async function openRotation(page, id) {
  await openKeys(page);
  await page.getByRole('link', { name: id }).click();
  await page.getByRole('tab', { name: 'Key rotation' }).click();
  await page.getByRole('button', { name: 'Rotate now' }).and(page.locator(':enabled')).waitFor();
  return page.getByRole('checkbox', { name: checkbox });
}

test('test plan: every symmetric key says whether it rotates', async () => {
  const page = await browser.open(server);
  await signIn(page);
  await openKeys(page);
  const ids = await symmetricKeys(page);
  assert.deepEqual([...ids].sort(), [...off, on].sort());
  for (const id of ids) {
    const box = await openRotation(page, id);
    assert.equal(await box.isChecked(), id === on, id);
  }
  await close(page);
});

test('implementation: check the box and save, row by row', async () => {
  const page = await browser.open(server);
  await signIn(page);
  await openKeys(page);
  for (const id of await symmetricKeys(page)) {
    const box = await openRotation(page, id);
    if (await box.isChecked()) continue;
    await box.check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('This key rotates automatically every 365 days.').first().waitFor();
    const seen = await status(id);
    assert.equal(seen.KeyRotationEnabled, true);
    assert.equal(seen.RotationPeriodInDays, 365);
  }
  await openKeys(page);
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByText('Compliant').nth(3).waitFor();
  assert.equal(await page.getByText('Rotation off', { exact: true }).count(), 0);
  await close(page);
});

test('back-out: uncheck the box, justify, save', async () => {
  const page = await browser.open(server);
  await signIn(page);
  const [id] = off;
  const box = await openRotation(page, id);
  await box.uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  const dialog = page.getByRole('dialog', { name: 'Turn off automatic rotation' });
  assert.equal(await dialog.getByRole('button', { name: 'Turn off' }).isEnabled(), false);
  await dialog.getByLabel('Justification').fill('Change 4711: überfällig, "zurück"');
  await dialog.getByRole('button', { name: 'Turn off' }).click();
  await page.getByText('Automatic rotation is off for this key.').first().waitFor();
  assert.equal((await status(id)).KeyRotationEnabled, false);
  await page.goto(`${server.url}/console/#/kms/trail?operation=DisableKeyRotation`);
  await page.getByRole('link', { name: 'DisableKeyRotation: show the record' }).click();
  const record = JSON.parse(await page.getByRole('dialog').locator('pre').textContent());
  assert.deepEqual(record.additionalEventData, { justification: 'Change 4711: überfällig, "zurück"' });
  assert.match(record.resources[0].ARN, new RegExp(id));
  await close(page);
});

test('a period of one\'s own, and rotation on demand', async () => {
  const page = await browser.open(server);
  await signIn(page);
  await openRotation(page, on);
  const period = page.getByLabel('Rotation period (in days)');
  await period.fill('89');
  await page.getByText('Enter a number of days from 90 to 2560.').first().waitFor();
  await page.getByRole('button', { name: 'Save' }).click();
  assert.equal((await status(on)).RotationPeriodInDays, 365);
  await period.fill('90');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('This key rotates automatically every 90 days.').first().waitFor();
  assert.equal((await status(on)).RotationPeriodInDays, 90);
  await page.getByRole('button', { name: 'Rotate now' }).click();
  await page.getByRole('button', { name: 'Rotate key' }).click();
  await page.getByText('24 of 25 on-demand rotations remain.').waitFor();
  await page.getByRole('heading', { name: 'Key materials (2)' }).waitFor();
  await close(page);
});

test('many keys at once, from the list', async () => {
  const page = await browser.open(server);
  await signIn(page);
  await openKeys(page);
  await page.getByRole('button', { name: 'View' }).click();
  await page.getByRole('option', { name: 'Rotation off' }).click();
  await page.getByRole('checkbox', { name: 'Select all keys of this page' }).first().focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Key actions' }).click();
  await page.getByRole('menuitem', { name: 'Turn on automatic rotation' }).click();
  await page.getByText('(1/4)').first().waitFor();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('heading', { name: 'Keys that will be changed (1)' }).waitFor();
  await page.getByRole('button', { name: 'Turn on rotation' }).click();
  await page.getByText('1 changed, 1 read back as wanted, 0 not changed').first().waitFor();
  for (const id of off) assert.equal((await status(id)).KeyRotationEnabled, true);
  await close(page);
});
