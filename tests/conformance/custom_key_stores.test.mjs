// Does an external key store do what AWS's does, in every state and whatever its proxy answers?
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Authority } from '../lib/attestation.mjs';
import { Server, failure, run } from '../lib/server.mjs';
import { trailLines, trailRecords } from '../lib/trail.mjs';
import { until } from '../lib/until.mjs';
import { XksProxy, proxyCredential } from '../lib/xks_proxy.mjs';

const endpoint = 'https://xks.example.com';
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (value) => new TextEncoder().encode(value);

let server;
let proxy;
let client;
let authority;
const send = (command) => client.send(command);
const clock = () => new Promise((resolve) => { setTimeout(resolve, 20); });

before(async () => {
  proxy = await XksProxy.start();
  authority = new Authority();
  server = await Server.start({ args: ['--attestation-root', authority.rootFile, '--xks-route', `xks.example.com=${proxy.url}`,
    '--xks-route', 'dead.example.com=http://127.0.0.1:1', '--xks-timeout-ms', '20000'] });
  client = server.client();
});
beforeEach(() => {
  proxy.mode = {};
  proxy.credential = proxyCredential;
  proxy.path = '/kms/xks/v1';
});
after(async () => {
  await server?.stop();
  await proxy?.stop();
  authority?.close();
});

const properties = (name, more = {}) => ({
  CustomKeyStoreName: name, CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
  XksProxyConnectivity: 'PUBLIC_ENDPOINT', XksProxyUriEndpoint: endpoint,
  XksProxyUriPath: '/kms/xks/v1', XksProxyAuthenticationCredential: proxyCredential, ...more,
});
const create = async (name, more) =>
  (await send(new kms.CreateCustomKeyStoreCommand(properties(name, more)))).CustomKeyStoreId;
const connect = (CustomKeyStoreId) =>
  send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
const disconnect = (CustomKeyStoreId) =>
  send(new kms.DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
const remove = (CustomKeyStoreId) =>
  send(new kms.DeleteCustomKeyStoreCommand({ CustomKeyStoreId }));
const update = (CustomKeyStoreId, more) =>
  send(new kms.UpdateCustomKeyStoreCommand({ CustomKeyStoreId, ...more }));
const describe = async (CustomKeyStoreId) =>
  (await send(new kms.DescribeCustomKeyStoresCommand({ CustomKeyStoreId }))).CustomKeyStores[0];
const createKey = async (CustomKeyStoreId, XksKeyId, more = {}) =>
  (await send(new kms.CreateKeyCommand({ Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId,
    ...more }))).KeyMetadata;
const stateOf = async (KeyId) =>
  (await send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata.KeyState;
const refused = async (name, promise) => assert.equal((await failure(promise)).name, name);

// One store of its own for a test, connected, and gone afterwards unless it has keys.
async function withStore(name, use) {
  const known = proxy.path;
  proxy.path = `/${name}/kms/xks/v1`;
  try {
    const id = await create(name, { XksProxyUriPath: proxy.path });
    await connect(id);
    await use(id);
  } finally {
    proxy.path = known;
    proxy.mode = {};
  }
}
const onPath = (name) => { proxy.path = `/${name}/kms/xks/v1`; };

test('a store is created, described, connected, disconnected and deleted', async () => {
  const id = await create('life');
  assert.match(id, /^cks-[0-9a-f]{17}$/);
  const made = await describe(id);
  assert.equal(made.ConnectionState, 'DISCONNECTED');
  assert.equal(made.CustomKeyStoreName, 'life');
  assert.equal(made.CustomKeyStoreType, 'EXTERNAL_KEY_STORE');
  assert.equal(made.ConnectionErrorCode, undefined);
  assert.equal(made.CloudHsmClusterId, undefined);
  assert.ok(made.CreationDate instanceof Date);
  assert.deepEqual(made.XksProxyConfiguration, { Connectivity: 'PUBLIC_ENDPOINT',
    AccessKeyId: proxyCredential.AccessKeyId, UriEndpoint: endpoint, UriPath: '/kms/xks/v1' });
  const named = await send(new kms.DescribeCustomKeyStoresCommand({ CustomKeyStoreName: 'life' }));
  assert.equal(named.CustomKeyStores[0].CustomKeyStoreId, id);
  assert.deepEqual(await connect(id).then(({ $metadata, ...rest }) => rest), {});
  assert.equal((await describe(id)).ConnectionState, 'CONNECTED');
  await connect(id); // connected already
  await disconnect(id);
  assert.equal((await describe(id)).ConnectionState, 'DISCONNECTED');
  await remove(id);
  await refused('CustomKeyStoreNotFoundException',
    send(new kms.DescribeCustomKeyStoresCommand({ CustomKeyStoreId: id })));
  const calls = proxy.requests.filter(({ call }) => call === '/health').map(({ body }) => body);
  const operations = calls.map(({ requestMetadata }) => requestMetadata.kmsOperation);
  assert.deepEqual([...new Set(operations)], ['CreateCustomKeyStore', 'ConnectCustomKeyStore']);
  assert.deepEqual(Object.keys(calls[0].requestMetadata).sort(), ['kmsOperation', 'kmsRequestId']);
});

test('an operation on a store that is not there, or is elsewhere, does not find it', async () => {
  const elsewhere = server.client({ region: 'eu-west-1' });
  const { CustomKeyStoreId } = await elsewhere.send(
    new kms.CreateCustomKeyStoreCommand(properties('elsewhere')));
  for (const id of ['cks-0123456789abcdef0', CustomKeyStoreId]) {
    await refused('CustomKeyStoreNotFoundException', connect(id));
    await refused('CustomKeyStoreNotFoundException', disconnect(id));
    await refused('CustomKeyStoreNotFoundException', remove(id));
    await refused('CustomKeyStoreNotFoundException', update(id, { NewCustomKeyStoreName: 'x' }));
    await refused('CustomKeyStoreNotFoundException', createKey(id, 'x'));
    await refused('CustomKeyStoreNotFoundException',
      send(new kms.GenerateRandomCommand({ NumberOfBytes: 8, CustomKeyStoreId: id })));
  }
  await elsewhere.send(new kms.DeleteCustomKeyStoreCommand({ CustomKeyStoreId }));
});

test('what a store needs is required, what it cannot have refused', async () => {
  for (const missing of ['XksProxyConnectivity', 'XksProxyUriEndpoint', 'XksProxyUriPath',
    'XksProxyAuthenticationCredential']) {
    await refused('ValidationException', create('x', { [missing]: undefined }));
  }
  await refused('ValidationException', create('x', { CloudHsmClusterId: 'cluster-abcdefghijk' }));
  await refused('ValidationException', create('x', { KeyStorePassword: 'password' }));
  await refused('ValidationException', create('x', { XksProxyUriEndpoint: 'http://127.0.0.1:1' }));
  const vpc = { XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE' };
  await refused('ValidationException', create('x', vpc));
  await refused('XksProxyVpcEndpointServiceNotFoundException', create('x', { ...vpc,
    XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0' }));
});

test('names, addresses and the number of stores are bounded', async () => {
  const ids = [];
  ids.push(await create('first'));
  await refused('CustomKeyStoreNameInUseException',
    create('first', { XksProxyUriPath: '/a/kms/xks/v1' }));
  await refused('XksProxyUriInUseException', create('second'));
  for (let i = 1; ids.length < 10; i += 1) {
    onPath(`n${i}`);
    ids.push(await create(`n${i}`, { XksProxyUriPath: `/n${i}/kms/xks/v1` }));
  }
  await refused('LimitExceededException', create('eleventh', { XksProxyUriPath: '/e/kms/xks/v1' }));
  const pages = [];
  let Marker;
  do {
    const page = await send(new kms.DescribeCustomKeyStoresCommand({ Limit: 4, Marker }));
    pages.push(page.CustomKeyStores.length);
    Marker = page.NextMarker;
    assert.equal(page.Truncated, Marker !== undefined);
  } while (Marker);
  assert.deepEqual(pages, [4, 4, 2]);
  await refused('InvalidMarkerException',
    send(new kms.DescribeCustomKeyStoresCommand({ Marker: 'bm9uZQ==' })));
  await refused('ValidationException', send(new kms.DescribeCustomKeyStoresCommand({
    CustomKeyStoreId: ids[0], CustomKeyStoreName: 'first' })));
  for (const id of ids) await remove(id);
  proxy.path = '/kms/xks/v1';
});

// What a proxy may do, and what creating a store, and connecting one, then say.
const misbehaviours = [
  ['AuthenticationFailedException', { refuse: [401, 'AuthenticationFailedException'] },
    'XksProxyIncorrectAuthenticationCredentialException', 'XKS_PROXY_ACCESS_DENIED'],
  ['AccessDeniedException', { refuse: [403, 'AccessDeniedException'] },
    'XksProxyIncorrectAuthenticationCredentialException', 'XKS_PROXY_ACCESS_DENIED'],
  ['InvalidUriPathException', { refuse: [404, 'InvalidUriPathException'] },
    'XksProxyInvalidConfigurationException', 'XKS_PROXY_INVALID_CONFIGURATION'],
  ['ThrottlingException', { refuse: [429, 'ThrottlingException'] },
    'XksProxyUriUnreachableException', 'XKS_PROXY_NOT_REACHABLE'],
  ['DependencyTimeoutException', { refuse: [503, 'DependencyTimeoutException'] },
    'XksProxyUriUnreachableException', 'XKS_PROXY_TIMED_OUT'],
  ['InternalException', { refuse: [500, 'InternalException'] },
    'XksProxyInvalidResponseException', 'XKS_PROXY_INVALID_RESPONSE'],
  ['an unknown error', { refuse: [400, 'StrangeException'] },
    'XksProxyInvalidResponseException', 'XKS_PROXY_INVALID_RESPONSE'],
  ['an error page', { raw: '<html>', status: 502 },
    'XksProxyInvalidResponseException', 'XKS_PROXY_INVALID_RESPONSE'],
  ['no JSON', { raw: 'ok' }, 'XksProxyInvalidResponseException', 'XKS_PROXY_INVALID_RESPONSE'],
  ['a redirect', { redirect: true }, 'XksProxyInvalidResponseException',
    'XKS_PROXY_INVALID_RESPONSE'],
  ['no key manager that serves', { change: { ekmFleetDetails:
    [{ id: 'a', model: 'b', healthStatus: 'UNAVAILABLE' }] } },
  'XksProxyInvalidResponseException', 'XKS_PROXY_INVALID_RESPONSE'],
  ['a closed connection', { reset: true }, 'XksProxyUriUnreachableException',
    'XKS_PROXY_NOT_REACHABLE'],
];

test('what a proxy does wrong is told when a store is made and when it is connected', async () => {
  const id = await create('wrong');
  for (const [what, mode, exception, code] of misbehaviours) {
    proxy.mode = mode;
    proxy.path = '/never/kms/xks/v1';
    const error = await failure(create('never', { XksProxyUriPath: proxy.path }));
    assert.equal(error.name, exception, what);
    proxy.path = '/kms/xks/v1';
    await connect(id);
    const failed = await describe(id);
    assert.equal(failed.ConnectionState, 'FAILED', what);
    assert.equal(failed.ConnectionErrorCode, code, what);
    await refused('CustomKeyStoreInvalidStateException', connect(id));
    await refused('CustomKeyStoreInvalidStateException', update(id, { NewCustomKeyStoreName: 'x' }));
    await disconnect(id);
    assert.equal((await describe(id)).ConnectionErrorCode, undefined);
  }
  proxy.mode = {};
  await refused('XksProxyUriUnreachableException',
    create('dead', { XksProxyUriEndpoint: 'https://dead.example.com' }));
  await refused('XksProxyIncorrectAuthenticationCredentialException', create('bad', {
    XksProxyUriPath: '/bad/kms/xks/v1', XksProxyAuthenticationCredential: { ...proxyCredential,
      RawSecretAccessKey: 'x'.repeat(43) } }));
  await remove(id);
});

test('states allow what AWS allows', async () => {
  const id = await create('states');
  await refused('CustomKeyStoreInvalidStateException', disconnect(id));
  await refused('CustomKeyStoreInvalidStateException', createKey(id, 'any'));
  await connect(id);
  await refused('CustomKeyStoreInvalidStateException', remove(id));
  await refused('CustomKeyStoreInvalidStateException',
    update(id, { XksProxyUriEndpoint: 'https://other.example.com' }));
  await update(id, { NewCustomKeyStoreName: 'renamed' });
  assert.equal((await describe(id)).CustomKeyStoreName, 'renamed');
  const AccessKeyId = 'ZYXWVUTSRQPONMLKJIHG2345';
  await refused('XksProxyIncorrectAuthenticationCredentialException', update(id,
    { XksProxyAuthenticationCredential: { ...proxyCredential, AccessKeyId } }));
  assert.equal((await describe(id)).XksProxyConfiguration.AccessKeyId, proxyCredential.AccessKeyId);
  proxy.credential = { ...proxyCredential, AccessKeyId };
  await update(id, { XksProxyAuthenticationCredential: proxy.credential });
  assert.equal((await describe(id)).XksProxyConfiguration.AccessKeyId, AccessKeyId);
  await refused('ValidationException', update(id, {}));
  await refused('ValidationException', update(id, { KeyStorePassword: 'password' }));
  await disconnect(id);
  await refused('XksProxyInvalidConfigurationException',
    update(id, { XksProxyUriPath: '/elsewhere/kms/xks/v1' }));
  await refused('XksProxyUriUnreachableException',
    update(id, { XksProxyUriEndpoint: 'https://dead.example.com' }));
  proxy.credential = proxyCredential;
  const other = await create('other', { XksProxyUriPath: '/kms/xks/v01' }).catch(() => undefined);
  assert.equal(other, undefined, 'the proxy has one path');
  await remove(id);
});

test('a key encrypts and decrypts through its proxy, and under our own layer', async () => {
  await withStore('use', async (id) => {
    proxy.addKey('key.one');
    proxy.metadata = Buffer.from('version=7');
    proxy.ivBytes = 16;
    const metadata = await createKey(id, 'key.one', { Description: 'outside',
      Tags: [{ TagKey: 'a', TagValue: 'b' }] });
    assert.equal(metadata.Origin, 'EXTERNAL_KEY_STORE');
    assert.equal(metadata.KeyState, 'Enabled');
    assert.equal(metadata.CustomKeyStoreId, id);
    assert.deepEqual(metadata.XksKeyConfiguration, { Id: 'key.one' });
    assert.equal(metadata.CurrentKeyMaterialId, undefined);
    assert.equal(metadata.MultiRegion, false);
    const { KeyId, Arn } = metadata;
    const EncryptionContext = { project: 'nile' };
    const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, EncryptionContext,
      Plaintext: bytes('hello') }));
    const sent = proxy.requests.at(-1);
    assert.equal(sent.call, '/keys/key.one/encrypt');
    assert.equal(sent.body.requestMetadata.kmsKeyArn, Arn);
    assert.equal(sent.body.requestMetadata.kmsOperation, 'Encrypt');
    assert.match(sent.body.requestMetadata.awsPrincipalArn, /^arn:aws:iam::111122223333:user\//);
    assert.match(sent.body.requestMetadata.kmsRequestId, /^[0-9a-f-]{36}$/);
    assert.ok(!Buffer.from(sent.body.plaintext, 'base64').includes('hello'), 'sealed by us first');
    const opened = await send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext }));
    assert.equal(text(opened.Plaintext), 'hello');
    assert.equal(opened.KeyId, Arn);
    assert.equal(opened.KeyMaterialId, undefined);
    const wrong = await failure(send(new kms.DecryptCommand({ CiphertextBlob })));
    assert.equal(wrong.name, 'KMSInvalidStateException');
    assert.match(wrong.message, /specified ciphertext or encryption context is corrupted/);
    for (const at of [0, 5, 30, 53, 60, 90, CiphertextBlob.length - 1]) {
      const changed = CiphertextBlob.slice();
      changed[at] ^= 1;
      const error = await failure(send(new kms.DecryptCommand({ CiphertextBlob: changed,
        EncryptionContext, KeyId })));
      assert.match(error.name, /InvalidCiphertext|KMSInvalidState|AccessDenied/, `byte ${at}`);
    }
    const largest = new Uint8Array(4096).fill(7);
    const big = await send(new kms.EncryptCommand({ KeyId, Plaintext: largest }));
    assert.ok(big.CiphertextBlob.length <= 6144);
    assert.deepEqual((await send(new kms.DecryptCommand({ CiphertextBlob: big.CiphertextBlob })))
      .Plaintext, largest);
    const dataKey = await send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
    assert.equal(dataKey.KeyMaterialId, undefined);
    assert.deepEqual((await send(new kms.DecryptCommand(
      { CiphertextBlob: dataKey.CiphertextBlob }))).Plaintext, dataKey.Plaintext);
    const without = await send(
      new kms.GenerateDataKeyWithoutPlaintextCommand({ KeyId, NumberOfBytes: 20 }));
    assert.equal((await send(new kms.DecryptCommand({ CiphertextBlob: without.CiphertextBlob })))
      .Plaintext.length, 20);
    const { KeyMetadata: here } = await send(new kms.CreateKeyCommand({}));
    const moved = await send(new kms.ReEncryptCommand({ CiphertextBlob,
      SourceEncryptionContext: EncryptionContext, DestinationKeyId: here.KeyId }));
    assert.equal(text((await send(new kms.DecryptCommand(
      { CiphertextBlob: moved.CiphertextBlob }))).Plaintext), 'hello');
    const back = await send(new kms.ReEncryptCommand(
      { CiphertextBlob: moved.CiphertextBlob, DestinationKeyId: KeyId }));
    assert.equal(text((await send(new kms.DecryptCommand(
      { CiphertextBlob: back.CiphertextBlob }))).Plaintext), 'hello');
    const before = proxy.requests.length;
    await refused('DryRunOperationException', send(new kms.EncryptCommand(
      { KeyId, Plaintext: bytes('x'), DryRun: true })));
    await refused('DryRunOperationException', send(new kms.GenerateDataKeyCommand(
      { KeyId, KeySpec: 'AES_256', DryRun: true })));
    assert.equal(proxy.requests.length, before, 'a dry run asks nobody');
    proxy.metadata = undefined;
    proxy.ivBytes = undefined;
  });
});

test('what keys of custom key stores cannot do is refused by their origin', async () => {
  await withStore('cannot', async (id) => {
    proxy.addKey('k');
    const { KeyId, Arn } = await createKey(id, 'k');
    const origin = `${Arn} origin is EXTERNAL_KEY_STORE which is not valid for this operation.`;
    for (const command of [new kms.EnableKeyRotationCommand({ KeyId }),
      new kms.DisableKeyRotationCommand({ KeyId }), new kms.RotateKeyOnDemandCommand({ KeyId }),
      new kms.ListKeyRotationsCommand({ KeyId }),
      new kms.GetParametersForImportCommand({ KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_2048' }),
      new kms.DeleteImportedKeyMaterialCommand({ KeyId }),
      new kms.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })]) {
      const error = await failure(send(command));
      assert.equal(error.name, 'UnsupportedOperationException', command.constructor.name);
      assert.equal(error.message, origin, command.constructor.name);
    }
    const status = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
    assert.equal(status.KeyRotationEnabled, false);
    await refused('UnsupportedOperationException',
      send(new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: 'eu-west-1' })));
    await refused('UnsupportedOperationException',
      send(new kms.GenerateRandomCommand({ NumberOfBytes: 8, CustomKeyStoreId: id })));
    await refused('XksKeyAlreadyInUseException', createKey(id, 'k'));
    await refused('XksKeyNotFoundException', createKey(id, 'absent'));
    await refused('ValidationException', createKey(id, undefined));
    await refused('ValidationException', createKey(id, '..'));
    await refused('ValidationException', createKey(undefined, 'k'));
    await refused('ValidationException', createKey(id, 'k', { Origin: 'AWS_KMS' }));
    await refused('ValidationException', createKey(id, undefined, { Origin: 'AWS_CLOUDHSM' }));
    await refused('ValidationException',
      createKey(id, 'k2', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }));
    await refused('UnsupportedOperationException', createKey(id, 'k2', { MultiRegion: true }));
    await refused('MalformedPolicyDocumentException',
      (proxy.addKey('k3'), createKey(id, 'k3', { Policy: '{' })));
    for (const facts of [{ keySpec: 'AES_128' }, { keyUsage: ['ENCRYPT'] },
      { keyStatus: 'DISABLED' }]) {
      proxy.addKey('bad', facts);
      await refused('XksKeyInvalidConfigurationException', createKey(id, 'bad'));
    }
  });
});

test('a proxy that fails while a key is used is told with AWS\'s words, and changes nothing', async () => {
  await withStore('fails', async (id) => {
    proxy.addKey('k');
    const { KeyId } = await createKey(id, 'k');
    const encrypt = () => send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') }));
    const { CiphertextBlob } = await encrypt();
    const decrypt = () => send(new kms.DecryptCommand({ CiphertextBlob }));
    for (const [mode, words] of [
      [{ refuse: [400, 'InvalidStateException'] }, /is not enabled in the external key manager/],
      [{ refuse: [400, 'InvalidKeyUsageException'] }, /does not support the requested operation/],
      [{ refuse: [401, 'AuthenticationFailedException'] }, /could not authenticate AWS KMS/],
      [{ refuse: [403, 'AccessDeniedException'] }, /denied access to the operation/],
      [{ refuse: [404, 'KeyNotFoundException'] }, /was not found in its external key manager/],
      [{ refuse: [404, 'InvalidUriPathException'] }, /invalid URI path/],
      [{ refuse: [429, 'ThrottlingException'] }, /very high request rate/],
      [{ refuse: [500, 'InternalException'] }, /cannot communicate with the external key manager/],
      [{ refuse: [503, 'DependencyTimeoutException'] }, /in the time allotted/],
      [{ raw: '{}' }, /cannot interpret the response/],
      [{ raw: `{"x":"${'y'.repeat(40000)}"}` }, /cannot (interpret|communicate)/],
      [{ reset: true }, /cannot communicate with the external key store proxy/],
    ]) {
      proxy.mode = mode;
      for (const call of [encrypt, decrypt]) {
        const error = await failure(call());
        assert.equal(error.name, 'KMSInvalidStateException', JSON.stringify(mode).slice(0, 80));
        assert.match(error.message, words);
      }
    }
    proxy.mode = { change: { ciphertextDataIntegrityValue: Buffer.alloc(32).toString('base64') } };
    assert.match((await failure(encrypt())).message, /cannot interpret/, 'integrity is checked');
    proxy.mode = { change: { initializationVector: Buffer.alloc(11).toString('base64') } };
    assert.match((await failure(encrypt())).message, /cannot interpret/);
    proxy.mode = { change: { plaintext: Buffer.alloc(77).toString('base64') } };
    assert.match((await failure(decrypt())).message,
      /The ciphertext that the external key store proxy submitted for decryption/,
      'our own layer notices');
    proxy.mode = {};
    assert.equal(text((await decrypt()).Plaintext), 'x');
  });
});

test('disconnecting makes keys unavailable, and connecting gives them back as they were', async () => {
  await withStore('pause', async (id) => {
    for (const key of ['on', 'off', 'toggled', 'doomed']) proxy.addKey(key);
    const on = (await createKey(id, 'on')).KeyId;
    const off = (await createKey(id, 'off')).KeyId;
    const toggled = (await createKey(id, 'toggled')).KeyId;
    const doomed = (await createKey(id, 'doomed')).KeyId;
    await send(new kms.DisableKeyCommand({ KeyId: off }));
    const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId: on,
      Plaintext: bytes('x') }));
    await send(new kms.ScheduleKeyDeletionCommand({ KeyId: doomed, PendingWindowInDays: 7 }));
    await disconnect(id);
    for (const KeyId of [on, off, toggled]) assert.equal(await stateOf(KeyId), 'Unavailable');
    assert.equal(await stateOf(doomed), 'PendingDeletion');
    const seen = (await send(new kms.DescribeKeyCommand({ KeyId: on }))).KeyMetadata;
    assert.equal(seen.Enabled, false);
    const error = await failure(send(new kms.DecryptCommand({ CiphertextBlob })));
    assert.equal(error.name, 'KMSInvalidStateException');
    assert.equal(error.message, `${seen.Arn} is unavailable.`);
    await send(new kms.DisableKeyCommand({ KeyId: toggled }));
    assert.equal(await stateOf(toggled), 'Unavailable', 'not before it is connected');
    await send(new kms.TagResourceCommand({ KeyId: on, Tags: [{ TagKey: 'a', TagValue: 'b' }] }));
    await send(new kms.UpdateKeyDescriptionCommand({ KeyId: on, Description: 'still' }));
    await refused('CustomKeyStoreHasCMKsException', remove(id));
    await send(new kms.CancelKeyDeletionCommand({ KeyId: doomed }));
    assert.equal(await stateOf(doomed), 'Unavailable');
    await connect(id);
    assert.equal(await stateOf(on), 'Enabled');
    assert.equal(await stateOf(off), 'Disabled');
    assert.equal(await stateOf(toggled), 'Disabled');
    assert.equal(await stateOf(doomed), 'Disabled');
    assert.equal(text((await send(new kms.DecryptCommand({ CiphertextBlob }))).Plaintext), 'x');
  });
});

test('a proxy that hangs holds up its own keys and nobody else', async () => {
  await withStore('hangs', async (id) => {
    proxy.addKey('k');
    const { KeyId } = await createKey(id, 'k');
    const { KeyMetadata: here } = await send(new kms.CreateKeyCommand({}));
    proxy.mode = { slow: 1500 };
    const hung = Array.from({ length: 30 }, () =>
      send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') })).then(() => 'served',
        (error) => error.name));
    let others = 0;
    let done = false;
    const all = Promise.all(hung).then((ends) => { done = true; return ends; });
    while (!done) {
      await send(new kms.EncryptCommand({ KeyId: here.KeyId, Plaintext: bytes('y') }));
      others += 1;
      await clock();
    }
    const ends = await all;
    assert.ok(others > 3, `${others} calls of others`);
    assert.ok(ends.filter((end) => end === 'served').length >= 12, ends.join());
    assert.ok(ends.every((end) => end === 'served' || end === 'KMSInvalidStateException'));
  });
});

test('a proxy that is too slow is not waited for', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'keyturn-xks-'));
  const slow = await XksProxy.start();
  const impatient = await Server.start({ args: ['--xks-route', `xks.example.com=${slow.url}`,
    '--xks-timeout-ms', '250'] });
  slow.mode = { slow: 3000 };
  const error = await failure(impatient.client().send(
    new kms.CreateCustomKeyStoreCommand(properties('slow'))));
  assert.equal(error.name, 'XksProxyUriUnreachableException');
  assert.match(error.message, /did not respond in time/);
  await impatient.stop();
  await slow.stop();
  rmSync(root, { recursive: true });
});

test('TLS is checked: the certificate, and the name in it', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'keyturn-xks-'));
  const certificate = (name) => {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
      'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path.join(root, `${name}.key`), '-out',
      path.join(root, `${name}.pem`), '-days', '2', '-subj', `/CN=${name}`, '-addext',
      `subjectAltName=${/^\d/.test(name) ? 'IP' : 'DNS'}:${name}`], { stdio: 'ignore' });
    return { cert: readFileSync(path.join(root, `${name}.pem`)),
      key: readFileSync(path.join(root, `${name}.key`)) };
  };
  const good = await XksProxy.start({ tls: certificate('127.0.0.1') });
  const misnamed = await XksProxy.start({ tls: certificate('elsewhere.example.com'),
    hostname: 'misnamed.example.com' });
  const bundle = path.join(root, 'bundle.pem');
  execFileSync('sh', ['-c', `cat ${root}/*.pem > ${bundle}`]);
  const args = ['--xks-route', `xks.example.com=${good.url}`, '--xks-route',
    `misnamed.example.com=${misnamed.url}`, '--xks-timeout-ms', '20000'];
  const trusting = await Server.start({ args: [...args, '--xks-ca-file', bundle] });
  const { CustomKeyStoreId } = await trusting.client().send(
    new kms.CreateCustomKeyStoreCommand(properties('tls')));
  assert.ok(CustomKeyStoreId);
  const error = await failure(trusting.client().send(new kms.CreateCustomKeyStoreCommand(
    properties('misnamed', { XksProxyUriEndpoint: 'https://misnamed.example.com' }))));
  assert.equal(error.name, 'XksProxyUriUnreachableException');
  assert.match(error.message, /cannot establish a TLS connection/);
  await trusting.stop();
  const wary = await Server.start({ args });
  const distrusted = await failure(wary.client().send(
    new kms.CreateCustomKeyStoreCommand(properties('tls'))));
  assert.match(distrusted.message, /cannot establish a TLS connection/);
  await wary.stop();
  await good.stop();
  await misnamed.stop();
  rmSync(root, { recursive: true });
});

test('transient states last as long as the setting says, and end by themselves', async () => {
  const slow = await Server.start({ args: ['--xks-route', `xks.example.com=${proxy.url}`,
    '--xks-timeout-ms', '20000', '--settle-seconds', '2'] });
  const there = slow.client();
  const { CustomKeyStoreId } = await there.send(
    new kms.CreateCustomKeyStoreCommand(properties('settle')));
  const state = async () => (await there.send(new kms.DescribeCustomKeyStoresCommand(
    { CustomKeyStoreId }))).CustomKeyStores[0].ConnectionState;
  await there.send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  assert.equal(await state(), 'CONNECTING');
  await there.send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  await refused('CustomKeyStoreInvalidStateException', there.send(
    new kms.DeleteCustomKeyStoreCommand({ CustomKeyStoreId })));
  await until(state, (now) => now === 'CONNECTED', { every: 20 });
  await there.send(new kms.DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  assert.equal(await state(), 'DISCONNECTING');
  for (const Command of [kms.ConnectCustomKeyStoreCommand, kms.DisconnectCustomKeyStoreCommand,
    kms.DeleteCustomKeyStoreCommand]) {
    await refused('CustomKeyStoreInvalidStateException',
      there.send(new Command({ CustomKeyStoreId })));
  }
  await until(state, (now) => now === 'DISCONNECTED', { every: 20 });
  await slow.stop();
});

test('a killed server has its stores again, connected ones connected', async () => {
  const mine = await Server.start({ args: ['--xks-route', `xks.example.com=${proxy.url}`,
    '--xks-timeout-ms', '20000'] });
  let there = mine.client();
  const { CustomKeyStoreId } = await there.send(
    new kms.CreateCustomKeyStoreCommand(properties('killed')));
  await there.send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  proxy.addKey('survivor');
  const { KeyMetadata: { KeyId } } = await there.send(new kms.CreateKeyCommand(
    { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'survivor' }));
  const { CiphertextBlob } = await there.send(new kms.EncryptCommand(
    { KeyId, Plaintext: bytes('x') }));
  const seen = proxy.requests.length;
  await mine.kill();
  await mine.launch();
  there = mine.client();
  assert.equal(text((await there.send(new kms.DecryptCommand({ CiphertextBlob }))).Plaintext), 'x');
  const asked = () => proxy.requests.slice(seen)
    .some(({ body }) => body.requestMetadata.kmsOperation === 'KmsHealthCheck');
  while (!asked()) await clock();
  await there.send(new kms.DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  await mine.kill();
  await mine.launch();
  there = mine.client();
  const { KeyMetadata } = await there.send(new kms.DescribeKeyCommand({ KeyId }));
  assert.equal(KeyMetadata.KeyState, 'Unavailable');
  await mine.stop();
});

test('an attested recipient gets what a key outside has decrypted, in an envelope', async () => {
  const enclave = generateKeyPairSync('rsa', { modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
    AttestationDocument: authority.document(enclave.publicKey) };
  const open = (envelope) => authority.open(Buffer.from(envelope), enclave.privateKey);
  await withStore('recipient', async (id) => {
    proxy.addKey('k');
    const { KeyId } = await createKey(id, 'k');
    const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') }));
    const answer = await send(new kms.DecryptCommand({ CiphertextBlob, Recipient }));
    assert.equal(answer.Plaintext, undefined);
    assert.equal(open(answer.CiphertextForRecipient).toString(), 'x');
    const dataKey = await send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', Recipient }));
    assert.equal(dataKey.Plaintext, undefined);
    const plain = await send(new kms.DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }));
    assert.deepEqual(open(dataKey.CiphertextForRecipient), Buffer.from(plain.Plaintext));
  });
});

test('the trail has every call and no secret', async () => {
  await withStore('trail', async (id) => {
    proxy.addKey('audited');
    const { KeyId } = await createKey(id, 'audited');
    await send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') }));
  });
  const records = trailRecords(server.dataDir);
  for (const name of ['CreateCustomKeyStore', 'ConnectCustomKeyStore', 'DisconnectCustomKeyStore',
    'UpdateCustomKeyStore', 'DeleteCustomKeyStore', 'DescribeCustomKeyStores']) {
    const some = records.filter(({ eventName }) => eventName === name);
    assert.ok(some.length > 0, name);
    assert.ok(some.every(({ readOnly }) => readOnly === name.startsWith('Describe')), name);
  }
  const created = records.find(({ eventName, errorCode, requestParameters }) => !errorCode
    && eventName === 'CreateCustomKeyStore' && requestParameters.customKeyStoreName === 'trail');
  assert.match(created.responseElements.customKeyStoreId, /^cks-/);
  const used = records.findLast(({ eventName }) => eventName === 'Encrypt');
  assert.equal(used.additionalEventData.xksKeyId, 'audited');
  assert.equal(used.additionalEventData.customKeyStoreId,
    created.responseElements.customKeyStoreId);
  const everything = trailLines(server.dataDir).join('\n') + server.errors;
  assert.ok(!everything.includes(proxyCredential.RawSecretAccessKey));
  assert.ok(!everything.includes(proxyCredential.AccessKeyId));
  const stored = readFileSync(path.join(server.dataDir, 'keyturn.db'));
  const log = readFileSync(path.join(server.dataDir, 'keyturn.db-wal'));
  for (const file of [stored, log]) {
    assert.ok(!file.includes(proxyCredential.RawSecretAccessKey), 'sealed at rest');
  }
});

test('settings that make no sense are refused before anything starts', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'keyturn-xks-'));
  for (const [args, words] of [
    [['--xks-route', 'xks.example.com'], /it is HOST=URL/],
    [['--xks-route', 'xks.example.com=http://10.0.0.1:80'], /is not https/],
    [['--xks-route', 'a=https://b', '--xks-route', 'a=https://c'], /has a route already/],
    [['--xks-ca-file', '/nowhere.pem'], /cannot read the CA bundle/],
    [['--hsm-cluster', 'mycluster,module=/x,token=y'], /the id is cluster-/],
    [['--hsm-cluster', 'cluster-abcdefghijk,module=x,token=y'], /module is an absolute path/],
    [['--hsm-cluster', 'cluster-abcdefghijk,module=/nowhere.so,token=y'], /is not a file/],
    [['--hsm-cluster', 'cluster-abcdefghijk,module=/bin/sh,token=y,colour=red'], /'colour=red'/],
  ]) {
    const end = await run(['serve', '--dev', '--data-dir', path.join(dir, 'data'), '--listen',
      '127.0.0.1:0', ...args]);
    assert.equal(end.code, 1, args.join(' '));
    assert.match(end.stderr, words);
  }
  rmSync(dir, { recursive: true });
});
