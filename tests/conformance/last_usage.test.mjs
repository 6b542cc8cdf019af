// Does GetKeyLastUsage tell the last cryptographic use of a key, as AWS documents it, and is it still
// known after a restart?
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { person } from '../lib/people.mjs';
import { call } from '../lib/raw.mjs';
import { Server, account, failure, region } from '../lib/server.mjs';
import { trailRecords } from '../lib/trail.mjs';

let server;
let client;
const send = (command) => client.send(command);
const newKey = async (input = {}) => (await send(new kms.CreateKeyCommand(input))).KeyMetadata;
const bytes = (text) => Buffer.from(text);

// The SDK release that the suites use does not have this operation.
const lastUsage = (KeyId, options) => call(server, 'GetKeyLastUsage', { KeyId }, options);

before(async () => {
  server = await Server.start();
  client = server.client();
});
after(() => server.stop());

test('a key that was never used', async () => {
  const key = await newKey();
  await send(new kms.DescribeKeyCommand({ KeyId: key.KeyId }));
  const answer = await lastUsage(key.Arn);
  assert.equal(answer.KeyId, key.KeyId);
  assert.deepEqual(answer.KeyLastUsage, {});
  assert.equal(answer.KeyCreationDate, key.CreationDate.getTime() / 1000);
  assert.equal(answer.TrackingStartDate, answer.KeyCreationDate);
});

test('every tracked operation, with the ids of its record', async () => {
  const key = (await newKey()).KeyId;
  const other = (await newKey()).KeyId;
  const mac = (await newKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })).KeyId;
  const signing = (await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })).KeyId;
  const agreement = (await newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })).KeyId;
  const uses = async (operation, id, input) => {
    const answer = await send(new kms[`${operation}Command`](input));
    const usage = (await lastUsage(id)).KeyLastUsage;
    assert.equal(usage.Operation, operation);
    assert.equal(usage.KmsRequestId, answer.$metadata.requestId);
    assert.ok(Math.abs(usage.Timestamp * 1000 - Date.now()) < 60000);
    return { ...answer, event: usage.CloudTrailEventId };
  };
  const encrypted = await uses('Encrypt', key, { KeyId: key, Plaintext: bytes('x') });
  const { CiphertextBlob } = encrypted;
  await uses('Decrypt', key, { CiphertextBlob });
  await uses('ReEncrypt', key, { CiphertextBlob, DestinationKeyId: other });
  assert.equal((await lastUsage(other)).KeyLastUsage.Operation, 'ReEncrypt');
  await uses('GenerateDataKey', key, { KeyId: key, KeySpec: 'AES_256' });
  await uses('GenerateDataKeyWithoutPlaintext', key, { KeyId: key, KeySpec: 'AES_256' });
  await uses('GenerateDataKeyPair', key, { KeyId: key, KeyPairSpec: 'ECC_NIST_P256' });
  await uses('GenerateDataKeyPairWithoutPlaintext', key, { KeyId: key, KeyPairSpec: 'ECC_NIST_P256' });
  const { Mac } = await uses('GenerateMac', mac,
    { KeyId: mac, MacAlgorithm: 'HMAC_SHA_256', Message: bytes('m') });
  await uses('VerifyMac', mac, { KeyId: mac, MacAlgorithm: 'HMAC_SHA_256', Message: bytes('m'), Mac });
  const sign = { KeyId: signing, SigningAlgorithm: 'ECDSA_SHA_256', Message: bytes('m') };
  const { Signature } = await uses('Sign', signing, sign);
  await uses('Verify', signing, { ...sign, Signature });
  const { PublicKey } = await send(new kms.GetPublicKeyCommand({ KeyId: agreement }));
  assert.deepEqual((await lastUsage(agreement)).KeyLastUsage, {});
  await uses('DeriveSharedSecret', agreement,
    { KeyId: agreement, KeyAgreementAlgorithm: 'ECDH', PublicKey });

  // The record of the trail is that of the use.
  const record = trailRecords(server.dataDir).filter(({ eventID }) => eventID === encrypted.event);
  assert.deepEqual(record.map(({ eventName }) => eventName), ['Encrypt']);
});

test('what fails is no use', async () => {
  const { KeyId } = await newKey();
  await failure(send(new kms.DecryptCommand({ KeyId, CiphertextBlob: bytes('nonsense') })));
  await failure(send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x'), DryRun: true })));
  assert.deepEqual((await lastUsage(KeyId)).KeyLastUsage, {});
});

test('who may ask, and for what', async () => {
  const { KeyId } = await newKey();
  await send(new kms.CreateAliasCommand({ AliasName: 'alias/usage', TargetKeyId: KeyId }));
  assert.equal((await failure(lastUsage('alias/usage'))).name, 'InvalidArnException');
  const absent = await failure(lastUsage('00000000-0000-4000-8000-000000000000'));
  assert.equal(absent.name, 'NotFoundException');
  const credentials = await person(server, 'reader',
    [{ Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*' }]);
  assert.equal((await failure(lastUsage(KeyId, { credentials }))).name, 'AccessDeniedException');
});

test('kms:TrailingDaysWithoutKeyUsage keeps keys in use from being deleted', async () => {
  const as = await person(server, 'cleaner', [{ Effect: 'Allow',
    Action: ['kms:ScheduleKeyDeletion', 'kms:DisableKey'], Resource: '*',
    Condition: { NumericGreaterThanEquals: { 'kms:TrailingDaysWithoutKeyUsage': '1' } } }]);
  const { KeyId } = await newKey();
  const cleaner = server.client({ credentials: as });
  for (const command of [new kms.ScheduleKeyDeletionCommand({ KeyId }), new kms.DisableKeyCommand({ KeyId })]) {
    assert.equal((await failure(cleaner.send(command))).name, 'AccessDeniedException');
  }
  const idle = await person(server, 'sweeper', [{ Effect: 'Allow', Action: 'kms:DisableKey', Resource: '*',
    Condition: { NumericEquals: { 'kms:TrailingDaysWithoutKeyUsage': '0' } } }]);
  await server.client({ credentials: idle }).send(new kms.DisableKeyCommand({ KeyId }));
});

test('a restart forgets nothing', async () => {
  const { KeyId, Arn } = await newKey();
  await send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') }));
  const unused = await newKey();
  const before = await lastUsage(KeyId);
  await server.kill('SIGTERM');
  await server.launch();
  client = server.client();
  assert.deepEqual(await lastUsage(KeyId), before);
  assert.deepEqual((await lastUsage(unused.KeyId)).KeyLastUsage, {});
  assert.ok(Arn.startsWith(`arn:aws:kms:${region}:${account}:`));
});
