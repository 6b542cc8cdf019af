// Does every operation that reaches a custom key store answer with each error that it declares, take
// each spelling of a key's name there, and keep other accounts out? What these stores do when all is
// well: custom_key_stores.test.mjs and token_key_stores.test.mjs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Authority } from '../lib/attestation.mjs';
import { person } from '../lib/people.mjs';
import { Server, account, failure, region } from '../lib/server.mjs';
import { SoftHsm, badModule, softhsm } from '../lib/softhsm.mjs';
import { trailRecords } from '../lib/trail.mjs';
import { XksProxy, proxyCredential } from '../lib/xks_proxy.mjs';

const pin = 'kmsuser-password';
const other = '444455556666';
const data = Buffer.from('data');
const arnOf = (id) => `arn:aws:kms:${region}:${account}:${id}`;
const clusterOf = (letter) => `cluster-${letter.repeat(11)}`;
const cluster = (letter, module, token = letter) =>
  ['--hsm-cluster', `${clusterOf(letter)},module=${module},token=${token}`];

let hsm;
let proxy;
let authority;
let server;
let client;
let stranger;
let anchor;
let args;
const send = (operation, input, on = client) => on.send(new kms[`${operation}Command`](input));
const refused = async (name, promise, why) => {
  const error = await failure(promise);
  assert.equal(error.name, name, `${why ?? ''} ${error.message}`);
  return error;
};

before(async () => {
  hsm = new SoftHsm();
  hsm.misbehave();
  for (const letter of 'abcde') hsm.initialize(letter, pin);
  const file = path.join(hsm.root, 'anchor.pem');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
    '-nodes', '-keyout', path.join(hsm.root, 'anchor.key'), '-out', file, '-days', '2', '-subj',
    '/CN=anchor'], { stdio: 'ignore' });
  anchor = readFileSync(file, 'utf8');
  proxy = await XksProxy.start();
  authority = new Authority();
  // a, b, e: a module that may misbehave; c, d: SoftHSM; z: a token that is not there.
  args = ['--attestation-root', authority.rootFile, '--xks-route', `xks.example.com=${proxy.url}`,
    '--xks-timeout-ms', '20000', '--hsm-timeout-ms', '20000', ...cluster('c', softhsm),
    ...cluster('d', softhsm), ...cluster('z', softhsm)];
  server = await Server.start({ env: hsm.env,
    args: [...args, ...['a', 'b', 'e'].flatMap((letter) => cluster(letter, badModule))] });
  client = server.client();
  stranger = server.client({ credentials: await person(server, 'stranger',
    [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }], '--account', other) });
});
beforeEach(() => {
  hsm.misbehave();
  proxy.mode = {};
});
after(async () => {
  await server?.stop();
  await proxy?.stop();
  authority?.close();
  hsm?.remove();
});

const tokenStore = (name, letter) => ({ CustomKeyStoreName: name, CloudHsmClusterId: clusterOf(letter),
  KeyStorePassword: pin, TrustAnchorCertificate: anchor });
const proxyStore = (name, more = {}) => ({ CustomKeyStoreName: name,
  CustomKeyStoreType: 'EXTERNAL_KEY_STORE', XksProxyConnectivity: 'PUBLIC_ENDPOINT',
  XksProxyUriEndpoint: 'https://xks.example.com', XksProxyUriPath: proxy.path,
  XksProxyAuthenticationCredential: proxyCredential, ...more });
const create = async (input, on) => (await send('CreateCustomKeyStore', input, on)).CustomKeyStoreId;
const connect = (CustomKeyStoreId) => send('ConnectCustomKeyStore', { CustomKeyStoreId });
const disconnect = (CustomKeyStoreId) => send('DisconnectCustomKeyStore', { CustomKeyStoreId });
const remove = (CustomKeyStoreId) => send('DeleteCustomKeyStore', { CustomKeyStoreId });
const update = (CustomKeyStoreId, more) => send('UpdateCustomKeyStore', { CustomKeyStoreId, ...more });
const stateOf = async (CustomKeyStoreId) =>
  (await send('DescribeCustomKeyStores', { CustomKeyStoreId })).CustomKeyStores[0].ConnectionState;
const createKey = async (CustomKeyStoreId, more = {}, on = client) => (await send('CreateKey',
  { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId, ...more }, on)).KeyMetadata.KeyId;

// besides repeats a call as long as it ends with one of these errors: a worker that was ended is
// started again after a pause.
async function besides(names, call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!names.includes(error.name)) throw error;
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
  }
}
const working = (call) => besides(['KMSInternalException', 'KeyUnavailableException',
  'DependencyTimeoutException'], call);
const connected = async (input) => {
  const id = await create(input);
  await working(() => connect(id));
  assert.equal(await stateOf(id), 'CONNECTED');
  return id;
};

// uses: every operation that needs the token for one key.
async function usesOf(KeyId) {
  const { CiphertextBlob } = await working(() => send('Encrypt', { KeyId, Plaintext: data }));
  const here = (await send('CreateKey', {})).KeyMetadata.KeyId;
  const moved = (await send('Encrypt', { KeyId: here, Plaintext: data })).CiphertextBlob;
  return {
    Encrypt: () => send('Encrypt', { KeyId, Plaintext: data }),
    Decrypt: () => send('Decrypt', { CiphertextBlob }),
    GenerateDataKey: () => send('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }),
    GenerateDataKeyWithoutPlaintext: () =>
      send('GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }),
    ReEncrypt: () => send('ReEncrypt', { CiphertextBlob: moved, DestinationKeyId: KeyId }),
  };
}

test('a cluster whose token lacks what is needed is wrongly configured', async () => {
  const wrong = 'CloudHsmClusterInvalidConfigurationException';
  hsm.misbehave('lack mechanism');
  await refused(wrong, create(tokenStore('lacks', 'a')));
  hsm.misbehave();
  const id = await working(() => connected(tokenStore('lacks', 'a')));
  await disconnect(id);
  hsm.misbehave('lack mechanism');
  await refused(wrong, connect(id));
  assert.equal(await stateOf(id), 'DISCONNECTED');
  await refused(wrong, update(id, { CloudHsmClusterId: clusterOf('b') }));
  hsm.misbehave();
  await working(() => connect(id));
  // The worker is started again: what it finds then counts.
  hsm.misbehave('crash generate');
  await refused('KMSInternalException', createKey(id));
  hsm.misbehave('lack mechanism');
  await refused(wrong, besides(['KMSInternalException'], () => createKey(id)));
  hsm.misbehave();
  await working(() => createKey(id));
  await disconnect(id);
});

test('a cluster whose token is gone is not active', async () => {
  const id = await create(tokenStore('gone', 'c'));
  await server.kill('SIGTERM');
  const before = server.args;
  server.args = [...args.filter((each) => !each.startsWith(clusterOf('c'))), ...cluster('c', softhsm, 'none')]
    .filter((each, at, all) => each !== '--hsm-cluster' || all[at + 1] !== '--hsm-cluster');
  await server.launch({ samePort: true });
  await refused('CloudHsmClusterNotActiveException', connect(id));
  assert.equal(await stateOf(id), 'DISCONNECTED');
  await refused('CloudHsmClusterNotActiveException', update(id, { CloudHsmClusterId: clusterOf('z') }));
  await refused('CloudHsmClusterNotActiveException', create(tokenStore('never', 'z')));
  await server.kill('SIGTERM');
  server.args = before;
  await server.launch({ samePort: true });
  await connect(id);
  await disconnect(id);
  await remove(id);
});

test('every operation on stores says when a name is taken, an address in use, or a proxy wrong', async () => {
  const first = await create(proxyStore('first'));
  proxy.path = '/second/kms/xks/v1';
  const second = await create(proxyStore('second'));
  await refused('CustomKeyStoreNameInUseException', update(second, { NewCustomKeyStoreName: 'first' }));
  await refused('XksProxyUriInUseException', update(second, { XksProxyUriPath: '/kms/xks/v1' }));
  await refused('XksProxyVpcEndpointServiceNotFoundException', update(second, {
    XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
    XksProxyVpcEndpointServiceName: 'com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0' }));
  proxy.mode = { raw: 'no JSON' };
  await refused('XksProxyInvalidResponseException',
    update(second, { XksProxyAuthenticationCredential: proxyCredential }));
  proxy.mode = { refuse: [403, 'AccessDeniedException'] };
  await refused('XksProxyIncorrectAuthenticationCredentialException',
    update(second, { XksProxyAuthenticationCredential: proxyCredential }));
  proxy.mode = {};
  await refused('CustomKeyStoreInvalidStateException', disconnect(second));
  await connect(second);
  await refused('CustomKeyStoreInvalidStateException', remove(second));
  await disconnect(second);
  for (const id of [first, second]) await remove(id);
  for (const operation of ['ConnectCustomKeyStore', 'DeleteCustomKeyStore', 'DescribeCustomKeyStores',
    'DisconnectCustomKeyStore']) {
    await refused('CustomKeyStoreNotFoundException', send(operation, { CustomKeyStoreId: second }), operation);
  }
  proxy.path = '/kms/xks/v1';
});

test('another account finds no store, and uses a key in one where its policy says so', async () => {
  const id = await connected(proxyStore('ours'));
  for (const [operation, more] of [['ConnectCustomKeyStore', {}], ['DisconnectCustomKeyStore', {}],
    ['UpdateCustomKeyStore', { NewCustomKeyStoreName: 'theirs' }], ['DeleteCustomKeyStore', {}],
    ['DescribeCustomKeyStores', {}], ['GenerateRandom', { NumberOfBytes: 8 }],
    ['CreateKey', { Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'k' }]]) {
    await refused('CustomKeyStoreNotFoundException',
      send(operation, { CustomKeyStoreId: id, ...more }, stranger), operation);
  }
  await refused('CustomKeyStoreNotFoundException',
    send('DescribeCustomKeyStores', { CustomKeyStoreName: 'ours' }, stranger));
  assert.deepEqual((await send('DescribeCustomKeyStores', {}, stranger)).CustomKeyStores, []);
  // Names and addresses are each account's own; a cluster is one store's in the whole deployment.
  const theirs = await create(proxyStore('ours'), stranger);
  await send('DeleteCustomKeyStore', { CustomKeyStoreId: theirs }, stranger);
  const token = await create(tokenStore('token', 'd'));
  await refused('CloudHsmClusterInUseException', create(tokenStore('token', 'd'), stranger));
  await remove(token);
  assert.equal(await stateOf(id), 'CONNECTED', 'nothing of it has changed');

  proxy.addKey('shared');
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [account, other].map((each) => ({
    Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${each}:root` }, Action: 'kms:*', Resource: '*' })) });
  const KeyId = await createKey(id, { Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'shared', Policy });
  const key = arnOf(`key/${KeyId}`);
  const { CiphertextBlob } = await send('Encrypt', { KeyId: key, Plaintext: data }, stranger);
  assert.deepEqual(Buffer.from((await send('Decrypt', { CiphertextBlob }, stranger)).Plaintext), data);
  assert.equal((await send('DescribeKey', { KeyId: key }, stranger)).KeyMetadata.CustomKeyStoreId, id);
  await disconnect(id);
  await refused('KMSInvalidStateException', send('Decrypt', { CiphertextBlob }, stranger));
});

test('a key in a store has four names, as every other', async () => {
  const id = await connected(tokenStore('names', 'c'));
  const KeyId = await createKey(id);
  const AliasName = 'alias/in-a-token';
  await send('CreateAlias', { AliasName, TargetKeyId: KeyId });
  for (const name of [KeyId, arnOf(`key/${KeyId}`), AliasName, arnOf(AliasName)]) {
    const { CiphertextBlob } = await send('Encrypt', { KeyId: name, Plaintext: data });
    await send('Decrypt', { KeyId: name, CiphertextBlob });
    await send('ReEncrypt', { SourceKeyId: name, DestinationKeyId: name, CiphertextBlob });
    await send('GenerateDataKey', { KeyId: name, KeySpec: 'AES_256' });
    await send('GenerateDataKeyWithoutPlaintext', { KeyId: name, KeySpec: 'AES_256' });
    assert.equal((await send('DescribeKey', { KeyId: name })).KeyMetadata.CustomKeyStoreId, id);
  }
  await refused('CustomKeyStoreHasCMKsException', disconnect(id).then(() => remove(id)));
});

test('random bytes of a token go in an envelope to the one who attested', async () => {
  const id = await connected(tokenStore('attested', 'd'));
  const enclave = generateKeyPairSync('rsa', { modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  const AttestationDocument = authority.document(enclave.publicKey);
  const random = (document, more = {}) => send('GenerateRandom', { NumberOfBytes: 100,
    CustomKeyStoreId: id, Recipient: { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
      AttestationDocument: document }, ...more });
  const [one, two] = [await random(AttestationDocument), await random(AttestationDocument)];
  const opened = [one, two].map(({ Plaintext, CiphertextForRecipient }) => {
    assert.equal(Plaintext, undefined);
    return authority.open(Buffer.from(CiphertextForRecipient), enclave.privateKey);
  });
  assert.equal(opened[0].length, 100);
  assert.notDeepEqual(opened[0], opened[1]);
  const changed = Buffer.from(AttestationDocument);
  changed[changed.length - 1] ^= 1;
  await refused('ValidationException', random(changed), 'before the token is asked');
  const record = trailRecords(server.dataDir).find(({ requestID }) => requestID === one.$metadata.requestId);
  assert.equal(record.requestParameters.customKeyStoreId, id);
  assert.match(record.additionalEventData.recipient.attestationDocumentModuleId, /^i-/);
  await disconnect(id);
  await refused('CustomKeyStoreInvalidStateException', random(AttestationDocument));
  await refused('CustomKeyStoreNotFoundException',
    random(AttestationDocument, { CustomKeyStoreId: 'cks-0123456789abcdef0' }));
  await remove(id);
});

test('a token that crashes is an internal error of every operation, or a key that is not to be had', async () => {
  const id = await connected(tokenStore('crashes', 'b'));
  const uses = await usesOf(await working(() => createKey(id)));
  const random = () => send('GenerateRandom', { NumberOfBytes: 8, CustomKeyStoreId: id });
  hsm.misbehave('crash use');
  for (const [operation, use] of Object.entries(uses)) {
    await refused('KMSInternalException', besides(['KeyUnavailableException'], use), operation);
    // The worker is not started again before a pause.
    const others = Object.values(uses).filter((each) => each !== use);
    for (const { name } of await Promise.all(others.map((again) => failure(again())))) {
      assert.match(name, /^(KeyUnavailable|KMSInternal)Exception$/);
    }
  }
  await refused('KMSInternalException', random());
  await refused('KMSInternalException', createKey(id));
  hsm.misbehave();
  await working(random);
  await disconnect(id);
  hsm.misbehave('crash probe');
  await refused('KMSInternalException', connect(id));
  await refused('KMSInternalException', update(id, { CloudHsmClusterId: clusterOf('e') }));
  await refused('KMSInternalException', create(tokenStore('never', 'e')));
});

test('a token that does not return is told as such by every operation that waits for it', async () => {
  const own = new SoftHsm();
  own.initialize('h', pin);
  own.misbehave();
  const mine = await Server.start({ env: own.env,
    args: [...cluster('h', badModule), '--hsm-timeout-ms', '20000'] });
  const known = client;
  client = mine.client();
  try {
    const id = await connected(tokenStore('hangs', 'h'));
    const uses = await usesOf(await createKey(id));
    await mine.kill('SIGTERM');
    mine.args = [...cluster('h', badModule), '--hsm-timeout-ms', '1000'];
    await mine.launch({ samePort: true });
    uses.GenerateRandom = () => send('GenerateRandom', { NumberOfBytes: 8, CustomKeyStoreId: id });
    uses.CreateKey = () => createKey(id);
    own.misbehave('hang use');
    for (const [operation, use] of Object.entries(uses)) {
      await refused('DependencyTimeoutException',
        besides(['KeyUnavailableException', 'KMSInternalException'], use), operation);
    }
    own.misbehave();
    await working(uses.Decrypt);
  } finally {
    client = known;
    await mine.stop();
    own.remove();
  }
});
