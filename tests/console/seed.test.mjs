// Can the control's console steps be done in the console to the letter, over every matching key, and
// taken back? Read back with the SDK.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateKeyCommand, DisableKeyCommand, EnableKeyRotationCommand, GetKeyRotationStatusCommand, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import { Browser, close, settled, signIn } from '../lib/browser.mjs';
import { Server } from '../lib/server.mjs';

const checkbox = 'Automatically rotate this KMS key every year';
let server;
let browser;
let client;
let page;
const off = [];
let on;
// Symmetric keys that cannot have automatic rotation now, and what the console says.
const unable = {};

before(async () => {
  server = await Server.start();
  browser = await Browser.start();
  client = server.client();
  const make = async (input = {}) => (await client.send(new CreateKeyCommand(input))).KeyMetadata.KeyId;
  for (let i = 0; i < 3; ++i) off.push(await make());
  off.push(await make({ MultiRegion: true }));
  on = await make();
  await client.send(new EnableKeyRotationCommand({ KeyId: on }));
  const [disabled, leaving] = [await make(), await make()];
  await client.send(new DisableKeyCommand({ KeyId: disabled }));
  await client.send(new ScheduleKeyDeletionCommand({ KeyId: leaving, PendingWindowInDays: 7 }));
  unable[disabled] = 'The key is Disabled.';
  unable[leaving] = 'The key is PendingDeletion.';
  unable[await make({ Origin: 'EXTERNAL' })] = 'Imported key material does not rotate automatically. Import new material and rotate on demand.';
  await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  await make({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  page = await browser.open(server);
  await signIn(page);
});
after(async () => {
  await close(page);
  await browser.stop();
  await server.stop();
});

const status = (KeyId) => client.send(new GetKeyRotationStatusCommand({ KeyId }));

// openKeys clicks Customer-managed keys in the left navigation pane.
async function openKeys() {
  await page.getByRole('navigation', { name: 'Services' }).getByRole('link', { name: 'Customer-managed keys', exact: true }).click();
  await settled(page, '/kms/keys');
}

// symmetricKeys reads the ids of the rows whose Key spec is SYMMETRIC_DEFAULT.
async function symmetricKeys() {
  const rows = page.getByRole('table', { name: 'Customer-managed keys' }).getByRole('row')
    .filter({ hasText: 'SYMMETRIC_DEFAULT' });
  const ids = [];
  for (const row of await rows.all()) ids.push((await row.textContent()).match(/mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}/)[0]);
  return ids;
}

async function openRotation(id) {
  await openKeys();
  await page.getByRole('link', { name: id }).click();
  await page.getByRole('tab', { name: 'Key rotation' }).click();
  await settled(page, `/kms/keys/${id}/keyRotation`);
  return page.getByRole('checkbox', { name: checkbox });
}

test('test plan: every symmetric key says whether it rotates', async () => {
  await openKeys();
  const ids = await symmetricKeys();
  assert.deepEqual([...ids].sort(), [...off, on, ...Object.keys(unable)].sort());
  for (const id of ids) {
    const box = await openRotation(id);
    assert.equal(await box.isChecked(), id === on, id);
  }
});

test('implementation: check the box and save, row by row', async () => {
  await openKeys();
  for (const id of await symmetricKeys()) {
    const box = await openRotation(id);
    const save = page.getByRole('button', { name: 'Save' });
    if (unable[id]) {
      assert.equal(await save.getAttribute('aria-disabled'), 'true', id);
      await save.hover();
      await page.getByText(unable[id]).locator('visible=true').first().waitFor();
      continue;
    }
    if (await box.isChecked()) continue;
    await box.check();
    await Promise.all([page.waitForResponse(/call\/EnableKeyRotation/), save.click()]);
    await page.getByText('This key rotates automatically every 365 days.').first().waitFor();
    const seen = await status(id);
    assert.equal(seen.KeyRotationEnabled, true);
    assert.equal(seen.RotationPeriodInDays, 365);
  }
  for (const id of [...off, on]) assert.equal((await status(id)).KeyRotationEnabled, true);
  for (const id of Object.keys(unable)) assert.equal((await status(id)).KeyRotationEnabled, false);
  await openKeys();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByText('Compliant').nth(4).waitFor();
  assert.equal(await page.getByText('Rotation off', { exact: true }).count(), 0);
});

test('back-out: uncheck the box, justify, save', async () => {
  const [id] = off;
  const box = await openRotation(id);
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
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('a period of one\'s own, and rotation on demand', async () => {
  await openRotation(on);
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
});

test('many keys at once, from the list', async () => {
  await openKeys();
  await page.getByRole('button', { name: 'View' }).click();
  await page.getByRole('option', { name: 'Rotation off' }).click();
  await page.getByRole('checkbox', { name: 'Select all keys of this page' }).first().focus();
  await page.keyboard.press('Space');
  await page.getByRole('button', { name: 'Key actions' }).click();
  await page.getByRole('menuitem', { name: 'Turn on automatic rotation' }).click();
  await page.getByText('(1/5)').first().waitFor();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('button', { name: 'Next', exact: true }).click();
  await page.getByRole('heading', { name: 'Keys that will be changed (1)' }).waitFor();
  await page.getByRole('button', { name: 'Turn on rotation' }).click();
  await page.getByText('1 changed, 1 read back as wanted, 0 not changed').first().waitFor();
  for (const id of off) assert.equal((await status(id)).KeyRotationEnabled, true);
});
