// Does the AWS Encryption SDK work through this server as through AWS: before and after rotations, with
// several keys, and with multi-Region keys from either region?
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as esdk from '@aws-crypto/client-node';
import * as kms from '@aws-sdk/client-kms';
import { Server, credentials } from '../lib/server.mjs';

const here = 'us-east-1';
const there = 'eu-west-1';
const { encrypt, decrypt } = esdk.buildClient(esdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const context = { purpose: 'test', stage: 'conformance' };
let server;
let clientProvider;
const send = (region, command) => server.client({ region }).send(command);
const newKey = async (more = {}) => (await send(here, new kms.CreateKeyCommand(more))).KeyMetadata;

before(async () => {
  server = await Server.start();
  clientProvider = (region) => new kms.KMS({ endpoint: server.url, credentials, region, maxAttempts: 1 });
});
after(() => server.stop());

const strict = (generatorKeyId, ...keyIds) => new esdk.KmsKeyringNode({ clientProvider, generatorKeyId, keyIds });
const seal = async (keyring, text, more = {}) => (await encrypt(keyring, text,
  { encryptionContext: context, ...more })).result;
const open = async (keyring, blob) => {
  const { plaintext, messageHeader } = await decrypt(keyring, blob);
  assert.equal(messageHeader.encryptionContext.purpose, 'test');
  return plaintext.toString();
};

test('messages made before and after rotations open with the same keyring', async () => {
  const { KeyId, Arn } = await newKey();
  const keyring = strict(Arn);
  const sealed = [];
  for (let generation = 0; generation < 3; generation += 1) {
    sealed.push(await seal(keyring, `generation ${generation}`));
    await send(here, new kms.RotateKeyOnDemandCommand({ KeyId }));
  }
  for (const [generation, blob] of sealed.entries()) {
    assert.equal(await open(keyring, blob), `generation ${generation}`);
  }
});

test('any of several keys opens; a stranger does not; tampering shows', async () => {
  const one = (await newKey()).Arn;
  const two = (await newKey()).Arn;
  const blob = await seal(strict(one, two), 'for both');
  assert.equal(await open(new esdk.KmsKeyringNode({ clientProvider, keyIds: [two] }), blob), 'for both');
  const stranger = (await newKey()).Arn;
  await assert.rejects(open(new esdk.KmsKeyringNode({ clientProvider, keyIds: [stranger] }), blob));
  const changed = Buffer.from(blob);
  changed[changed.length - 1] ^= 1;
  await assert.rejects(open(strict(one), changed));
});

test('long messages, and every suite with a commitment', async () => {
  const keyring = strict((await newKey()).Arn);
  const long = 'x'.repeat(300000);
  assert.equal(await open(keyring, await seal(keyring, long, { frameLength: 1000 })), long);
  for (const suiteId of [
    esdk.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY,
    esdk.AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384]) {
    assert.equal(await open(keyring, await seal(keyring, 'suite', { suiteId })), 'suite');
  }
});

test('multi-Region keyrings: sealed in one region, opened in the other, across a rotation', async () => {
  const { KeyId, Arn } = await newKey({ MultiRegion: true });
  const before = await seal(esdk.buildAwsKmsMrkAwareStrictMultiKeyringNode(
    { generatorKeyId: Arn, clientProvider }), 'before the replica');
  await send(here, new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: there }));
  const deadline = Date.now() + 60000;
  for (;;) {
    const { KeyMetadata } = await send(there, new kms.DescribeKeyCommand({ KeyId }));
    if (KeyMetadata.KeyState === 'Enabled') break;
    assert.ok(Date.now() < deadline, 'the replica does not come up');
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  await send(here, new kms.RotateKeyOnDemandCommand({ KeyId }));
  const replica = Arn.replace(here, there);
  const of = (generatorKeyId) => esdk.buildAwsKmsMrkAwareStrictMultiKeyringNode(
    { generatorKeyId, clientProvider });
  const fromHere = await seal(of(Arn), 'from here');
  const fromThere = await seal(of(replica), 'from there');
  assert.equal(await open(of(replica), before), 'before the replica');
  assert.equal(await open(of(replica), fromHere), 'from here');
  assert.equal(await open(of(Arn), fromThere), 'from there');
  const discovery = esdk.buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({ regions: [there], clientProvider });
  assert.equal(await open(discovery, fromHere), 'from here');
});

test('data keys may be cached', async () => {
  const keyring = strict((await newKey()).Arn);
  const cache = esdk.getLocalCryptographicMaterialsCache(10);
  const materials = new esdk.NodeCachingMaterialsManager(
    { backingMaterials: keyring, cache, maxAge: 60000, maxMessagesEncrypted: 10 });
  for (let i = 0; i < 3; i += 1) {
    assert.equal(await open(keyring, await seal(materials, `message ${i}`)), `message ${i}`);
  }
});
