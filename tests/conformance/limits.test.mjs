// Do `serve --limits` quotas answer as AWS's do, so that a client's pacing can be tested here?
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, failure, run } from '../lib/server.mjs';
import { XksProxy, proxyCredential } from '../lib/xks_proxy.mjs';

const slow = 'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.';
let root;
let server;
let client;
const send = (command) => client.send(command);

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'keyturn-limits-'));
  const file = path.join(root, 'limits.yaml');
  // Rates so low that a loaded machine cannot earn a request back while a test runs.
  await writeFile(file, `base: aws
resources: {keys: 4, aliases_per_key: 2, grants_per_key: 1, policy_bytes: 600}
requests_per_second: {CreateKey: 100, CreateAlias: 100, ListKeyPolicies: 0.001, symmetric: 0.001, rsa: 0.001,
  "GenerateDataKeyPair:ECC_NIST_P256": 0.001, DescribeKey: 0.001}
`);
  server = await Server.start({ args: ['--limits', file] });
  client = server.client();
});
after(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const throttled = async (promise) => {
  const error = await failure(promise);
  assert.equal(error.name, 'ThrottlingException');
  assert.equal(error.message, slow);
  assert.equal(error.$metadata.httpStatusCode, 400);
  return error;
};

let key;
test('the number of keys is of one account and region, whatever their state', async () => {
  key = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const deleted = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  await send(new kms.ScheduleKeyDeletionCommand({ KeyId: deleted.KeyId }));
  // Together in one commit: the quota is not passed by asking at once.
  const made = await Promise.allSettled(
    Array.from({ length: 6 }, () => send(new kms.CreateKeyCommand({}))));
  assert.equal(made.filter((each) => each.status === 'fulfilled').length, 2);
  for (const { reason } of made.filter((each) => each.status === 'rejected')) {
    assert.equal(reason.name, 'LimitExceededException');
  }
  await server.client({ region: 'eu-west-1' }).send(new kms.CreateKeyCommand({}));
  // A replica is a key of its region.
  const west = server.client({ region: 'us-west-2' });
  const { KeyMetadata: { KeyId } } = await west.send(new kms.CreateKeyCommand({ MultiRegion: true }));
  const full = await failure(west.send(new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'us-east-1' })));
  assert.equal(full.name, 'LimitExceededException');
});

test('aliases, grants and policies have their quotas', async () => {
  const KeyId = key.KeyId;
  for (const name of ['one', 'two']) {
    await send(new kms.CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: KeyId }));
  }
  const alias = await failure(send(new kms.CreateAliasCommand(
    { AliasName: 'alias/three', TargetKeyId: KeyId })));
  assert.equal(alias.name, 'LimitExceededException');
  const grant = { KeyId, GranteePrincipal: `arn:aws:iam::${key.AWSAccountId}:user/admin`,
    Operations: ['Encrypt'] };
  await send(new kms.CreateGrantCommand(grant));
  assert.equal((await failure(send(new kms.CreateGrantCommand(grant)))).name,
    'LimitExceededException');
  const statement = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${key.AWSAccountId}:root` },
    Action: 'kms:*', Resource: '*' };
  const policy = (Sid) => JSON.stringify({ Version: '2012-10-17', Statement: [{ ...statement, Sid }] });
  await send(new kms.PutKeyPolicyCommand({ KeyId, Policy: policy('s') }));
  assert.equal((await failure(send(new kms.PutKeyPolicyCommand(
    { KeyId, Policy: policy('s'.repeat(600)) })))).name, 'LimitExceededException');
});

test('an operation has its own rate, in each region', async () => {
  const list = (on, KeyId) => on.send(new kms.ListKeyPoliciesCommand({ KeyId }));
  await list(client, key.KeyId);
  await throttled(list(client, key.KeyId));
  await send(new kms.GetKeyPolicyCommand({ KeyId: key.KeyId }));
  // Another region's requests are counted apart, also those that fail.
  const west = server.client({ region: 'us-west-2' });
  assert.equal((await failure(list(west, key.KeyId))).name, 'NotFoundException');
  await throttled(list(west, key.KeyId));
});

test('cryptographic operations share the rate of their kind of key', async () => {
  await send(new kms.GenerateDataKeyCommand({ KeyId: key.KeyId, KeySpec: 'AES_256' }));
  await throttled(send(new kms.EncryptCommand({ KeyId: key.KeyId, Plaintext: Buffer.from('x') })));
  await throttled(send(new kms.GenerateRandomCommand({ NumberOfBytes: 8 })));
  const pair = () => send(new kms.GenerateDataKeyPairCommand(
    { KeyId: key.KeyId, KeyPairSpec: 'ECC_NIST_P256' }));
  await pair();
  await throttled(pair());
});

test('each custom key store has its own rate, beside that of symmetric keys', async () => {
  const file = path.join(root, 'stores.yaml');
  await writeFile(file, 'requests_per_second: {custom-key-store: 0.001}\n');
  const proxy = await XksProxy.start();
  const stores = await Server.start({ args: ['--limits', file, '--xks-timeout-ms', '20000',
    '--xks-route', `xks.example.com=${proxy.url}`] });
  try {
    const on = stores.client();
    const keyIn = async (CustomKeyStoreName) => {
      proxy.path = `/${CustomKeyStoreName}/kms/xks/v1`;
      proxy.addKey('k');
      const { CustomKeyStoreId } = await on.send(new kms.CreateCustomKeyStoreCommand({
        CustomKeyStoreName, CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
        XksProxyConnectivity: 'PUBLIC_ENDPOINT', XksProxyUriEndpoint: 'https://xks.example.com',
        XksProxyUriPath: proxy.path, XksProxyAuthenticationCredential: proxyCredential }));
      await on.send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
      return (await on.send(new kms.CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE',
        CustomKeyStoreId, XksKeyId: 'k' }))).KeyMetadata.KeyId;
    };
    const encrypt = (KeyId) => on.send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
    const one = await keyIn('one');
    const { CiphertextBlob } = await encrypt(one);
    const asked = proxy.requests.length;
    await throttled(encrypt(one));
    await throttled(on.send(new kms.DecryptCommand({ CiphertextBlob })));
    assert.equal(proxy.requests.length, asked, 'what is throttled does not reach the proxy');
    await encrypt(await keyIn('other'));
    await on.send(new kms.GenerateRandomCommand({ NumberOfBytes: 8 }));
  } finally {
    await stores.stop();
    await proxy.stop();
  }
});

test('a throttled call is one that the SDK retries', async () => {
  const retrying = server.client({ maxAttempts: 3 });
  const describe = () => retrying.send(new kms.DescribeKeyCommand({ KeyId: key.KeyId }));
  await describe();
  assert.equal((await throttled(describe())).$metadata.attempts, 3);
});

test('a file that makes no sense stops the start, and says where', async () => {
  const file = path.join(root, 'wrong.yaml');
  await writeFile(file, 'requests_per_second: {Frobnicate: 3}\n');
  const done = await run(['serve', '--dev', '--data-dir', path.join(root, 'none'), '--listen',
    '127.0.0.1:0', '--limits', file]);
  assert.equal(done.code, 1);
  assert.match(done.stderr, /wrong\.yaml: Frobnicate: has no request quota/);
});
