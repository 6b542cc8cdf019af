// Does what the console offers for a key happen to the key? Each step is read back with the SDK.
import assert from 'node:assert/strict';
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Browser, close, settled, signIn } from '../lib/browser.mjs';
import { Server, credentials } from '../lib/server.mjs';

let server;
let browser;
let client;
let page;
before(async () => {
  server = await Server.start();
  browser = await Browser.start();
  client = server.client();
  page = await browser.open(server, { route: '/kms/keys' });
  await signIn(page);
});
after(async () => {
  await close(page);
  await browser.stop();
  await server.stop();
});

const create = async (input = {}) => (await client.send(new kms.CreateKeyCommand(input))).KeyMetadata.KeyId;
const describe = async (KeyId) => (await client.send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata;
const press = (name) => page.getByRole('button', { name, exact: true }).click();
const told = (text) => page.getByText(text).first().waitFor();
async function choose(item) {
  await press('Key actions');
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}
// confirm answers a dialog; the secret is asked for when it has not been given in the last minutes.
async function confirm(name, button) {
  const dialog = page.getByRole('dialog', { name });
  const secret = dialog.getByLabel('Secret access key');
  if (await secret.count()) await secret.fill(credentials.secretAccessKey);
  await dialog.getByRole('button', { name: button }).click();
  await dialog.waitFor({ state: 'detached' });
}

test('a key is created with rotation on, and deleted with the secret, and restored', async () => {
  await page.go('/kms/keys/create');
  await press('Next');
  await page.getByLabel(/^Alias/).fill('made-here');
  assert.equal(await page.getByRole('checkbox', { name: /Automatically rotate/ }).isChecked(), true);
  await press('Next');
  await press('Create key');
  await told(/The key [0-9a-f-]{36} is created\./);
  const id = page.url().match(/keys\/([0-9a-f-]{36})/)[1];
  assert.equal((await describe('alias/made-here')).KeyId, id);
  assert.equal((await client.send(new kms.GetKeyRotationStatusCommand({ KeyId: id }))).KeyRotationEnabled, true);

  await choose('Schedule key deletion');
  const dialog = page.getByRole('dialog', { name: 'Schedule key deletion' });
  await dialog.getByLabel('Waiting period (in days)').fill('7');
  await dialog.getByLabel('Secret access key').fill('wrong');
  await dialog.getByRole('button', { name: 'Schedule deletion' }).click();
  await dialog.getByText('The secret access key does not belong to this access key.').waitFor();
  assert.equal((await describe(id)).KeyState, 'Enabled');
  await confirm('Schedule key deletion', 'Schedule deletion');
  await told('This key is pending deletion');
  assert.equal((await describe(id)).KeyState, 'PendingDeletion');
  await choose('Cancel key deletion');
  await told('The deletion is cancelled.');
  assert.equal((await describe(id)).KeyState, 'Disabled');
  await choose('Enable');
  await told(/is enabled/);
  assert.equal((await describe(id)).KeyState, 'Enabled');
});

test('keys are disabled and enabled from the list, and a link to another filter counts on it', async () => {
  const ids = [await create(), await create()];
  await page.go('/kms/keys');
  const select = async () => {
    for (const id of ids) {
      await page.getByRole('checkbox', { name: `Select ${id}` }).focus();
      await page.keyboard.press('Space');
    }
  };
  await select();
  await choose('Disable');
  await confirm('Disable keys', 'Disable');
  await told('2 keys disabled.');
  for (const id of ids) assert.equal((await describe(id)).KeyState, 'Disabled');
  await select();
  await choose('Enable');
  await told('2 keys enabled.');
  for (const id of ids) assert.equal((await describe(id)).KeyState, 'Enabled');
  await page.go('/kms/keys?verdict=PASS');
  assert.equal(await page.getByRole('link', { name: ids[0] }).count(), 0);
  await page.go('/kms/keys?verdict=FAIL');
  await page.getByRole('link', { name: ids[0] }).waitFor();
});

test('aliases, tags and grants are made and taken away', async () => {
  const KeyId = await create();
  await page.go(`/kms/keys/${KeyId}/aliases`);
  await press('Create alias');
  await page.getByRole('dialog').getByLabel('Alias').fill('by/hand');
  await press('Create');
  await page.getByRole('button', { name: 'Delete alias/by/hand' }).waitFor();
  assert.equal((await describe('alias/by/hand')).KeyId, KeyId);
  await press('Delete alias/by/hand');
  await page.getByRole('dialog', { name: 'Delete alias' }).getByText(/by alias\/by\/hand will fail/).waitFor();
  assert.equal((await describe('alias/by/hand')).KeyId, KeyId);
  await confirm('Delete alias', 'Delete');
  await told('No aliases');

  await page.getByRole('tab', { name: 'Tags' }).click();
  await press('Add tag');
  await page.getByLabel('Tag key').fill('team');
  await page.getByLabel('Tag value').fill('blue');
  await press('Add');
  await page.getByRole('button', { name: 'Remove tag team' }).waitFor();
  const tags = async () => (await client.send(new kms.ListResourceTagsCommand({ KeyId }))).Tags;
  assert.deepEqual(await tags(), [{ TagKey: 'team', TagValue: 'blue' }]);
  await press('Remove tag team');
  await told('No tags');
  assert.deepEqual(await tags(), []);

  await page.getByRole('tab', { name: 'Grants' }).click();
  await press('Create grant');
  const grantee = 'arn:aws:iam::111122223333:user/admin';
  await page.getByLabel('Grantee principal').fill(grantee);
  await page.getByRole('button', { name: /Operations/ }).click();
  for (const name of ['Encrypt', 'DescribeKey']) await page.getByRole('option', { name, exact: true }).click();
  await page.keyboard.press('Escape');
  await press('Create');
  await page.getByRole('button', { name: /^Revoke grant / }).waitFor();
  const grants = async () => (await client.send(new kms.ListGrantsCommand({ KeyId }))).Grants;
  assert.deepEqual((await grants()).map((grant) => [grant.GranteePrincipal, [...grant.Operations].sort()]), [[grantee, ['DescribeKey', 'Encrypt']]]);
  const { GrantId } = await client.send(new kms.CreateGrantCommand({ KeyId, Name: 'billing', GranteePrincipal: grantee,
    Operations: ['Decrypt'], Constraints: { EncryptionContextSubset: { department: 'it', stage: 'b' } } }));
  await press('Refresh');
  const row = page.getByRole('row').filter({ hasText: 'billing' });
  await row.getByText('EncryptionContextSubset: department = it, stage = b').waitFor();
  await row.getByRole('button', { name: `Revoke grant billing (${GrantId})` }).click();
  const dialog = page.getByRole('dialog', { name: 'Revoke grant' });
  await dialog.getByText(`The grant billing (${GrantId}) will no longer allow ${grantee}: Decrypt.`).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await grants()).length, 2);
  for (const each of await grants()) {
    await press(`Revoke grant ${each.Name ? `${each.Name} (${each.GrantId})` : each.GrantId}`);
    await confirm('Revoke grant', 'Revoke');
  }
  await told('No grants');
  assert.deepEqual(await grants(), []);
});

test('Refresh shows what others have changed on a tab, and leaves what is being written', async () => {
  const KeyId = await create();
  await client.send(new kms.EnableKeyRotationCommand({ KeyId }));
  await page.go(`/kms/keys/${KeyId}/keyRotation`);
  const box = page.getByRole('checkbox', { name: /Automatically rotate/ });
  assert.equal(await box.isChecked(), true);
  await client.send(new kms.DisableKeyRotationCommand({ KeyId }));
  await press('Refresh');
  await box.and(page.locator(':not(:checked)')).waitFor();
  await box.check();
  await choose('Disable');
  await told('The key is disabled.');
  await settled(page);
  assert.equal(await box.isChecked(), true, 'what is not saved outlives a change of something else');

  await page.getByRole('tab', { name: 'Tags' }).click();
  await told('No tags');
  await client.send(new kms.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'team', TagValue: 'red' }] }));
  const { Policy } = await client.send(new kms.GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }));
  const policy = JSON.parse(Policy);
  policy.Statement.push({ Effect: 'Deny', Principal: '*', Action: 'kms:TagResource', Resource: '*' });
  await client.send(new kms.PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy: JSON.stringify(policy) }));
  await press('Refresh');
  await page.getByRole('button', { name: 'Remove tag team' }).waitFor();
  await page.getByRole('button', { name: 'Add tag' }).and(page.locator('[aria-disabled=true]')).waitFor();

  await page.getByRole('tab', { name: 'Key policy' }).click();
  await press('Edit');
  const text = page.getByLabel('Policy document');
  await text.fill('{"Version": "2012-10-17"}');
  await client.send(new kms.PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy }));
  await choose('Enable');
  await told('The key is enabled.');
  await press('Refresh');
  await settled(page);
  assert.equal(await text.inputValue(), '{"Version": "2012-10-17"}');
  await press('Cancel');
  await page.getByText('kms:TagResource').first().waitFor();
  assert.equal(await page.locator('pre').filter({ hasText: 'Deny' }).count(), 0);
});

test('what was done to a key is not told on the page of another one', async () => {
  const [one, other] = [await create(), await create()];
  await page.go(`/kms/keys/${one}/tags`);
  await choose('Disable');
  await told('The key is disabled.');
  await page.go(`/kms/keys/${other}/tags`);
  assert.equal(await page.getByText('The key is disabled.').count(), 0);
});

test('keys that infrastructure code owns are not chosen for rotation by themselves', async () => {
  const owned = await create({ Tags: [{ TagKey: 'ManagedBy', TagValue: 'terraform' }] });
  const free = await create();
  await page.go('/kms/rotation/enable');
  await told('Owned by Terraform (tag ManagedBy=terraform): change it there, or its next run may undo this.');
  const chosen = (id) => page.getByRole('checkbox', { name: `Select ${id}` }).isChecked();
  assert.deepEqual([await chosen(owned), await chosen(free)], [false, true]);
  // Who chooses it in the list knows what they do.
  await page.go('/kms/keys');
  await page.getByRole('checkbox', { name: `Select ${owned}` }).focus();
  await page.keyboard.press('Space');
  await choose('Turn on automatic rotation');
  await page.getByRole('checkbox', { name: `Select ${owned}` }).and(page.locator(':checked')).waitFor();
});

test('a policy is edited; one that is none is refused before, one that locks out by the server; a decision is explained', async () => {
  const KeyId = await create();
  await page.go(`/kms/keys/${KeyId}/keyPolicy`);
  const policy = async () => JSON.parse((await client.send(new kms.GetKeyPolicyCommand({ KeyId, PolicyName: 'default' }))).Policy);
  const before_ = await policy();
  await press('Edit');
  const text = page.getByLabel('Policy document');
  await text.fill('{"Version":');
  await told(/^This is not JSON/);
  assert.equal(await page.getByRole('button', { name: 'Save changes' }).isEnabled(), false);
  await text.fill(JSON.stringify({ Version: '2012-10-17', Statement: [] }));
  await press('Save changes');
  await told('The key policy was not changed');
  await page.getByText(/Request ID: [0-9a-f-]{36}/).first().waitFor();
  assert.deepEqual(await policy(), before_);
  const deny = { Sid: 'NoTags', Effect: 'Deny', Principal: '*', Action: 'kms:TagResource', Resource: '*' };
  await text.fill(JSON.stringify({ ...before_, Statement: [...before_.Statement, deny] }));
  await press('Save changes');
  await told('The key policy is changed.');
  assert.equal((await policy()).Statement.length, before_.Statement.length + 1);
  await page.getByRole('button', { name: /^Operation/ }).click();
  await page.getByRole('option', { name: 'TagResource', exact: true }).click();
  await press('Explain');
  const statements = page.getByRole('table', { name: 'Statements' });
  await statements.getByRole('row', { name: /NoTags.*Deny.*Yes/ }).waitFor();
  await page.getByRole('tab', { name: 'Tags' }).click();
  await page.getByRole('button', { name: 'Add tag' }).and(page.locator('[aria-disabled=true]')).waitFor();
});

test('key material is wrapped elsewhere, imported until a day, and deleted', async () => {
  const KeyId = await create({ Origin: 'EXTERNAL' });
  await page.go(`/kms/keys/${KeyId}/keyMaterial`);
  await page.getByRole('button', { name: /RSA_4096/ }).click();
  await page.getByRole('option', { name: 'RSA_2048', exact: true }).click();
  const download = page.waitForEvent('download');
  await press('Download wrapping key');
  const key = createPublicKey({ key: await readFile(await (await download).path()), format: 'der', type: 'spki' });
  const wrapped = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, randomBytes(32));
  await page.locator('input[type=file]').setInputFiles({ name: 'wrapped.bin', mimeType: 'application/octet-stream', buffer: wrapped });
  const day = new Date(Date.now() + 100 * 24 * 3600 * 1000).toISOString().slice(0, 10);
  await page.getByLabel(/^3\. Expires on/).fill(day);
  await press('Import key material');
  await told('The key material is imported.');
  const imported = await describe(KeyId);
  assert.equal(imported.KeyState, 'Enabled');
  assert.equal(imported.ValidTo.toISOString(), `${day}T00:00:00.000Z`);
  await settled(page);
  await press('Delete key material');
  await confirm('Delete key material', 'Delete');
  await told('The key material is deleted.');
  assert.equal((await describe(KeyId)).KeyState, 'PendingImport');
});

test('a multi-Region key is replicated', async () => {
  const KeyId = await create({ MultiRegion: true });
  await page.go(`/kms/keys/${KeyId}/regionality`);
  await page.getByRole('textbox', { name: 'Region' }).fill('eu-west-1');
  await press('Create replica');
  await told('The key is replicated to eu-west-1.');
  await page.getByRole('row', { name: /Replica.*eu-west-1/ }).waitFor();
  assert.equal((await server.client({ region: 'eu-west-1' }).send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata.MultiRegionConfiguration.MultiRegionKeyType, 'REPLICA');
});
