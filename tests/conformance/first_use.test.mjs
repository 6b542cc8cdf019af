// AWS managed keys that come to be on the first use of their alias, predefined aliases, and dry runs that
// ignore the ciphertext.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { person } from '../lib/people.mjs';
import { call } from '../lib/raw.mjs';
import { Server, account, failure, region } from '../lib/server.mjs';

let server;
let client;
const send = (command, on = client) => on.send(command);

before(async () => {
  server = await Server.start({ args: ['--aws-managed-keys', 'on-first-use'] });
  client = server.client();
});
after(() => server.stop());

const aliases = async (input = {}) => {
  const all = [];
  let Marker;
  do {
    const page = await send(new kms.ListAliasesCommand({ ...input, Marker }));
    all.push(...page.Aliases);
    Marker = page.NextMarker;
  } while (Marker);
  return all;
};

test('predefined aliases are listed without a key, in their order, on every page', async () => {
  const { KeyId } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  for (const name of ['alias/a', 'alias/aws-like', 'alias/z']) {
    await send(new kms.CreateAliasCommand({ AliasName: name, TargetKeyId: KeyId }));
  }
  const all = await aliases();
  const names = all.map(({ AliasName }) => AliasName);
  assert.deepEqual(names, [...names].sort());
  assert.equal(new Set(names).size, names.length);
  const s3 = all.find(({ AliasName }) => AliasName === 'alias/aws/s3');
  assert.deepEqual(s3, { AliasName: 'alias/aws/s3', AliasArn: `arn:aws:kms:${region}:${account}:alias/aws/s3` });
  assert.deepEqual((await aliases({ Limit: 3 })).map(({ AliasName }) => AliasName), names);
});

test('DescribeKey and Encrypt make the key, once', async () => {
  const asked = await Promise.all(Array.from({ length: 4 },
    () => send(new kms.DescribeKeyCommand({ KeyId: 'alias/aws/s3' }))));
  const [key] = asked.map(({ KeyMetadata }) => KeyMetadata);
  assert.ok(asked.every(({ KeyMetadata }) => KeyMetadata.KeyId === key.KeyId));
  assert.equal(key.KeyManager, 'AWS');
  assert.equal((await aliases()).find(({ AliasName }) => AliasName === 'alias/aws/s3').TargetKeyId, key.KeyId);
  assert.equal((await send(new kms.GetKeyRotationStatusCommand({ KeyId: key.KeyId }))).KeyRotationEnabled, true);
  const KeyId = `arn:aws:kms:${region}:${account}:alias/aws/ebs`;
  const named = await failure(send(new kms.EnableKeyRotationCommand({ KeyId: key.KeyId })));
  assert.equal(named.name, 'AccessDeniedException');
  const described = await send(new kms.DescribeKeyCommand({ KeyId }));
  assert.equal(described.KeyMetadata.KeyManager, 'AWS');
});

test('no key comes of a name that is not predefined, or of a caller without the right', async () => {
  const unknown = await failure(send(new kms.DescribeKeyCommand({ KeyId: 'alias/aws/frobnicator' })));
  assert.equal(unknown.name, 'NotFoundException');
  const nobody = server.client({ credentials: await person(server, 'nobody', undefined) });
  const denied = await failure(send(new kms.DescribeKeyCommand({ KeyId: 'alias/aws/rds' }), nobody));
  assert.equal(denied.name, 'NotFoundException');
  const listed = (await aliases()).find(({ AliasName }) => AliasName === 'alias/aws/rds');
  assert.equal(listed.TargetKeyId, undefined);
});

test('without the setting there are neither', async () => {
  const plain = await Server.start();
  const on = plain.client();
  assert.deepEqual((await send(new kms.ListAliasesCommand({}), on)).Aliases, []);
  assert.equal((await failure(send(new kms.DescribeKeyCommand({ KeyId: 'alias/aws/s3' }), on))).name,
    'NotFoundException');
  await plain.stop();
});

test('IGNORE_CIPHERTEXT asks about access only', async () => {
  const { KeyId } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const other = (await send(new kms.CreateKeyCommand({}))).KeyMetadata.KeyId;
  const dry = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] };
  const outcome = async (operation, input, credentials) => (await failure(
    call(server, operation, input, credentials && { credentials }))).name;
  assert.equal(await outcome('Decrypt', { KeyId, ...dry }), 'DryRunOperationException');
  const nonsense = Buffer.from('nonsense').toString('base64');
  assert.equal(await outcome('Decrypt', { KeyId, CiphertextBlob: nonsense, ...dry }), 'DryRunOperationException');
  assert.equal(await outcome('Decrypt', { KeyId, CiphertextBlob: nonsense, DryRun: true }),
    'InvalidCiphertextException');
  assert.equal(await outcome('Decrypt', dry), 'ValidationException');
  assert.equal(await outcome('Decrypt', { KeyId, DryRunModifiers: dry.DryRunModifiers }), 'ValidationException');
  assert.equal(await outcome('ReEncrypt', { SourceKeyId: KeyId, DestinationKeyId: other, ...dry }),
    'DryRunOperationException');
  assert.equal(await outcome('ReEncrypt', { DestinationKeyId: other, ...dry }), 'ValidationException');
  const from = await person(server, 'from',
    [{ Effect: 'Allow', Action: 'kms:ReEncryptFrom', Resource: '*' }]);
  assert.equal(await outcome('ReEncrypt', { SourceKeyId: KeyId, DestinationKeyId: other, ...dry }, from),
    'AccessDeniedException');
  assert.equal(await outcome('Decrypt', { KeyId, ...dry }, from), 'AccessDeniedException');
});
