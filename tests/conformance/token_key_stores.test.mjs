// Does a CloudHSM key store do what AWS's does, with a PKCS#11 token behind it that may crash or hang?
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, failure } from '../lib/server.mjs';
import { SoftHsm, badModule, softhsm } from '../lib/softhsm.mjs';

const pin = 'kmsuser-password';
const text = (bytes) => new TextDecoder().decode(bytes);
const bytes = (value) => new TextEncoder().encode(value);
const soon = () => new Promise((resolve) => { setTimeout(resolve, 20); });

let hsm;
let server;
let client;
let anchor;
let stranger;
const send = (command) => client.send(command);

// One token and cluster a letter; j names a token that is not there, k a library that is no module.
const clusterOf = (letter) => `cluster-${letter.repeat(11)}`;

function certificate(root, name) {
  const file = path.join(root, `${name}.pem`);
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path.join(root, `${name}.key`), '-out',
    file, '-days', '2', '-subj', `/CN=${name}`], { stdio: 'ignore' });
  return file;
}

before(async () => {
  hsm = new SoftHsm();
  for (const letter of 'abcdefg') hsm.initialize(letter, pin);
  hsm.misbehave();
  const anchorFile = certificate(hsm.root, 'anchor');
  anchor = readFileSync(anchorFile, 'utf8');
  stranger = readFileSync(certificate(hsm.root, 'stranger'), 'utf8');
  const cluster = (letter, module = softhsm, more = '') =>
    ['--hsm-cluster', `${clusterOf(letter)},module=${module},token=${letter}${more}`];
  server = await Server.start({ env: hsm.env, args: [
    ...cluster('a', softhsm, `,trust-anchor=${anchorFile}`), ...cluster('b'), ...cluster('c'),
    ...cluster('d', badModule), ...cluster('e'), ...cluster('f'), ...cluster('g'), ...cluster('j'),
    ...cluster('k', '/lib/x86_64-linux-gnu/libm.so.6'), '--hsm-timeout-ms', '20000'] });
  client = server.client();
});
beforeEach(() => hsm.misbehave());
after(async () => {
  await server?.stop();
  hsm?.remove();
});

const properties = (name, letter, more = {}) => ({ CustomKeyStoreName: name,
  CloudHsmClusterId: clusterOf(letter), KeyStorePassword: pin, TrustAnchorCertificate: anchor,
  ...more });
const create = async (name, letter, more) => (await send(
  new kms.CreateCustomKeyStoreCommand(properties(name, letter, more)))).CustomKeyStoreId;
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
const createKey = async (CustomKeyStoreId, more = {}) => (await send(new kms.CreateKeyCommand(
  { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, ...more }))).KeyMetadata;
const refused = async (name, promise) => assert.equal((await failure(promise)).name, name);
async function connected(name, letter) {
  const id = await create(name, letter);
  await connect(id);
  assert.equal((await describe(id)).ConnectionState, 'CONNECTED');
  return id;
}
// dismantle takes a store away whose keys are none.
async function dismantle(id) {
  await disconnect(id);
  await remove(id);
}
// eventually repeats a call that may fail because a worker is being started again.
async function eventually(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!/KMSInternal|KeyUnavailable|DependencyTimeout/.test(error.name)) throw error;
      await soon();
    }
  }
}

test('a store is created, described, connected, disconnected and deleted', async () => {
  const id = await create('life', 'a');
  const made = await describe(id);
  assert.equal(made.CustomKeyStoreType, 'AWS_CLOUDHSM');
  assert.equal(made.CloudHsmClusterId, clusterOf('a'));
  assert.equal(made.TrustAnchorCertificate, anchor);
  assert.equal(made.XksProxyConfiguration, undefined);
  assert.equal(made.ConnectionState, 'DISCONNECTED');
  await connect(id);
  assert.equal((await describe(id)).ConnectionState, 'CONNECTED');
  await disconnect(id);
  await remove(id);
  await refused('CustomKeyStoreNotFoundException', remove(id));
});

test('clusters are the operator\'s: unknown, in use, not active, or no such anchor', async () => {
  await refused('CloudHsmClusterNotFoundException', create('x', 'z'));
  await refused('CloudHsmClusterNotActiveException', create('x', 'j'));
  await refused('CloudHsmClusterNotActiveException', create('x', 'k'));
  await refused('IncorrectTrustAnchorException',
    create('x', 'a', { TrustAnchorCertificate: stranger }));
  await refused('IncorrectTrustAnchorException',
    create('x', 'b', { TrustAnchorCertificate: 'no certificate' }));
  for (const missing of ['CloudHsmClusterId', 'KeyStorePassword', 'TrustAnchorCertificate']) {
    await refused('ValidationException', create('x', 'a', { [missing]: undefined }));
  }
  await refused('ValidationException',
    create('x', 'a', { XksProxyConnectivity: 'PUBLIC_ENDPOINT' }));
  const id = await create('taken', 'b');
  await refused('CloudHsmClusterInUseException', create('x', 'b'));
  const elsewhere = await failure(server.client({ region: 'eu-west-1' }).send(
    new kms.CreateCustomKeyStoreCommand(properties('x', 'b'))));
  assert.equal(elsewhere.name, 'CloudHsmClusterInUseException');
  await refused('CustomKeyStoreNameInUseException', create('taken', 'c'));
  await remove(id);
});

test('a wrong password fails the connection, and a right one mends it', async () => {
  const id = await create('password', 'a', { KeyStorePassword: 'wrong-password' });
  await connect(id);
  const failed = await describe(id);
  assert.equal(failed.ConnectionState, 'FAILED');
  assert.equal(failed.ConnectionErrorCode, 'INVALID_CREDENTIALS');
  await refused('CustomKeyStoreInvalidStateException', connect(id));
  await refused('CustomKeyStoreInvalidStateException', createKey(id));
  await disconnect(id);
  await update(id, { KeyStorePassword: pin });
  await connect(id);
  assert.equal((await describe(id)).ConnectionState, 'CONNECTED');
  await refused('CustomKeyStoreInvalidStateException', update(id, { KeyStorePassword: pin }));
  await refused('ValidationException', update(id, { XksProxyUriPath: '/kms/xks/v1' }));
  await dismantle(id);
});

test('a key lives in the token, and is used in it', async () => {
  const id = await connected('use', 'c');
  const metadata = await createKey(id);
  assert.equal(metadata.Origin, 'AWS_CLOUDHSM');
  assert.equal(metadata.KeyState, 'Enabled');
  assert.equal(metadata.CustomKeyStoreId, id);
  assert.equal(metadata.CloudHsmClusterId, clusterOf('c'));
  assert.equal(metadata.CurrentKeyMaterialId, undefined);
  assert.equal(metadata.XksKeyConfiguration, undefined);
  const { KeyId, Arn } = metadata;
  const EncryptionContext = { a: 'bc' };
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, EncryptionContext,
    Plaintext: bytes('hello') }));
  assert.ok(CiphertextBlob.length <= 5 + 152, 'no longer than AWS\'s');
  const opened = await send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext }));
  assert.equal(text(opened.Plaintext), 'hello');
  assert.equal(opened.KeyId, Arn);
  assert.equal(opened.KeyMaterialId, undefined);
  for (const context of [undefined, {}, { ab: 'c' }, { a: 'bd' }]) {
    await refused('InvalidCiphertextException', send(new kms.DecryptCommand(
      { CiphertextBlob, EncryptionContext: context })));
  }
  for (let at = 0; at < CiphertextBlob.length; at += 1) {
    const changed = CiphertextBlob.slice();
    changed[at] ^= 1;
    const error = await failure(send(new kms.DecryptCommand({ CiphertextBlob: changed,
      EncryptionContext })));
    assert.match(error.name, /InvalidCiphertext|AccessDenied/, `byte ${at}`);
  }
  const largest = new Uint8Array(4096).fill(7);
  const big = await send(new kms.EncryptCommand({ KeyId, Plaintext: largest }));
  assert.deepEqual((await send(new kms.DecryptCommand({ CiphertextBlob: big.CiphertextBlob })))
    .Plaintext, largest);
  const dataKey = await send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  assert.deepEqual((await send(new kms.DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob })))
    .Plaintext, dataKey.Plaintext);
  const { KeyMetadata: here } = await send(new kms.CreateKeyCommand({}));
  const moved = await send(new kms.ReEncryptCommand({ CiphertextBlob,
    SourceEncryptionContext: EncryptionContext, DestinationKeyId: here.KeyId }));
  const back = await send(new kms.ReEncryptCommand(
    { CiphertextBlob: moved.CiphertextBlob, DestinationKeyId: KeyId }));
  assert.equal(text((await send(new kms.DecryptCommand({ CiphertextBlob: back.CiphertextBlob })))
    .Plaintext), 'hello');
  for (const Command of [kms.EnableKeyRotationCommand, kms.RotateKeyOnDemandCommand,
    kms.ListKeyRotationsCommand]) {
    const error = await failure(send(new Command({ KeyId })));
    assert.equal(error.name, 'UnsupportedOperationException');
    assert.equal(error.message,
      `${Arn} origin is AWS_CLOUDHSM which is not valid for this operation.`);
  }
  assert.equal((await send(new kms.GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled,
    false);
  await refused('UnsupportedOperationException',
    send(new kms.GenerateDataKeyPairCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P256' })));
  await disconnect(id);
  assert.equal((await send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata.KeyState,
    'Unavailable');
  await refused('KMSInvalidStateException', send(new kms.DecryptCommand(
    { CiphertextBlob, EncryptionContext })));
  await refused('CustomKeyStoreHasCMKsException', remove(id));
  await connect(id);
  assert.equal(text((await send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext })))
    .Plaintext), 'hello');
});

test('random bytes come from the token of a connected store only', async () => {
  const id = await connected('random', 'e');
  const random = () => send(new kms.GenerateRandomCommand(
    { NumberOfBytes: 64, CustomKeyStoreId: id }));
  const [one, two] = [await random(), await random()];
  assert.equal(one.Plaintext.length, 64);
  assert.notDeepEqual(one.Plaintext, two.Plaintext);
  await disconnect(id);
  await refused('CustomKeyStoreInvalidStateException', random());
  await remove(id);
});

test('a refused CreateKey leaves no key in the token', async () => {
  const id = await connected('orphans', 'f');
  await refused('MalformedPolicyDocumentException', createKey(id, { Policy: '{' }));
  await refused('TagException', createKey(id, { Tags: [{ TagKey: 'aws:x', TagValue: 'y' }] }));
  await refused('ValidationException', createKey(id, { KeySpec: 'HMAC_256',
    KeyUsage: 'GENERATE_VERIFY_MAC' }));
  await refused('UnsupportedOperationException', createKey(id, { MultiRegion: true }));
  await refused('ValidationException', createKey(id, { Origin: 'EXTERNAL_KEY_STORE',
    XksKeyId: 'k' }));
  const objects = () => {
    const tokens = path.join(hsm.root, 'tokens');
    return readdirSync(tokens).flatMap((token) => readdirSync(path.join(tokens, token)))
      .filter((name) => name.endsWith('.object') && name !== 'token.object').length;
  };
  const before = objects();
  await createKey(id);
  while (objects() !== before + 1) await soon(); // the refused ones are deleted in the background
});

test('another token is related when it has every key', async () => {
  const id = await connected('related', 'g');
  const { KeyId } = await createKey(id);
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') }));
  await refused('CustomKeyStoreInvalidStateException',
    update(id, { CloudHsmClusterId: clusterOf('e') }));
  await disconnect(id);
  await refused('CloudHsmClusterNotFoundException',
    update(id, { CloudHsmClusterId: clusterOf('z') }));
  await refused('CloudHsmClusterNotActiveException',
    update(id, { CloudHsmClusterId: clusterOf('j') }));
  await refused('CloudHsmClusterNotRelatedException',
    update(id, { CloudHsmClusterId: clusterOf('e') }));
  await update(id, { CloudHsmClusterId: clusterOf('g'), NewCustomKeyStoreName: 'same' });
  await connect(id);
  assert.equal(text((await send(new kms.DecryptCommand({ CiphertextBlob }))).Plaintext), 'x');
});

test('a module that crashes costs the call, not the server', async () => {
  const id = await connected('crash', 'd');
  const { KeyId } = await createKey(id);
  const { KeyMetadata: here } = await send(new kms.CreateKeyCommand({}));
  const encrypt = () => send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') }));
  const { CiphertextBlob } = await encrypt();
  hsm.misbehave('crash encrypt');
  await refused('KMSInternalException', encrypt());
  await send(new kms.EncryptCommand({ KeyId: here.KeyId, Plaintext: bytes('y') }));
  hsm.misbehave('crash login');
  await assert.rejects(encrypt(), { name: /KMSInternalException|KeyUnavailableException/ });
  hsm.misbehave();
  const opened = await eventually(() => send(new kms.DecryptCommand({ CiphertextBlob })));
  assert.equal(text(opened.Plaintext), 'x', 'the key is where it was');
  hsm.misbehave('crash generate');
  await refused('KMSInternalException', createKey(id));
  hsm.misbehave();
  await eventually(() => createKey(id));
  assert.match(server.errors, /ended its process/);
  await disconnect(id);
  hsm.misbehave('crash probe');
  await refused('KMSInternalException', connect(id));
  hsm.misbehave();
  await eventually(() => connect(id));
  hsm.misbehave('lose encrypt');
  await refused('KMSInvalidStateException', encrypt());
  hsm.misbehave();
  await eventually(encrypt);
});

test('a module that does not return is ended in time, and holds up nobody else', async () => {
  const own = new SoftHsm();
  own.initialize('h', pin);
  own.misbehave();
  const mine = await Server.start({ env: own.env, args: ['--hsm-cluster',
    `${clusterOf('h')},module=${badModule},token=h`, '--hsm-timeout-ms', '3000'] });
  const there = mine.client();
  const { CustomKeyStoreId } = await there.send(
    new kms.CreateCustomKeyStoreCommand(properties('hang', 'h')));
  await there.send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  const { KeyMetadata: { KeyId } } = await eventually(() => there.send(new kms.CreateKeyCommand(
    { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })));
  const { KeyMetadata: here } = await there.send(new kms.CreateKeyCommand({}));
  own.misbehave('hang encrypt');
  let done = false;
  const hung = Promise.all(Array.from({ length: 20 }, () => failure(there.send(
    new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') })))))
    .then((errors) => { done = true; return errors.map(({ name }) => name); });
  let others = 0;
  while (!done) {
    await there.send(new kms.EncryptCommand({ KeyId: here.KeyId, Plaintext: bytes('y') }));
    others += 1;
    await soon();
  }
  assert.ok(others > 3);
  const names = await hung;
  assert.ok(names.includes('DependencyTimeoutException'), names.join());
  assert.ok(names.every((name) => /DependencyTimeout|KeyUnavailable/.test(name)), names.join());
  own.misbehave();
  await eventually(() => there.send(new kms.EncryptCommand({ KeyId, Plaintext: bytes('x') })));
  await mine.stop();
  own.remove();
});

test('a killed server takes its workers with it, and finds its keys again', async () => {
  const own = new SoftHsm();
  own.initialize('i', pin);
  const args = ['--hsm-cluster', `${clusterOf('i')},module=${softhsm},token=i`,
    '--hsm-timeout-ms', '20000'];
  const mine = await Server.start({ env: own.env, args });
  let there = mine.client();
  const { CustomKeyStoreId } = await there.send(
    new kms.CreateCustomKeyStoreCommand(properties('killed', 'i')));
  await there.send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  const { KeyMetadata: { KeyId } } = await there.send(new kms.CreateKeyCommand(
    { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId }));
  const { CiphertextBlob } = await there.send(new kms.EncryptCommand(
    { KeyId, Plaintext: bytes('x') }));
  const workers = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pkcs11-worker')
        && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(own.root);
    } catch {
      return false; // gone, or another's
    }
  });
  await mine.kill();
  while (workers().length > 0) await soon();
  await mine.launch();
  there = mine.client();
  const opened = await there.send(new kms.DecryptCommand({ CiphertextBlob }));
  assert.equal(text(opened.Plaintext), 'x');
  // Without the cluster the store is still connected, but its key cannot be used.
  await mine.kill();
  mine.args = [];
  await mine.launch();
  there = mine.client();
  const error = await failure(there.send(new kms.DecryptCommand({ CiphertextBlob })));
  assert.equal(error.name, 'KMSInvalidStateException');
  assert.match(error.message, /its cluster is not named by --hsm-cluster/);
  while (!mine.errors.includes(`${clusterOf('i')} is not named by --hsm-cluster`)) await soon();
  await there.send(new kms.DisconnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  await there.send(new kms.ConnectCustomKeyStoreCommand({ CustomKeyStoreId }));
  const { CustomKeyStores: [store] } = await there.send(new kms.DescribeCustomKeyStoresCommand(
    { CustomKeyStoreId }));
  assert.equal(store.ConnectionState, 'FAILED');
  assert.equal(store.ConnectionErrorCode, 'CLUSTER_NOT_FOUND');
  await mine.stop();
  own.remove();
});

test('neither trail, log nor database has the password', () => {
  const trail = path.join(server.dataDir, 'trail');
  const everything = readdirSync(trail).map((name) => readFileSync(path.join(trail, name), 'latin1'))
    .concat(server.errors, readFileSync(path.join(server.dataDir, 'keyturn.db'), 'latin1'),
      readFileSync(path.join(server.dataDir, 'keyturn.db-wal'), 'latin1')).join('\n');
  assert.ok(everything.includes('ConnectCustomKeyStore'));
  assert.ok(!everything.includes(pin));
  assert.ok(!everything.includes('wrong-password'));
});
