// For every operation on a key: does it take each form of identifier, or refuse it, as AWS does? May
// another account call it? Does it ignore members that it does not know, tell several mistakes at once,
// and answer with every error that the model declares for it?
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFile } from 'node:fs/promises';
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
// Declared, and not provoked here: where they are tested, or why no request can have them.
const states = 'key_states.test.mjs';
const stores = 'custom_key_stores.test.mjs, token_key_stores.test.mjs';
const apart = {
  '*': { NotFoundException: 'above', DisabledException: states, KMSInvalidStateException: states,
    KeyUnavailableException: stores },
  Decrypt: { IncorrectKeyException: 'operations.test.mjs', InvalidCiphertextException: 'operations.test.mjs' },
  ReEncrypt: { IncorrectKeyException: 'operations.test.mjs', InvalidCiphertextException: 'operations.test.mjs' },
  CreateAlias: { AlreadyExistsException: 'operations.test.mjs', LimitExceededException: 'limits.test.mjs',
    InvalidAliasNameException: 'AWS answers ValidationException for every wrong name' },
  UpdateAlias: { LimitExceededException: 'as CreateAlias' },
  CreateGrant: { LimitExceededException: 'limits.test.mjs' },
  EnableKey: { LimitExceededException: 'no quota of enabled keys any more' },
  GetKeyRotationStatus: { UnsupportedOperationException: 'never: docs/compatibility.md' },
  ListKeyRotations: { UnsupportedOperationException: states },
  GetPublicKey: { InvalidKeyUsageException: 'the refused kinds of keys are UnsupportedOperationException' },
  ImportKeyMaterial: { ExpiredImportTokenException: 'import.test.mjs',
    IncorrectKeyMaterialException: 'import.test.mjs', InvalidCiphertextException: 'import.test.mjs',
    InvalidImportTokenException: 'import.test.mjs' },
  RevokeGrant: { InvalidGrantIdException: 'AWS: NotFoundException or this; docs/compatibility.md' },
  PutKeyPolicy: { LimitExceededException: 'limits.test.mjs', UnsupportedOperationException: 'AccessDeniedException comes first for AWS managed keys' },
  ReplicateKey: { AlreadyExistsException: 'multi_region.test.mjs', LimitExceededException: 'as CreateKey' },
  RotateKeyOnDemand: { ConflictException: 'src/keys/rotation_test.cc', LimitExceededException: 'rotation.test.mjs' },
  TagResource: { LimitExceededException: 'more than 50 tags are TagException' },
  UntagResource: { TagException: 'no way to it is known' },
  Verify: { KMSInvalidSignatureException: 'asymmetric.test.mjs' },
  VerifyMac: { KMSInvalidMacException: 'asymmetric.test.mjs' },
};

for (const [name, facts] of Object.entries(operations)) {
  test(`${name}: every error that it declares`, async () => {
    const faults = ['KMSInternalException', 'DependencyTimeoutException'];
    const declared = model.operations[name].errors.filter((each) => !faults.includes(each));
    for (const code of declared) {
      if (apart[name]?.[code] ?? apart['*'][code]) continue;
      assert.ok(provoke[code], `${code} is neither provoked nor explained`);
      const error = await failure(owner(name, await provoke[code](name, facts)));
      assert.equal(error.name, code, error.message);
    }
  });
}

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
