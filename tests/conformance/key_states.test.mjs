// Does every operation do in every state of a key what AWS's table says? The table is
// tests/data/key_states.json; each of its cells makes a key, brings it into the state and calls.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, account, failure } from '../lib/server.mjs';
import { call } from '../lib/raw.mjs';
import { until } from '../lib/until.mjs';
import { XksProxy, proxyCredential } from '../lib/xks_proxy.mjs';

const here = 'us-east-1';
const there = 'eu-west-1';
const table = JSON.parse(await readFile(new URL('../data/key_states.json', import.meta.url), 'utf8'));
const kinds = {
  symmetric: {},
  imported: { Origin: 'EXTERNAL' },
  mac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  signing: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  agreement: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
};
const data = Buffer.from('state');
const never = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
const admin = `arn:aws:iam::${account}:user/admin`;
const peer = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  .export({ format: 'der', type: 'spki' });

let server;
let proxy;
const clients = {};
const send = (region, operation, input) => clients[region].send(new kms[`${operation}Command`](input));
const connect = () => {
  for (const region of [here, there, 'us-west-2']) clients[region] = server.client({ region });
};
const arn = (region, id) => `arn:aws:kms:${region}:${account}:key/${id}`;
const newKey = async (region, input) => (await send(region, 'CreateKey', input)).KeyMetadata.KeyId;
const state = async (region, KeyId) => (await send(region, 'DescribeKey', { KeyId })).KeyMetadata.KeyState;

async function tokenFor(region, KeyId) {
  const { ImportToken, PublicKey } = await send(region, 'GetParametersForImport',
    { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' });
  const key = crypto.createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
  const EncryptedKeyMaterial = crypto.publicEncrypt({ key, oaepHash: 'sha256',
    padding: crypto.constants.RSA_PKCS1_OAEP_PADDING }, crypto.randomBytes(32));
  return { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: never };
}

// prepared: what a call needs that must exist before the key is in its state.
async function prepare(operation, region, KeyId) {
  const made = { KeyId };
  const name = `alias/${KeyId}`;
  if (operation === 'Decrypt' || operation === 'ReEncryptFrom') {
    made.CiphertextBlob = (await send(region, 'Encrypt', { KeyId, Plaintext: data })).CiphertextBlob;
  }
  if (operation === 'Verify') {
    made.Signature = (await send(region, 'Sign',
      { KeyId, Message: data, SigningAlgorithm: 'ECDSA_SHA_256' })).Signature;
  }
  if (operation === 'VerifyMac') {
    made.Mac = (await send(region, 'GenerateMac',
      { KeyId, Message: data, MacAlgorithm: 'HMAC_SHA_256' })).Mac;
  }
  if (operation === 'RetireGrant' || operation === 'RevokeGrant') {
    made.GrantId = (await send(region, 'CreateGrant', { KeyId, GranteePrincipal: admin,
      RetiringPrincipal: admin, Operations: ['Encrypt'] })).GrantId;
  }
  if (operation === 'DeleteAlias') await send(region, 'CreateAlias', { AliasName: name, TargetKeyId: KeyId });
  return made;
}

// What needs the key's material cannot be prepared for a key that never had any.
const usesMaterial = new Set(['Decrypt', 'ReEncryptFrom', 'RetireGrant', 'RevokeGrant']);

// enter makes a key of a kind in a state and returns where it is and what was prepared.
async function enter(operation, kind, wanted) {
  const input = kinds[kind];
  if (wanted === 'PendingReplicaDeletion') {
    const KeyId = await newKey(here, { ...input, MultiRegion: true });
    const made = await prepare(operation, here, KeyId);
    await send(here, 'ReplicateKey', { KeyId, ReplicaRegion: 'us-west-2' });
    await send(here, 'ScheduleKeyDeletion', { KeyId });
    return { region: here, made };
  }
  if (wanted === 'Creating') {
    const KeyId = await newKey(here, { ...input, MultiRegion: true });
    const before = operation === 'DeleteAlias' ? {} : await prepare(operation, here, KeyId);
    await send(here, 'ReplicateKey', { KeyId, ReplicaRegion: there });
    return { region: there,
      made: operation === 'DeleteAlias' ? await prepare(operation, there, KeyId) : before };
  }
  if (wanted === 'Updating') {
    const { KeyId, made } = families.pop(`${operation}/${kind}`);
    await send(here, 'UpdatePrimaryRegion', { KeyId, PrimaryRegion: there });
    return { region: there, made };
  }
  if (wanted === 'Unavailable') return { region: here, made: families.pop(`Unavailable/${operation}`) };
  if (wanted === 'PendingImport' && kind !== 'imported' && !usesMaterial.has(operation)) {
    const KeyId = await newKey(here, { ...input, Origin: 'EXTERNAL' });
    return { region: here, made: operation === 'DeleteAlias' ? await prepare(operation, here, KeyId)
      : { KeyId, Signature: data, Mac: data } };
  }
  if (kind === 'imported' || wanted === 'PendingImport') {
    const KeyId = await newKey(here, { Origin: 'EXTERNAL' });
    const parameters = await tokenFor(here, KeyId);
    await send(here, 'ImportKeyMaterial', parameters);
    const made = { ...(await prepare(operation, here, KeyId)), parameters };
    if (wanted === 'PendingImport') await send(here, 'DeleteImportedKeyMaterial', { KeyId });
    await settle(KeyId, wanted);
    return { region: here, made };
  }
  const KeyId = await newKey(here, input);
  const made = await prepare(operation, here, KeyId);
  await settle(KeyId, wanted);
  return { region: here, made };
}

async function settle(KeyId, wanted) {
  if (wanted === 'Disabled') await send(here, 'DisableKey', { KeyId });
  if (wanted === 'PendingDeletion') await send(here, 'ScheduleKeyDeletion', { KeyId });
}

// families: what is made while states settle at once: primaries with a settled replica, and keys of a
// custom key store that is disconnected afterwards.
const families = {
  made: new Map(),
  async pushUnavailable(operations) {
    const { CustomKeyStoreId } = await send(here, 'CreateCustomKeyStore', {
      CustomKeyStoreName: 'states', CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      XksProxyConnectivity: 'PUBLIC_ENDPOINT', XksProxyUriEndpoint: 'https://xks.example.com',
      XksProxyUriPath: '/kms/xks/v1', XksProxyAuthenticationCredential: proxyCredential });
    await send(here, 'ConnectCustomKeyStore', { CustomKeyStoreId });
    for (const operation of operations) {
      proxy.addKey(operation);
      const KeyId = await newKey(here, { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId,
        XksKeyId: operation });
      this.made.set(`Unavailable/${operation}`, await prepare(operation, here, KeyId));
    }
    await send(here, 'DisconnectCustomKeyStore', { CustomKeyStoreId });
  },
  async push(name, operation, kind) {
    const KeyId = await newKey(here, { ...kinds[kind], MultiRegion: true });
    await send(here, 'ReplicateKey', { KeyId, ReplicaRegion: there });
    await until(() => state(there, KeyId), (now) => now === 'Enabled', { every: 50 });
    this.made.set(name, { KeyId, made: await prepare(operation, there, KeyId) });
  },
  pop(name) {
    return this.made.get(name);
  },
};

async function otherKey(region) {
  return newKey(region, {});
}

// invoke calls the operation on the key in made.
async function invoke(operation, region, made) {
  const { KeyId } = made;
  const run = (input, name = operation) => send(region, name, input);
  switch (operation) {
    case 'CreateAlias': return run({ AliasName: `alias/${KeyId}`, TargetKeyId: KeyId });
    case 'CreateGrant': return run({ KeyId, GranteePrincipal: admin, Operations: ['DescribeKey'] });
    case 'Decrypt': return run({ CiphertextBlob: made.CiphertextBlob });
    case 'DeleteAlias': return run({ AliasName: `alias/${KeyId}` });
    case 'DeriveSharedSecret': return run({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: peer });
    case 'Encrypt': return run({ KeyId, Plaintext: data });
    case 'GenerateDataKey':
    case 'GenerateDataKeyWithoutPlaintext': return run({ KeyId, KeySpec: 'AES_256' });
    case 'GenerateDataKeyPair':
    case 'GenerateDataKeyPairWithoutPlaintext': return run({ KeyId, KeyPairSpec: 'ECC_NIST_P256' });
    case 'GenerateMac': return run({ KeyId, Message: data, MacAlgorithm: 'HMAC_SHA_256' });
    case 'VerifyMac': return run({ KeyId, Message: data, MacAlgorithm: 'HMAC_SHA_256', Mac: made.Mac });
    case 'GetKeyLastUsage': return call(server, operation, { KeyId }, { region });
    case 'GetParametersForImport':
      return run({ KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' });
    case 'ImportKeyMaterial':
      return run(made.parameters ?? { KeyId, ImportToken: data, EncryptedKeyMaterial: data,
        ExpirationModel: never });
    case 'PutKeyPolicy': {
      const { Policy } = await run({ KeyId }, 'GetKeyPolicy');
      return run({ KeyId, Policy });
    }
    case 'ReEncryptFrom': return run({ CiphertextBlob: made.CiphertextBlob,
      DestinationKeyId: await otherKey(region) }, 'ReEncrypt');
    case 'ReEncryptTo': {
      const source = await otherKey(region);
      const { CiphertextBlob } = await run({ KeyId: source, Plaintext: data }, 'Encrypt');
      return run({ CiphertextBlob, DestinationKeyId: KeyId }, 'ReEncrypt');
    }
    case 'ReplicateKey': return run({ KeyId, ReplicaRegion: 'us-west-2' });
    case 'RetireGrant': return run({ KeyId: arn(region, KeyId), GrantId: made.GrantId });
    case 'RevokeGrant': return run({ KeyId, GrantId: made.GrantId });
    case 'Sign': return run({ KeyId, Message: data, SigningAlgorithm: 'ECDSA_SHA_256' });
    case 'Verify': return run({ KeyId, Message: data, SigningAlgorithm: 'ECDSA_SHA_256',
      Signature: made.Signature });
    case 'TagResource': return run({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] });
    case 'UntagResource': return run({ KeyId, TagKeys: ['a'] });
    case 'UpdateAlias': {
      const AliasName = `alias/to/${KeyId}`;
      await run({ AliasName, TargetKeyId: await otherKey(region) }, 'CreateAlias');
      return run({ AliasName, TargetKeyId: KeyId });
    }
    case 'UpdateKeyDescription': return run({ KeyId, Description: 'changed' });
    case 'UpdatePrimaryRegion':
      return run({ KeyId, PrimaryRegion: region === here ? there : here });
    default: return run({ KeyId });
  }
}

// Operations on multi-Region keys only: a key that is not of that kind is refused for that first.
const multiRegionOnly = new Set(['ReplicateKey', 'UpdatePrimaryRegion']);

function originOf(wanted, kind) {
  if (wanted === 'Unavailable') return 'EXTERNAL_KEY_STORE';
  return kind === 'imported' || wanted === 'PendingImport' ? 'EXTERNAL' : 'AWS_KMS';
}

function expected(code, keyArn, wanted, kind) {
  const invalid = (what) => ['KMSInvalidStateException', `${keyArn} is ${what}.`];
  switch (code) {
    case 'D': return ['DisabledException', `${keyArn} is disabled.`];
    case 'P': return invalid(wanted === 'PendingReplicaDeletion' ? 'pending replica deletion'
      : 'pending deletion');
    case 'nP': return invalid('not pending deletion');
    case 'I': return invalid('pending import');
    case 'Cr': return invalid('creating');
    case 'Up': return invalid('updating');
    case 'U': return invalid('unavailable');
    case 'origin': return ['UnsupportedOperationException',
      `${keyArn} origin is ${originOf(wanted, kind)} which is not valid for this operation.`];
    case 'empty': return ['UnsupportedOperationException', 'UnknownError'];
    default: throw new Error(`no code ${code}`);
  }
}

before(async () => {
  proxy = await XksProxy.start();
  const route = ['--xks-route', `xks.example.com=${proxy.url}`, '--xks-timeout-ms', '20000'];
  server = await Server.start({ args: route });
  connect();
  await families.pushUnavailable(table.rows.filter(({ outcomes }) => 'Unavailable' in outcomes)
    .map(({ operation }) => operation));
  for (const { operation, key, outcomes } of table.rows) {
    if ('Updating' in outcomes) await families.push(`${operation}/${key}`, operation, key);
  }
  await families.push('promotable', 'UpdatePrimaryRegion', 'symmetric');
  // From here on, transient states last.
  await server.kill('SIGTERM');
  server.args = ['--settle-seconds', '86400', ...route];
  await server.launch();
  connect();
});
after(async () => {
  await server?.stop();
  await proxy?.stop();
});

for (const { operation, key: kind, outcomes } of table.rows) {
  test(`${operation}, ${kind} key`, async () => {
    for (const [wanted, code] of Object.entries(outcomes)) {
      const single = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport'].includes(wanted);
      const multi = multiRegionOnly.has(operation) && single;
      const { region, made } = await (multi ? enterMultiRegion(operation, wanted)
        : enter(operation, kind, wanted));
      assert.equal(await state(region, made.KeyId), wanted);
      const done = invoke(operation, region, made);
      if (code === 'ok') {
        await assert.doesNotReject(done, `${operation} in ${wanted}`);
        continue;
      }
      const error = await failure(done).catch(() => {
        throw new Error(`${operation} in ${wanted} succeeded`);
      });
      const [name, message] = expected(code, arn(region, made.KeyId), wanted, kind);
      assert.equal(error.name, name, `${operation} in ${wanted}: ${error.message}`);
      assert.equal(error.message, message, `${operation} in ${wanted}`);
    }
  });
}

// enterMultiRegion: a primary in a state that a single-Region key may have too. UpdatePrimaryRegion
// needs a settled replica, so that its key comes from the families.
async function enterMultiRegion(operation, wanted) {
  const imported = wanted === 'PendingImport' ? { Origin: 'EXTERNAL' } : {};
  if (operation === 'UpdatePrimaryRegion' && wanted === 'Enabled') {
    return { region: here, made: families.pop('promotable') };
  }
  const KeyId = await newKey(here, { MultiRegion: true, ...imported });
  await settle(KeyId, wanted);
  return { region: here, made: { KeyId } };
}

test('the table has every operation that works on a key', async () => {
  const named = new Set(table.rows.map(({ operation }) => operation.replace(/^ReEncrypt(From|To)$/, 'ReEncrypt')));
  const model = JSON.parse(await readFile(new URL('../data/kms-model.json', import.meta.url), 'utf8'));
  const keyless = ['ConnectCustomKeyStore', 'CreateCustomKeyStore', 'CreateKey', 'DeleteCustomKeyStore',
    'DescribeCustomKeyStores', 'DisconnectCustomKeyStore', 'GenerateRandom', 'ListKeys',
    'ListRetirableGrants', 'UpdateCustomKeyStore'];
  const all = Object.keys(model.operations).filter((each) => !keyless.includes(each));
  assert.deepEqual([...named].sort(), all.sort());
});
