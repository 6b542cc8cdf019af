// Do the served operations answer the official SDK as AWS KMS does: results, errors, their texts?
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, account, failure, region, run } from '../lib/server.mjs';

let server;
let client;
const send = (command) => client.send(command);
const newKey = async (input = {}) =>
  (await send(new kms.CreateKeyCommand(input))).KeyMetadata;
const text = (value) => new TextEncoder().encode(value);

before(async () => {
  server = await Server.start();
  client = server.client();
});
after(() => server.stop());

test('CreateKey: defaults are AWS defaults', async () => {
  const key = await newKey();
  assert.match(key.KeyId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(key.Arn, `arn:aws:kms:${region}:${account}:key/${key.KeyId}`);
  assert.equal(key.KeyState, 'Enabled');
  assert.equal(key.Enabled, true);
  assert.equal(key.Description, '');
  assert.equal(key.KeySpec, 'SYMMETRIC_DEFAULT');
  assert.equal(key.Origin, 'AWS_KMS');
  assert.equal(key.KeyManager, 'CUSTOMER');
  assert.equal(key.MultiRegion, false);
  assert.deepEqual(key.EncryptionAlgorithms, ['SYMMETRIC_DEFAULT']);
  assert.match(key.CurrentKeyMaterialId, /^[0-9a-f]{64}$/);
});

test('CreateKey: a multi-Region key has an mrk- id and is its own primary', async () => {
  const key = await newKey({ MultiRegion: true });
  assert.match(key.KeyId, /^mrk-[0-9a-f]{32}$/);
  assert.equal(key.MultiRegionConfiguration.MultiRegionKeyType, 'PRIMARY');
  assert.deepEqual(key.MultiRegionConfiguration.ReplicaKeys, []);
});

test('CreateKey: refusals have AWS names and texts', async () => {
  const without = await failure(newKey({ KeySpec: 'RSA_2048' }));
  assert.equal(without.name, 'ValidationException');
  assert.equal(without.message,
    'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  const sm2 = await failure(newKey({ KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }));
  assert.equal(sm2.name, 'UnsupportedOperationException');
  const tags = await failure(newKey({ Tags: [{ TagKey: 'aws:x', TagValue: '' }] }));
  assert.equal(tags.name, 'TagException');
  const policy = await failure(newKey({ Policy: '{"Version":"2012-10-17"}' }));
  assert.equal(policy.name, 'MalformedPolicyDocumentException');
  const lockout = await failure(newKey({
    Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:Encrypt', Resource: '*' }] }),
  }));
  assert.equal(lockout.message,
    'The new key policy will not allow you to update the key policy in the future.');
});

test('identifiers: id, ARN, alias and alias ARN name the same key; others are refused', async () => {
  const key = await newKey();
  const alias = `alias/ids/${key.KeyId}`;
  await send(new kms.CreateAliasCommand({ AliasName: alias, TargetKeyId: key.KeyId }));
  const aliasArn = `arn:aws:kms:${region}:${account}:${alias}`;
  for (const KeyId of [key.KeyId, key.Arn, alias, aliasArn]) {
    const found = await send(new kms.DescribeKeyCommand({ KeyId }));
    assert.equal(found.KeyMetadata.Arn, key.Arn);
  }
  const refused = await failure(send(new kms.EnableKeyRotationCommand({ KeyId: alias })));
  assert.equal(refused.name, 'InvalidArnException');
  assert.equal(refused.message, 'Key Aliases are not supported for this operation.');
  const absent = '00000000-0000-4000-8000-000000000000';
  const missing = await failure(send(new kms.DescribeKeyCommand({ KeyId: absent })));
  assert.equal(missing.name, 'NotFoundException');
  assert.equal(missing.message,
    `Key 'arn:aws:kms:${region}:${account}:key/${absent}' does not exist`);
  const invalid = await failure(send(new kms.DescribeKeyCommand({ KeyId: 'no-id' })));
  assert.equal(invalid.message, "Invalid keyId 'no-id'");
  const elsewhere = await failure(send(new kms.DescribeKeyCommand(
    { KeyId: key.Arn.replace(region, 'eu-west-1') })));
  assert.equal(elsewhere.message, 'Invalid arn eu-west-1');
});

test('a key lives in the region of the credential scope', async () => {
  const key = await newKey();
  const west = server.client({ region: 'us-west-2' });
  const missing = await failure(west.send(new kms.DescribeKeyCommand({ KeyId: key.KeyId })));
  assert.equal(missing.name, 'NotFoundException');
  const other = (await west.send(new kms.CreateKeyCommand({}))).KeyMetadata;
  assert.match(other.Arn, /:us-west-2:/);
});

test('Encrypt and Decrypt: context, tampering, other keys', async () => {
  const key = await newKey();
  const EncryptionContext = { purpose: 'test', b: 'c' };
  const { CiphertextBlob } = await send(new kms.EncryptCommand(
    { KeyId: key.KeyId, Plaintext: text('attack at dawn'), EncryptionContext }));
  const opened = await send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext }));
  assert.equal(new TextDecoder().decode(opened.Plaintext), 'attack at dawn');
  assert.equal(opened.KeyId, key.Arn);
  assert.equal(opened.KeyMaterialId, key.CurrentKeyMaterialId);
  for (const wrong of [undefined, { purpose: 'test' }, { purpose: 'testb', c: '' }]) {
    const error = await failure(send(new kms.DecryptCommand(
      { CiphertextBlob, EncryptionContext: wrong })));
    assert.equal(error.name, 'InvalidCiphertextException');
  }
  // Bytes 2 to 17 name the key: changing them asks for a key that does not exist.
  for (let at = 0; at < CiphertextBlob.length; at += 1) {
    const tampered = Uint8Array.from(CiphertextBlob);
    tampered[at] ^= 1;
    const error = await failure(send(new kms.DecryptCommand(
      { CiphertextBlob: tampered, EncryptionContext })));
    assert.match(error.name, /^(InvalidCiphertextException|AccessDeniedException)$/, `byte ${at}`);
  }
  const other = await newKey();
  const incorrect = await failure(send(new kms.DecryptCommand(
    { CiphertextBlob, EncryptionContext, KeyId: other.KeyId })));
  assert.equal(incorrect.name, 'IncorrectKeyException');
});

test('Encrypt: the limits are to the byte', async () => {
  const { KeyId } = await newKey();
  const most = await send(new kms.EncryptCommand({ KeyId, Plaintext: new Uint8Array(4096) }));
  assert.ok(most.CiphertextBlob.length <= 4258);
  const over = await failure(send(new kms.EncryptCommand(
    { KeyId, Plaintext: new Uint8Array(4097) })));
  assert.equal(over.message, "1 validation error detected: Value at 'plaintext' failed to satisfy "
    + 'constraint: Member must have length less than or equal to 4096');
  const none = await failure(send(new kms.EncryptCommand({ KeyId, Plaintext: new Uint8Array(0) })));
  assert.equal(none.name, 'ValidationException');
});

test('ReEncrypt moves a ciphertext to another key', async () => {
  const from = await newKey();
  const to = await newKey();
  const { CiphertextBlob } = await send(new kms.EncryptCommand(
    { KeyId: from.KeyId, Plaintext: text('x'), EncryptionContext: { a: '1' } }));
  const moved = await send(new kms.ReEncryptCommand({ CiphertextBlob,
    SourceEncryptionContext: { a: '1' }, DestinationKeyId: to.Arn,
    DestinationEncryptionContext: { b: '2' } }));
  assert.equal(moved.SourceKeyId, from.Arn);
  assert.equal(moved.KeyId, to.Arn);
  assert.equal(moved.SourceKeyMaterialId, from.CurrentKeyMaterialId);
  assert.equal(moved.DestinationKeyMaterialId, to.CurrentKeyMaterialId);
  const opened = await send(new kms.DecryptCommand(
    { CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { b: '2' } }));
  assert.equal(opened.KeyId, to.Arn);
});

test('data keys: sizes, and both or neither size is refused', async () => {
  const { KeyId } = await newKey();
  const key = await send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  assert.equal(key.Plaintext.length, 32);
  const opened = await send(new kms.DecryptCommand({ CiphertextBlob: key.CiphertextBlob }));
  assert.deepEqual(opened.Plaintext, key.Plaintext);
  const hidden = await send(new kms.GenerateDataKeyWithoutPlaintextCommand(
    { KeyId, NumberOfBytes: 1024 }));
  assert.equal(hidden.Plaintext, undefined);
  for (const input of [{ KeyId }, { KeyId, KeySpec: 'AES_128', NumberOfBytes: 16 }]) {
    const error = await failure(send(new kms.GenerateDataKeyCommand(input)));
    assert.equal(error.message, 'Please specify either number of bytes or key spec.');
  }
  const random = await send(new kms.GenerateRandomCommand({ NumberOfBytes: 64 }));
  assert.equal(random.Plaintext.length, 64);
});

test('DryRun succeeds as an error, and only after every other check', async () => {
  const { KeyId } = await newKey();
  const dry = await failure(send(new kms.EncryptCommand(
    { KeyId, Plaintext: text('x'), DryRun: true })));
  assert.equal(dry.name, 'DryRunOperationException');
  await send(new kms.DisableKeyCommand({ KeyId }));
  const disabled = await failure(send(new kms.EncryptCommand(
    { KeyId, Plaintext: text('x'), DryRun: true })));
  assert.equal(disabled.name, 'DisabledException');
});

test('states: disabled and pending deletion refuse use with AWS texts', async () => {
  const key = await newKey();
  const { CiphertextBlob } = await send(new kms.EncryptCommand(
    { KeyId: key.KeyId, Plaintext: text('x') }));
  await send(new kms.DisableKeyCommand({ KeyId: key.KeyId }));
  const disabled = await failure(send(new kms.DecryptCommand({ CiphertextBlob })));
  assert.equal(disabled.message, `${key.Arn} is disabled.`);
  const scheduled = await send(new kms.ScheduleKeyDeletionCommand(
    { KeyId: key.KeyId, PendingWindowInDays: 7 }));
  assert.equal(scheduled.KeyState, 'PendingDeletion');
  const pending = await failure(send(new kms.DecryptCommand({ CiphertextBlob })));
  assert.equal(pending.name, 'KMSInvalidStateException');
  assert.equal(pending.message, `${key.Arn} is pending deletion.`);
  await send(new kms.CancelKeyDeletionCommand({ KeyId: key.KeyId }));
  const state = await send(new kms.DescribeKeyCommand({ KeyId: key.KeyId }));
  assert.equal(state.KeyMetadata.KeyState, 'Disabled');
  await send(new kms.EnableKeyCommand({ KeyId: key.KeyId }));
  await send(new kms.DecryptCommand({ CiphertextBlob }));
  const again = await failure(send(new kms.CancelKeyDeletionCommand({ KeyId: key.KeyId })));
  assert.equal(again.message, `${key.Arn} is not pending deletion.`);
});

test('aliases: create, update, delete, list, and reserved names', async () => {
  const [one, two] = [await newKey(), await newKey()];
  const AliasName = `alias/a-${one.KeyId}`;
  await send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: one.KeyId }));
  const twice = await failure(send(new kms.CreateAliasCommand(
    { AliasName, TargetKeyId: one.KeyId })));
  assert.equal(twice.name, 'AlreadyExistsException');
  await send(new kms.UpdateAliasCommand({ AliasName, TargetKeyId: two.KeyId }));
  const listed = await send(new kms.ListAliasesCommand({ KeyId: two.KeyId }));
  assert.deepEqual(listed.Aliases.map((each) => each.AliasName), [AliasName]);
  await send(new kms.DeleteAliasCommand({ AliasName }));
  const gone = await failure(send(new kms.DeleteAliasCommand({ AliasName })));
  assert.equal(gone.name, 'NotFoundException');
  const prefix = await failure(send(new kms.CreateAliasCommand(
    { AliasName: 'x', TargetKeyId: one.KeyId })));
  assert.match(prefix.message, /^Alias must start with the prefix "alias\/"/);
  const reserved = await failure(send(new kms.CreateAliasCommand(
    { AliasName: 'alias/aws/x', TargetKeyId: one.KeyId })));
  assert.equal(reserved.name, 'NotAuthorizedException');
});

test('UpdateAlias: to a key of the same type and usage, whatever its spec', async () => {
  const key = async (KeySpec, KeyUsage) => (await newKey({ KeySpec, KeyUsage })).KeyId;
  const [encrypts, signs, macs] = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC'];
  const symmetric = await key('SYMMETRIC_DEFAULT', encrypts);
  const rsa = await key('RSA_2048', encrypts);
  const hmac = await key('HMAC_512', macs);
  const signing = [await key('RSA_2048', signs), await key('RSA_3072', signs), await key('ECC_NIST_P256', signs)];
  for (const [kind, from, to, refusals] of [
    ['pair', signing[0], signing.slice(1), [[rsa, 'usage', signs, encrypts], [hmac, 'usage', signs, macs]]],
    ['mac', await key('HMAC_256', macs), [hmac], [[symmetric, 'usage', macs, encrypts]]],
    ['symmetric', symmetric, [(await newKey()).KeyId], [[rsa, 'type', 'SYMMETRIC_DEFAULT', 'RSA_2048']]],
  ]) {
    const AliasName = `alias/same/${kind}`;
    const update = (TargetKeyId) => send(new kms.UpdateAliasCommand({ AliasName, TargetKeyId }));
    await send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: from }));
    for (const target of to) {
      await update(target);
      assert.equal((await send(new kms.DescribeKeyCommand({ KeyId: AliasName }))).KeyMetadata.KeyId, target);
    }
    for (const [target, what, one, other] of refusals) {
      const error = await failure(update(target));
      assert.equal(error.name, 'ValidationException');
      assert.equal(error.message, `Alias ${AliasName} cannot be changed from a CMK with key ${what} ${one} to a CMK `
        + `with key ${what} ${other}. The key ${what} of the current CMK and the new CMK must be the same.`);
    }
  }
});

test('a key ARN is of the endpoint: its region and partition', async () => {
  const { KeyId } = await newKey();
  for (const [prefix, shown] of [['arn:aws:kms:', ''], ['arn:aws:kms:us-west-2', 'us-west-2'],
    [`arn:aws-cn:kms:${region}`, region], [`arn:zzz:kms:${region}`, region]]) {
    const error = await failure(send(new kms.DisableKeyCommand({ KeyId: `${prefix}:${account}:key/${KeyId}` })));
    assert.equal(error.name, 'NotFoundException');
    assert.equal(error.message, `Invalid arn ${shown}`);
  }
  assert.equal((await send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata.KeyState, 'Enabled');
});

test('tags and description', async () => {
  const { KeyId } = await newKey({ Tags: [{ TagKey: 'a', TagValue: '1' }] });
  await send(new kms.TagResourceCommand({ KeyId, Tags: [
    { TagKey: 'a', TagValue: '2' }, { TagKey: 'b', TagValue: '3' }] }));
  await send(new kms.UntagResourceCommand({ KeyId, TagKeys: ['b', 'absent'] }));
  const tags = await send(new kms.ListResourceTagsCommand({ KeyId }));
  assert.deepEqual(tags.Tags, [{ TagKey: 'a', TagValue: '2' }]);
  await send(new kms.UpdateKeyDescriptionCommand({ KeyId, Description: 'new' }));
  const key = await send(new kms.DescribeKeyCommand({ KeyId }));
  assert.equal(key.KeyMetadata.Description, 'new');
});

test('ListKeys pages without losing or repeating a key; a made-up marker is refused', async () => {
  const made = new Set();
  for (let i = 0; i < 25; i += 1) made.add((await newKey()).KeyId);
  const seen = [];
  let Marker;
  do {
    const page = await send(new kms.ListKeysCommand({ Limit: 7, Marker }));
    assert.ok(page.Keys.length <= 7);
    seen.push(...page.Keys.map((key) => key.KeyId));
    assert.equal(page.Truncated, page.NextMarker !== undefined);
    Marker = page.NextMarker;
  } while (Marker);
  assert.equal(new Set(seen).size, seen.length);
  for (const id of made) assert.ok(seen.includes(id));
  const bad = await failure(send(new kms.ListKeysCommand({ Marker: 'AAAA' })));
  assert.equal(bad.name, 'InvalidMarkerException');
});

test('key policies: read, replace, and a user that they keep out', async () => {
  const { KeyId } = await newKey();
  const { Policy } = await send(new kms.GetKeyPolicyCommand({ KeyId }));
  assert.equal(JSON.parse(Policy).Id, 'key-default-1');
  assert.deepEqual((await send(new kms.ListKeyPoliciesCommand({ KeyId }))).PolicyNames, ['default']);
  await run(['admin', 'user', 'create', '--data-dir', server.dataDir, '--name', 'eve']);
  const created = await run(
    ['admin', 'access-key', 'create', '--data-dir', server.dataDir, '--user', 'eve']);
  const { AccessKeyId, SecretAccessKey } = JSON.parse(created.stdout);
  const eve = server.client(
    { credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } });
  const denied = await failure(eve.send(new kms.DescribeKeyCommand({ KeyId })));
  assert.equal(denied.name, 'AccessDeniedException');
  assert.equal(denied.message,
    `User: arn:aws:iam::${account}:user/eve is not authorized to perform: kms:DescribeKey on `
    + `resource: arn:aws:kms:${region}:${account}:key/${KeyId} because no identity-based policy `
    + 'allows the kms:DescribeKey action');
  const document = JSON.parse(Policy);
  document.Statement.push({ Effect: 'Allow', Resource: '*', Action: 'kms:DescribeKey',
    Principal: { AWS: `arn:aws:iam::${account}:user/eve` } });
  await send(new kms.PutKeyPolicyCommand({ KeyId, Policy: JSON.stringify(document) }));
  await eve.send(new kms.DescribeKeyCommand({ KeyId }));
  document.Statement.push({ Effect: 'Deny', Resource: '*', Action: 'kms:Describe*',
    Principal: { AWS: `arn:aws:iam::${account}:user/eve` } });
  await send(new kms.PutKeyPolicyCommand({ KeyId, Policy: JSON.stringify(document) }));
  const explicit = await failure(eve.send(new kms.DescribeKeyCommand({ KeyId })));
  assert.match(explicit.message, /with an explicit deny in a resource-based policy$/);
  document.Statement[0].Condition = { Bool: { 'aws:SecureTransport': 'true' } };
  const lockout = await failure(send(new kms.PutKeyPolicyCommand(
    { KeyId, Policy: JSON.stringify(document) })));
  assert.equal(lockout.name, 'MalformedPolicyDocumentException');
  assert.match(lockout.message, /^The new key policy will not allow you to update the key policy/);
});

test('a key policy may have 32,768 bytes as it is sent, however long it is shown', async () => {
  const { KeyId } = await newKey();
  const AWS = `arn:aws:iam::${account}:root`;
  const allow = (more) => ({ Effect: 'Allow', Principal: { AWS }, Resource: '*', ...more });
  const sent = JSON.stringify({ Version: '2012-10-17', Statement: [allow({ Action: 'kms:*' }),
    ...Array.from({ length: 230 }, (_, i) => allow({ Sid: `s${i}`, Action: ['kms:Decrypt'] }))] });
  assert.ok(sent.length < 32768, String(sent.length));
  const get = async () => (await send(new kms.GetKeyPolicyCommand({ KeyId }))).Policy;
  await send(new kms.PutKeyPolicyCommand({ KeyId, Policy: sent.padEnd(32768) }));
  const shown = await get();
  assert.ok(shown.length > 32768, String(shown.length));
  assert.deepEqual(JSON.parse(shown), JSON.parse(sent));
  await newKey({ Policy: sent });
  const longer = await failure(send(new kms.PutKeyPolicyCommand({ KeyId, Policy: sent.padEnd(32769) })));
  assert.equal(longer.name, 'LimitExceededException');
  await server.kill('SIGTERM');
  const explained = await run(['policy', 'explain', '--data-dir', server.dataDir, '--resource', KeyId,
    '--region', region, '--principal', `arn:aws:iam::${account}:user/admin`, '--action', 'kms:Decrypt']);
  assert.equal(explained.code, 0, explained.stderr);
  await server.launch();
  client = server.client();
  assert.equal(await get(), shown);
});

test('an AWS managed key rotates yearly and cannot be changed', async () => {
  const made = await run(['admin', 'aws-managed-key', 'create', '--data-dir', server.dataDir,
    '--alias', 'alias/aws/sqs']);
  assert.equal(made.code, 0, made.stderr);
  const found = await send(new kms.DescribeKeyCommand({ KeyId: 'alias/aws/sqs' }));
  const { KeyId, KeyManager } = found.KeyMetadata;
  assert.equal(KeyManager, 'AWS');
  const status = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  assert.equal(status.KeyRotationEnabled, true);
  for (const command of [new kms.DisableKeyRotationCommand({ KeyId }),
    new kms.ScheduleKeyDeletionCommand({ KeyId }), new kms.DisableKeyCommand({ KeyId })]) {
    const error = await failure(send(command));
    assert.equal(error.name, 'AccessDeniedException');
    assert.match(error.message, /because no resource-based policy allows the kms:/);
  }
});
