// For every operation on a key: does it take each form of identifier, or refuse it, as AWS does? May
// another account call it? Does it ignore members that it does not know, tell several mistakes at once,
// and answer with the errors that the model declares for it and for others? (All of them: coverage.test.mjs.)
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { person } from '../lib/people.mjs';
import { call, raw } from '../lib/raw.mjs';
import { Server, account, failure, region } from '../lib/server.mjs';

const model = JSON.parse(await readFile(new URL('../data/kms-model.json', import.meta.url), 'utf8'));
const other = '444455556666';
const b64 = (text) => Buffer.from(text).toString('base64');
const data = b64('some data');
const admin = `arn:aws:iam::${account}:user/admin`;
const kinds = {
  symmetric: {},
  external: { Origin: 'EXTERNAL' },
  multi: { MultiRegion: true },
  mac: { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  signing: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  agreement: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
};
const peer = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
  .export({ format: 'der', type: 'spki' }).toString('base64');
const ecdsa = { Message: data, SigningAlgorithm: 'ECDSA_SHA_256' };
const hmac = { Message: data, MacAlgorithm: 'HMAC_SHA_256' };
const dataKey = { KeySpec: 'AES_256' };
const pair = { KeyPairSpec: 'ECC_NIST_P256' };
const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };

let server;
let stranger;
const owner = (operation, input) => call(server, operation, input);
const blobOf = async (KeyId) => (await owner('Encrypt', { KeyId, Plaintext: data })).CiphertextBlob;
const grantOf = async (KeyId) => (await owner('CreateGrant', { KeyId, GranteePrincipal: admin,
  RetiringPrincipal: admin, Operations: ['Encrypt'] })).GrantId;

// operations: the kind of key, whether aliases are taken, whether other accounts may call, the member
// that names the key, and the other members for a key.
const on = (kind, more, { alias = false, cross = false, member = 'KeyId' } = {}) => (
  { kind, more, alias, cross, member });
const crypt = { alias: true, cross: true };
const operations = {
  CancelKeyDeletion: on('symmetric', async (KeyId) => {
    await owner('ScheduleKeyDeletion', { KeyId });
    return {};
  }),
  CreateAlias: on('symmetric', (KeyId) => ({ AliasName: `alias/new/${KeyId}/${crypto.randomUUID()}` }),
    { member: 'TargetKeyId' }),
  CreateGrant: on('symmetric', () => ({ GranteePrincipal: admin, Operations: ['Encrypt'] }), { cross: true }),
  Decrypt: on('symmetric', async (KeyId) => ({ CiphertextBlob: await blobOf(KeyId) }), crypt),
  DeleteImportedKeyMaterial: on('external', () => ({})),
  DeriveSharedSecret: on('agreement', () => ({ KeyAgreementAlgorithm: 'ECDH', PublicKey: peer }), crypt),
  DescribeKey: on('symmetric', () => ({}), crypt),
  DisableKey: on('symmetric', () => ({})),
  DisableKeyRotation: on('symmetric', () => ({})),
  EnableKey: on('symmetric', () => ({})),
  EnableKeyRotation: on('symmetric', () => ({})),
  Encrypt: on('symmetric', () => ({ Plaintext: data }), crypt),
  GenerateDataKey: on('symmetric', () => dataKey, crypt),
  GenerateDataKeyPair: on('symmetric', () => pair, crypt),
  GenerateDataKeyPairWithoutPlaintext: on('symmetric', () => pair, crypt),
  GenerateDataKeyWithoutPlaintext: on('symmetric', () => dataKey, crypt),
  GenerateMac: on('mac', () => hmac, crypt),
  GetKeyLastUsage: on('symmetric', () => ({})),
  GetKeyPolicy: on('symmetric', () => ({})),
  GetKeyRotationStatus: on('symmetric', () => ({}), { cross: true }),
  GetParametersForImport: on('external', () => wrapping),
  GetPublicKey: on('signing', () => ({}), crypt),
  ImportKeyMaterial: on('external', async (KeyId) => {
    const { ImportToken, PublicKey } = await owner('GetParametersForImport', { KeyId, ...wrapping });
    const key = crypto.createPublicKey({ key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' });
    return { ImportToken, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      EncryptedKeyMaterial: crypto.publicEncrypt({ key, oaepHash: 'sha256',
        padding: crypto.constants.RSA_PKCS1_OAEP_PADDING }, crypto.randomBytes(32)).toString('base64') };
  }),
  ListAliases: on('symmetric', () => ({})),
  ListGrants: on('symmetric', () => ({}), { cross: true }),
  ListKeyPolicies: on('symmetric', () => ({})),
  ListKeyRotations: on('symmetric', () => ({})),
  ListResourceTags: on('symmetric', () => ({})),
  PutKeyPolicy: on('symmetric', async (KeyId) => ({ Policy: (await owner('GetKeyPolicy', { KeyId })).Policy })),
  ReEncrypt: on('symmetric', async (KeyId) => ({ CiphertextBlob: await blobOf(KeyId) }),
    { ...crypt, member: 'DestinationKeyId' }),
  ReplicateKey: on('multi', () => ({ ReplicaRegion: 'eu-west-1' })),
  RevokeGrant: on('symmetric', async (KeyId) => ({ GrantId: await grantOf(KeyId) }), { cross: true }),
  RotateKeyOnDemand: on('symmetric', () => ({})),
  ScheduleKeyDeletion: on('symmetric', () => ({})),
  Sign: on('signing', () => ecdsa, crypt),
  TagResource: on('symmetric', () => ({ Tags: [{ TagKey: 'a', TagValue: 'b' }] })),
  UntagResource: on('symmetric', () => ({ TagKeys: ['a'] })),
  UpdateAlias: on('symmetric', async (KeyId) => {
    const AliasName = `alias/old/${KeyId}/${crypto.randomUUID()}`;
    await owner('CreateAlias', { AliasName, TargetKeyId: await newKey('symmetric') });
    return { AliasName };
  }, { member: 'TargetKeyId' }),
  UpdateKeyDescription: on('symmetric', () => ({ Description: 'described' })),
  UpdatePrimaryRegion: on('multi', () => ({ PrimaryRegion: region })),
  Verify: on('signing', async (KeyId) => ({ ...ecdsa,
    Signature: (await owner('Sign', { KeyId, ...ecdsa })).Signature }), crypt),
  VerifyMac: on('mac', async (KeyId) => ({ ...hmac,
    Mac: (await owner('GenerateMac', { KeyId, ...hmac })).Mac }), crypt),
};
// Operations that name no key, or name one in a way of their own; their tests are beside this one.
const elsewhere = ['CreateKey', 'DeleteAlias', 'GenerateRandom', 'ListKeys', 'ListRetirableGrants', 'RetireGrant',
  'ConnectCustomKeyStore', 'CreateCustomKeyStore', 'DeleteCustomKeyStore', 'DescribeCustomKeyStores',
  'DisconnectCustomKeyStore', 'UpdateCustomKeyStore'];

const policy = JSON.stringify({ Version: '2012-10-17', Statement: [account, other].map((id) => ({
  Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${id}:root` }, Action: 'kms:*', Resource: '*' })) });
async function newKey(kind) {
  return (await owner('CreateKey', { ...kinds[kind], Policy: policy })).KeyMetadata.KeyId;
}
const arnOf = (id) => `arn:aws:kms:${region}:${account}:key/${id}`;
async function prepared(name) {
  const { kind, more } = operations[name];
  const KeyId = await newKey(kind);
  return { KeyId, input: await more(KeyId) };
}

before(async () => {
  server = await Server.start();
  stranger = await person(server, 'stranger', [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
    '--account', other);
});
after(() => server.stop());

test('every operation is here', () => {
  assert.deepEqual([...Object.keys(operations), ...elsewhere].sort(), Object.keys(model.operations).sort());
});

for (const [name, { kind, more, alias, cross, member }] of Object.entries(operations)) {
  test(`${name}: identifiers, other accounts, unknown members`, async () => {
    const KeyId = await newKey(kind);
    const aliasName = `alias/every/${KeyId}`;
    await owner('CreateAlias', { AliasName: aliasName, TargetKeyId: KeyId });
    const input = await more(KeyId);
    await owner(name, { ...input, [member]: KeyId, Frobnicate: { deep: [1, null] }, '': 'x' });
    const again = await prepared(name);
    await owner(name, { ...again.input, [member]: arnOf(again.KeyId) });
    for (const named of [aliasName, arnOf('').replace('key/', aliasName)]) {
      if (alias) {
        await owner(name, { ...(await more(KeyId)), [member]: named });
      } else {
        const error = await failure(owner(name, { ...input, [member]: named }));
        assert.ok(['InvalidArnException', 'ValidationException'].includes(error.name), `${named}: ${error.name}`);
      }
    }
    const theirs = await prepared(name);
    const asked = call(server, name, { ...theirs.input, [member]: arnOf(theirs.KeyId) },
      { credentials: stranger });
    if (cross) {
      await assert.doesNotReject(asked);
    } else {
      assert.ok(['AccessDeniedException', 'NotFoundException'].includes((await failure(asked)).name));
    }
    const absent = await failure(owner(name, { ...input, [member]: '00000000-0000-4000-8000-000000000000' }));
    assert.ok(['NotFoundException'].includes(absent.name), `${name}: ${absent.name}`);
  });
}

// Errors that are provoked in the same way for every operation that declares them.
const wrongUsage = { Encrypt: 'signing', Decrypt: 'signing', ReEncrypt: 'signing', Sign: 'symmetric',
  Verify: 'symmetric', GenerateMac: 'symmetric', VerifyMac: 'symmetric', GenerateDataKey: 'mac',
  GenerateDataKeyWithoutPlaintext: 'mac', GenerateDataKeyPair: 'mac',
  GenerateDataKeyPairWithoutPlaintext: 'mac', DeriveSharedSecret: 'signing' };
const provoke = {
  async InvalidArnException(name, { member }) {
    const { input } = await prepared(name);
    return { ...input, [member]: `arn:aws:kms:${region}:${account}:frog/x` };
  },
  async InvalidGrantTokenException(name, { member }) {
    const { KeyId, input } = await prepared(name);
    return { ...input, [member]: KeyId, GrantTokens: ['no token'] };
  },
  async DryRunOperationException(name, { member }) {
    const { KeyId, input } = await prepared(name);
    return { ...input, [member]: KeyId, DryRun: true };
  },
  async InvalidMarkerException(name, { member }) {
    const { KeyId, input } = await prepared(name);
    return { ...input, [member]: KeyId, Marker: 'no marker' };
  },
  async InvalidKeyUsageException(name, { member }) {
    const { input } = await prepared(name);
    const wrong = name === 'Decrypt' ? { EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' } : {};
    return { ...input, ...wrong, [member]: await newKey(wrongUsage[name]) };
  },
  async TagException(name) {
    const { KeyId, input } = await prepared(name);
    return { ...input, KeyId, Tags: [{ TagKey: 'AWS:x', TagValue: '' }] };
  },
  async MalformedPolicyDocumentException(name) {
    const { KeyId, input } = await prepared(name);
    return { ...input, KeyId, Policy: '{"Version":"2012-10-17"}' };
  },
  async InvalidGrantIdException(name) {
    const { KeyId, input } = await prepared(name);
    return { ...input, KeyId, GrantId: '0'.repeat(64) };
  },
  async UnsupportedOperationException(name) {
    const [kind, more] = { DeleteImportedKeyMaterial: ['symmetric', {}], DisableKeyRotation: ['external', {}],
      EnableKeyRotation: ['mac', {}], GetParametersForImport: ['symmetric', wrapping],
      GetPublicKey: ['symmetric', {}], ImportKeyMaterial: ['symmetric', { ImportToken: data,
        EncryptedKeyMaterial: data, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }],
      GenerateDataKeyPair: ['symmetric', { KeyPairSpec: 'SM2' }],
      GenerateDataKeyPairWithoutPlaintext: ['symmetric', { KeyPairSpec: 'SM2' }],
      ReplicateKey: ['symmetric', { ReplicaRegion: 'eu-west-1' }], RotateKeyOnDemand: ['signing', {}],
      UpdatePrimaryRegion: ['symmetric', { PrimaryRegion: 'eu-west-1' }] }[name];
    return { KeyId: await newKey(kind), ...more };
  },
};
// Declared, and not to be had in that way: coverage.test.mjs says why, or a suite has another way.
const otherwise = {
  GetKeyRotationStatus: ['UnsupportedOperationException'],
  ListKeyRotations: ['UnsupportedOperationException'],
  GetPublicKey: ['InvalidKeyUsageException'],
  RevokeGrant: ['InvalidGrantIdException'],
  PutKeyPolicy: ['UnsupportedOperationException'],
  UntagResource: ['TagException'],
};

for (const [name, facts] of Object.entries(operations)) {
  test(`${name}: the errors that it shares with others`, async () => {
    for (const code of model.operations[name].errors) {
      if (!provoke[code] || otherwise[name]?.includes(code)) continue;
      const error = await failure(owner(name, await provoke[code](name, facts)));
      assert.equal(error.name, code, error.message);
    }
  });
}

const refused = async (code, name, input, message, options) => {
  const error = await failure(call(server, name, input, options));
  assert.equal(error.name, code, `${name}: ${error.message}`);
  if (message) assert.match(error.message, message);
};

test('ReEncrypt: the source is wrong', async () => {
  const [one, two] = [await newKey('symmetric'), await newKey('symmetric')];
  const CiphertextBlob = await blobOf(one);
  const input = { CiphertextBlob, DestinationKeyId: two };
  await refused('IncorrectKeyException', 'ReEncrypt', { ...input, SourceKeyId: two },
    /The key ID in the request does not identify a CMK that can perform this operation/);
  const changed = Buffer.from(CiphertextBlob, 'base64');
  changed[changed.length - 1] ^= 1;
  await refused('InvalidCiphertextException', 'ReEncrypt', { ...input, CiphertextBlob: changed.toString('base64') });
  await refused('InvalidCiphertextException', 'ReEncrypt', { ...input, SourceEncryptionContext: { a: 'b' } });
});

test('RetireGrant and RevokeGrant: a key or a grant that is not there', async () => {
  const KeyId = await newKey('symmetric');
  const GrantId = await grantOf(KeyId);
  await owner('CreateAlias', { AliasName: 'alias/granted', TargetKeyId: KeyId });
  for (const named of ['alias/granted', arnOf('').replace('key/', 'alias/granted'),
    `arn:aws:kms:${region}:${account}:frog/x`]) {
    await refused('InvalidArnException', 'RetireGrant', { KeyId: named, GrantId });
  }
  for (const name of ['RetireGrant', 'RevokeGrant']) {
    await refused('NotFoundException', name, { KeyId: arnOf(KeyId), GrantId: '0'.repeat(64) });
    await refused('NotFoundException', name, { KeyId: arnOf('00000000-0000-4000-8000-000000000000'), GrantId });
  }
  await refused('InvalidGrantTokenException', 'RetireGrant', { GrantToken: 'no token' });
});

test('RetireGrant: a retiring principal of another account', async () => {
  const KeyId = arnOf(await newKey('symmetric'));
  const { GrantId } = await owner('CreateGrant', { KeyId, GranteePrincipal: admin,
    RetiringPrincipal: `arn:aws:iam::${other}:user/stranger`, Operations: ['Encrypt'] });
  const as = { credentials: stranger };
  await refused('DryRunOperationException', 'RetireGrant', { KeyId, GrantId, DryRun: true }, undefined, as);
  await call(server, 'RetireGrant', { KeyId, GrantId }, as);
  await refused('AccessDeniedException', 'RetireGrant', { KeyId, GrantId }, undefined, as);
  await refused('NotFoundException', 'RetireGrant', { KeyId, GrantId });
});

test('operations that name no key see what is of their own account', async () => {
  const KeyId = await newKey('symmetric');
  const AliasName = 'alias/of-the-owner';
  await owner('CreateAlias', { AliasName, TargetKeyId: KeyId });
  const as = { credentials: stranger };
  await refused('NotFoundException', 'DeleteAlias', { AliasName }, undefined, as);
  assert.deepEqual((await call(server, 'ListKeys', {}, as)).Keys, []);
  assert.deepEqual((await call(server, 'ListAliases', {}, as)).Aliases, []);
  const { KeyMetadata } = await call(server, 'CreateKey', {}, as);
  assert.equal(KeyMetadata.AWSAccountId, other);
  await call(server, 'CreateAlias', { AliasName, TargetKeyId: KeyMetadata.KeyId }, as);
  await call(server, 'DeleteAlias', { AliasName }, as);
  assert.equal((await owner('DescribeKey', { KeyId: AliasName })).KeyMetadata.KeyId, KeyId);
});

test('CreateAlias and UpdateAlias: an alias is no target', async () => {
  const TargetKeyId = await newKey('symmetric');
  await owner('CreateAlias', { AliasName: 'alias/target', TargetKeyId });
  for (const named of ['alias/target', arnOf('').replace('key/', 'alias/target')]) {
    for (const name of ['CreateAlias', 'UpdateAlias']) {
      await refused('ValidationException', name, { AliasName: 'alias/pointer', TargetKeyId: named },
        /^Aliases must refer to keys\. Not aliases$/);
    }
  }
});

test('ListRetirableGrants: a principal that is not there, and a marker of another', async () => {
  const nobody = `arn:aws:iam::${account}:user/nobody`;
  await refused('InvalidArnException', 'ListRetirableGrants', { RetiringPrincipal: nobody },
    /ARN does not refer to a valid principal: /);
  await refused('InvalidArnException', 'ListRetirableGrants',
    { RetiringPrincipal: `arn:aws:iam::${other}:user/stranger` });
  await refused('NotFoundException', 'ListRetirableGrants', { RetiringPrincipal: 'AIDACKCEVSQ6C2EXAMPLE' },
    /^Retiring principal AIDACKCEVSQ6C2EXAMPLE could not be found$/);
  await refused('InvalidMarkerException', 'ListRetirableGrants', { RetiringPrincipal: admin, Marker: 'no marker' });
  await refused('InvalidMarkerException', 'ListKeys', { Marker: 'no marker' });
});

test('UpdateAlias: a key has fifty aliases at most', async () => {
  const [full, TargetKeyId] = [await newKey('symmetric'), await newKey('symmetric')];
  for (let i = 0; i < 50; i += 1) {
    await owner('CreateAlias', { AliasName: `alias/full/${i}`, TargetKeyId: full });
  }
  await owner('CreateAlias', { AliasName: 'alias/full/more', TargetKeyId });
  await refused('LimitExceededException', 'UpdateAlias', { AliasName: 'alias/full/more', TargetKeyId: full });
  await owner('UpdateAlias', { AliasName: 'alias/full/0', TargetKeyId: full });
});

// Nothing is answered that the trail does not have: when the disk takes nothing more, no operation is.
test('a disk that takes nothing is an internal error of every operation', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'keyturn-full-'));
  const wrapper = path.join(directory, 'keyturn');
  // The signal that goes with the limit is ignored, as on a full disk there is none.
  await writeFile(wrapper, `#!/bin/sh\ntrap '' XFSZ\nexec '${process.env.KEYTURN_BIN}' "$@"\n`, { mode: 0o755 });
  const full = await Server.start({ program: wrapper });
  try {
    const { KeyId } = (await call(full, 'CreateKey', {})).KeyMetadata;
    execFileSync('prlimit', ['--pid', String(full.process.pid), '--fsize=1']);
    const store = { CustomKeyStoreId: 'cks-0123456789abcdef0' };
    const inputs = { DeleteAlias: { AliasName: 'alias/x' }, CreateCustomKeyStore: { CustomKeyStoreName: 'x' },
      ReEncrypt: { CiphertextBlob: data, DestinationKeyId: KeyId }, Decrypt: { CiphertextBlob: data },
      CreateAlias: { AliasName: 'alias/x', TargetKeyId: KeyId }, UpdateAlias: { AliasName: 'alias/x', TargetKeyId: KeyId },
      CreateKey: {}, ListKeys: {}, ListAliases: {}, GenerateRandom: { NumberOfBytes: 8 }, DescribeCustomKeyStores: {},
      ListRetirableGrants: { RetiringPrincipal: admin }, ConnectCustomKeyStore: store, DeleteCustomKeyStore: store,
      DisconnectCustomKeyStore: store, UpdateCustomKeyStore: { ...store, NewCustomKeyStoreName: 'y' },
      CreateGrant: { GranteePrincipal: admin, Operations: ['Encrypt'] }, Encrypt: { Plaintext: data },
      DeriveSharedSecret: { KeyAgreementAlgorithm: 'ECDH', PublicKey: peer }, GenerateDataKey: dataKey,
      GenerateDataKeyPair: pair, GenerateDataKeyPairWithoutPlaintext: pair, GenerateDataKeyWithoutPlaintext: dataKey,
      GenerateMac: hmac, GetParametersForImport: wrapping, ImportKeyMaterial: { ImportToken: data,
        EncryptedKeyMaterial: data, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }, PutKeyPolicy: { Policy: policy },
      ReplicateKey: { ReplicaRegion: 'eu-west-1' }, RetireGrant: { GrantId: '0'.repeat(64) },
      RevokeGrant: { GrantId: '0'.repeat(64) }, Sign: ecdsa, TagResource: { Tags: [{ TagKey: 'a', TagValue: 'b' }] },
      UntagResource: { TagKeys: ['a'] }, UpdateKeyDescription: { Description: 'x' },
      UpdatePrimaryRegion: { PrimaryRegion: 'eu-west-1' }, Verify: { ...ecdsa, Signature: data }, VerifyMac: { ...hmac, Mac: data } };
    for (const [name, { input }] of Object.entries(model.operations)) {
      const members = Object.keys(model.shapes[input.shape].members);
      const error = await failure(call(full, name, { ...(members.includes('KeyId') && { KeyId }), ...inputs[name] }));
      assert.equal(error.name, 'KMSInternalException', `${name}: ${error.message}`);
    }
  } finally {
    await full.kill();
    await rm(full.root, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  }
});

test('several mistakes are told at once, each with its place', async () => {
  const { status, body } = await raw(server, 'CreateKey', JSON.stringify({ KeySpec: 'FROG', KeyUsage: 'CROAK',
    Tags: [{ TagKey: 'k'.repeat(129), TagValue: 'v' }, { TagValue: 'v'.repeat(257) }] }));
  assert.equal(status, 400);
  assert.equal(body.__type, 'ValidationException');
  assert.match(body.message, /^5 validation errors detected: /);
  for (const place of ['keySpec', 'keyUsage', 'tags.1.member.tagKey', 'tags.2.member.tagKey', 'tags.2.member.tagValue']) {
    assert.ok(body.message.includes(`at '${place}' failed to satisfy constraint`), `${place}: ${body.message}`);
  }
  assert.match(body.message, /Value null at 'tags\.2\.member\.tagKey' failed to satisfy constraint: Member must not be null/);
});

test('members of the wrong type are a SerializationException, whatever else is wrong', async () => {
  for (const wrong of ['{"KeyId":5}', '{"KeyId":["a"]}', '{"KeyId":"a","GrantTokens":"t"}', '[]', '"x"', '{', '']) {
    const { status, body } = await raw(server, 'DescribeKey', wrong);
    assert.equal(status, 400, wrong);
    const empty = wrong === '';
    assert.equal(body.__type, empty ? 'ValidationException' : 'SerializationException', wrong);
  }
});
