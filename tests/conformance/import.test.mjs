// Is imported key material handled as AWS documents it: wrapping, expiry, several materials and their
// rotation, deletion? Node's own cryptography wraps; libfaketime moves the server's clock.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Clock } from '../lib/clock.mjs';
import { Server, failure } from '../lib/server.mjs';
import { trailRecords } from '../lib/trail.mjs';
import { until } from '../lib/until.mjs';

const hour = 3600 * 1000;
const never = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
const asNew = 'NEW_KEY_MATERIAL';
const all = 'ALL_KEY_MATERIAL';

let server;
let clock;
const send = (command, options = {}) => server.client({ systemClockOffset: clock.offset, ...options })
  .send(command);

before(async () => {
  clock = await Clock.make();
  server = await Server.start({ env: clock.env });
});
after(async () => {
  await server.stop();
  await clock.remove();
});

const describe = async (KeyId) => (await send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata;
const stateOf = async (KeyId) => (await describe(KeyId)).KeyState;
const create = async (more = {}) => (await send(new kms.CreateKeyCommand(
  { Origin: 'EXTERNAL', ...more }))).KeyMetadata;

function parameters(KeyId, WrappingAlgorithm = 'RSAES_OAEP_SHA_256', WrappingKeySpec = 'RSA_2048') {
  return send(new kms.GetParametersForImportCommand({ KeyId, WrappingAlgorithm, WrappingKeySpec }));
}

function wrap(publicKey, bytes, oaepHash = 'sha256') {
  const key = crypto.createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
  return crypto.publicEncrypt(
    { key, oaepHash, padding: crypto.constants.RSA_PKCS1_OAEP_PADDING }, bytes);
}

async function importMaterial(KeyId, bytes, more = { ExpirationModel: never }) {
  const { ImportToken, PublicKey } = await parameters(KeyId);
  return send(new kms.ImportKeyMaterialCommand(
    { KeyId, ImportToken, EncryptedKeyMaterial: wrap(PublicKey, bytes), ...more }));
}

const encrypt = async (KeyId, text) => (await send(new kms.EncryptCommand(
  { KeyId, Plaintext: Buffer.from(text) }))).CiphertextBlob;
const decrypt = async (CiphertextBlob) => Buffer.from((await send(new kms.DecryptCommand(
  { CiphertextBlob }))).Plaintext).toString();
const rotations = async (KeyId, IncludeKeyMaterial) => (await send(
  new kms.ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial }))).Rotations;
const refused = async (promise, name, message) => {
  const error = await failure(promise);
  assert.equal(error.name, name, error.message);
  if (message !== undefined) assert.equal(error.message, message);
};
const trailEvents = (name) => trailRecords(server.dataDir).filter(({ eventName }) => eventName === name);

test('a key without material does nothing until it has some', async () => {
  const made = await create();
  assert.equal(made.KeyState, 'PendingImport');
  assert.equal(made.Enabled, false);
  assert.equal(made.Origin, 'EXTERNAL');
  assert.equal(made.CurrentKeyMaterialId, undefined);
  assert.equal(made.ExpirationModel, undefined);
  const { KeyId, Arn } = made;
  const pending = `${Arn} is pending import.`;
  await refused(send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })),
    'KMSInvalidStateException', pending);
  await refused(send(new kms.RotateKeyOnDemandCommand({ KeyId })), 'KMSInvalidStateException',
    pending);
  const origin = `${Arn} origin is EXTERNAL which is not valid for this operation.`;
  await refused(send(new kms.EnableKeyRotationCommand({ KeyId })), 'UnsupportedOperationException',
    origin);
  assert.deepEqual(await rotations(KeyId, all), []);
  assert.equal((await send(new kms.GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled,
    false);
  const { KeyMaterialId, KeyId: answered } = await send(
    new kms.DeleteImportedKeyMaterialCommand({ KeyId }));
  assert.equal(KeyMaterialId, undefined);
  assert.equal(answered, Arn);

  const from = Date.now();
  const given = await parameters(KeyId);
  assert.equal(given.KeyId, Arn);
  assert.ok(given.ImportToken.length <= 6144);
  const life = given.ParametersValidTo.getTime() - from;
  assert.ok(life >= 24 * hour - 2000 && life <= 24 * hour + 5000, String(life));
  const bytes = crypto.randomBytes(32);
  const imported = await send(new kms.ImportKeyMaterialCommand({ KeyId,
    ImportToken: given.ImportToken, EncryptedKeyMaterial: wrap(given.PublicKey, bytes),
    ExpirationModel: never, KeyMaterialDescription: 'from our HSM' }));
  assert.equal(imported.KeyId, Arn);
  assert.match(imported.KeyMaterialId, /^[0-9a-f]{64}$/);
  const now = await describe(KeyId);
  assert.equal(now.KeyState, 'Enabled');
  assert.equal(now.ExpirationModel, never);
  assert.equal(now.ValidTo, undefined);
  assert.equal(now.CurrentKeyMaterialId, imported.KeyMaterialId);
  assert.equal(await decrypt(await encrypt(KeyId, 'under ours')), 'under ours');
  await refused(send(new kms.EnableKeyRotationCommand({ KeyId })), 'UnsupportedOperationException',
    origin);
  assert.deepEqual(await rotations(KeyId, all), [{ KeyId: Arn, ImportState: 'IMPORTED',
    KeyMaterialId: imported.KeyMaterialId, KeyMaterialState: 'CURRENT', ExpirationModel: never,
    KeyMaterialDescription: 'from our HSM' }]);
  assert.deepEqual(await rotations(KeyId), []);
});

test('every wrapping that fits a symmetric key', async () => {
  const { KeyId } = await create();
  const bytes = crypto.randomBytes(32);
  let first;
  for (const spec of ['RSA_2048', 'RSA_3072', 'RSA_4096']) {
    for (const [algorithm, hash] of [['RSAES_OAEP_SHA_1', 'sha1'], ['RSAES_OAEP_SHA_256', 'sha256']]) {
      const { ImportToken, PublicKey } = await parameters(KeyId, algorithm, spec);
      const { KeyMaterialId } = await send(new kms.ImportKeyMaterialCommand({ KeyId, ImportToken,
        EncryptedKeyMaterial: wrap(PublicKey, bytes, hash), ExpirationModel: never }));
      first ??= KeyMaterialId;
      assert.equal(KeyMaterialId, first, 'the same bytes have the same id');
    }
  }
  for (const [algorithm, spec] of [['RSAES_PKCS1_V1_5', 'RSA_2048'],
    ['RSA_AES_KEY_WRAP_SHA_256', 'RSA_2048'], ['RSA_AES_KEY_WRAP_SHA_1', 'RSA_4096'],
    ['SM2PKE', 'SM2'], ['RSAES_OAEP_SHA_256', 'SM2']]) {
    await refused(parameters(KeyId, algorithm, spec), 'ValidationException',
      `Wrapping algorithm ${algorithm} and wrapping key spec ${spec} cannot be used to import a `
      + 'SYMMETRIC_DEFAULT key.');
  }
  const { KeyMetadata: ours } = await send(new kms.CreateKeyCommand({}));
  await refused(parameters(ours.KeyId), 'UnsupportedOperationException',
    `${ours.Arn} origin is AWS_KMS which is not valid for this operation.`);
});

test('what does not fit is refused and changes nothing', async () => {
  const { KeyId } = await create();
  const other = await create();
  const given = await parameters(KeyId);
  const bytes = crypto.randomBytes(32);
  const put = (more) => send(new kms.ImportKeyMaterialCommand({ KeyId,
    ImportToken: given.ImportToken, EncryptedKeyMaterial: wrap(given.PublicKey, bytes),
    ExpirationModel: never, ...more }));
  const damaged = Buffer.from(given.ImportToken);
  damaged[20] ^= 1;
  await refused(put({ ImportToken: damaged }), 'InvalidImportTokenException');
  await refused(put({ ImportToken: Buffer.from('x') }), 'InvalidImportTokenException');
  await refused(put({ ImportToken: (await parameters(other.KeyId)).ImportToken }),
    'InvalidImportTokenException');
  await refused(put({ ImportToken: (await parameters(KeyId)).ImportToken }),
    'InvalidCiphertextException');
  await refused(put({ EncryptedKeyMaterial: wrap(given.PublicKey, bytes.subarray(1)) }),
    'InvalidCiphertextException');
  await refused(put({ EncryptedKeyMaterial: wrap(given.PublicKey, bytes, 'sha1') }),
    'InvalidCiphertextException');
  await refused(put({ ExpirationModel: undefined }), 'ValidationException',
    'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES');
  await refused(put({ ValidTo: new Date(Date.now() + hour) }), 'ValidationException',
    'A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE');
  await refused(put({ ExpirationModel: undefined, ValidTo: new Date(Date.now() - hour) }),
    'ValidationException', 'ValidTo must be in the future');
  await refused(put({ ExpirationModel: undefined, ValidTo: new Date(Date.now() + 366 * 24 * hour) }),
    'ValidationException', 'ValidTo must be less than 365 days in the future');
  await refused(put({ KeyMaterialId: 'b'.repeat(64) }), 'ValidationException',
    'Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.');
  assert.equal(await stateOf(KeyId), 'PendingImport');
  await put();
  await put();  // a token serves until it expires
  await refused(importMaterial(KeyId, crypto.randomBytes(32)), 'IncorrectKeyMaterialException');
  assert.equal(await stateOf(KeyId), 'Enabled');
});

test('deletion and import again: what was encrypted is readable again', async () => {
  const { KeyId, Arn } = await create();
  const bytes = crypto.randomBytes(32);
  const { KeyMaterialId } = await importMaterial(KeyId, bytes);
  const blob = await encrypt(KeyId, 'kept');
  assert.equal((await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId }))).KeyMaterialId,
    KeyMaterialId);
  await refused(decrypt(blob), 'KMSInvalidStateException', `${Arn} is pending import.`);
  const gone = await describe(KeyId);
  assert.equal(gone.KeyState, 'PendingImport');
  assert.equal(gone.CurrentKeyMaterialId, KeyMaterialId);
  assert.equal(gone.ExpirationModel, undefined);
  assert.deepEqual(await rotations(KeyId, all), [{ KeyId: Arn, KeyMaterialId,
    KeyMaterialState: 'CURRENT', ImportState: 'PENDING_IMPORT' }]);
  await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId }));
  await refused(send(new kms.DeleteImportedKeyMaterialCommand(
    { KeyId, KeyMaterialId: 'a'.repeat(64) })), 'ValidationException',
  `Key material (id: ${'a'.repeat(64)}) has never been imported into KMS key ${Arn}.`);
  assert.equal((await importMaterial(KeyId, bytes)).KeyMaterialId, KeyMaterialId);
  assert.equal(await decrypt(blob), 'kept');
  await send(new kms.DisableKeyCommand({ KeyId }));
  await importMaterial(KeyId, bytes);
  assert.equal(await stateOf(KeyId), 'Enabled');
});

test('several materials, and the rotation to one that waits', async () => {
  const { KeyId, Arn } = await create();
  const [a, b, c] = [0, 1, 2].map(() => crypto.randomBytes(32));
  const first = (await importMaterial(KeyId, a)).KeyMaterialId;
  const old = await encrypt(KeyId, 'under the first');
  await refused(send(new kms.RotateKeyOnDemandCommand({ KeyId })), 'KMSInvalidStateException',
    `No available key material pending rotation for the key: ${Arn}.`);
  const second = (await importMaterial(KeyId, b, { ExpirationModel: never, ImportType: asNew,
    KeyMaterialDescription: 'second' })).KeyMaterialId;
  assert.equal((await describe(KeyId)).CurrentKeyMaterialId, first);
  const third = crypto.createHash('sha256').update(c).digest('hex');
  const tooMany = await failure(importMaterial(KeyId, c,
    { ExpirationModel: never, ImportType: asNew }));
  assert.equal(tooMany.name, 'KMSInvalidStateException');
  assert.match(tooMany.message, new RegExp(`another key material \\(id: ${second}\\) is pending`));
  assert.ok(!tooMany.message.includes(third), 'an id says nothing about the bytes');
  await refused(importMaterial(KeyId, a, { ExpirationModel: never, ImportType: asNew }),
    'IncorrectKeyMaterialException', `Key material (id: ${first}) being imported as `
    + `NEW_KEY_MATERIAL is already associated with KMS key ${Arn}.`);
  await refused(importMaterial(KeyId, c,
    { ExpirationModel: never, ImportType: asNew, KeyMaterialId: first }), 'ValidationException',
  'Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.');
  await refused(importMaterial(KeyId, c, { ExpirationModel: never, KeyMaterialId: second }),
    'IncorrectKeyMaterialException',
    `Imported key material does not have the expected identifier (${second}).`);
  assert.deepEqual((await rotations(KeyId, all)).map((row) => row.KeyMaterialState),
    ['CURRENT', 'PENDING_ROTATION']);
  // The one that waits can go and come again.
  await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: second }));
  assert.equal(await stateOf(KeyId), 'Enabled');
  assert.equal((await rotations(KeyId, all)).length, 1);
  await importMaterial(KeyId, b, { ExpirationModel: never, ImportType: asNew });

  assert.equal((await send(new kms.RotateKeyOnDemandCommand({ KeyId }))).KeyId, Arn);
  assert.equal((await describe(KeyId)).CurrentKeyMaterialId, second);
  const rows = await rotations(KeyId, all);
  assert.deepEqual(rows.map((row) => [row.KeyMaterialId, row.KeyMaterialState, row.RotationType]),
    [[first, 'NON_CURRENT', undefined], [second, 'CURRENT', 'ON_DEMAND']]);
  assert.equal(rows[1].KeyMaterialDescription, undefined, 'lost with the deleted one');
  assert.deepEqual(await rotations(KeyId), [rows[1]], 'fewer materials, no fewer members');
  const fresh = await encrypt(KeyId, 'under the second');
  assert.equal(await decrypt(old), 'under the first');
  assert.equal(await decrypt(fresh), 'under the second');
  // Every material of the key must be there, the current one or not.
  await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: first }));
  await refused(decrypt(fresh), 'KMSInvalidStateException', `${Arn} is pending import.`);
  await importMaterial(KeyId, a);
  assert.equal(await decrypt(old), 'under the first');

  // All of it is there after a restart.
  await server.kill();
  await server.launch();
  assert.equal(await decrypt(old), 'under the first');
  assert.equal(await decrypt(fresh), 'under the second');
  assert.deepEqual(await rotations(KeyId, all), rows);
  const paged = await send(new kms.ListKeyRotationsCommand(
    { KeyId, IncludeKeyMaterial: all, Limit: 1 }));
  assert.equal(paged.Truncated, true);
  const rest = await send(new kms.ListKeyRotationsCommand(
    { KeyId, IncludeKeyMaterial: all, Marker: paged.NextMarker }));
  assert.deepEqual([...paged.Rotations, ...rest.Rotations], rows);
});

test('a deletion that is cancelled leaves a key without material pending import', async () => {
  const { KeyId } = await create();
  await importMaterial(KeyId, crypto.randomBytes(32));
  await send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId }));
  assert.equal(await stateOf(KeyId), 'PendingDeletion');
  await send(new kms.CancelKeyDeletionCommand({ KeyId }));
  assert.equal(await stateOf(KeyId), 'PendingImport');
});

test('material expires, and a token does', async () => {
  const { KeyId, Arn } = await create();
  const [a, b] = [crypto.randomBytes(32), crypto.randomBytes(32)];
  const ValidTo = new Date(Math.floor(Date.now() / 1000) * 1000 + 2 * hour);
  const first = (await importMaterial(KeyId, a, { ValidTo })).KeyMaterialId;
  const shown = await describe(KeyId);
  assert.deepEqual(shown.ValidTo, ValidTo);
  assert.equal(shown.ExpirationModel, 'KEY_MATERIAL_EXPIRES');
  const waits = new Date(ValidTo.getTime() - hour);
  const second = (await importMaterial(KeyId, b, { ValidTo: waits, ImportType: asNew }))
    .KeyMaterialId;
  const blob = await encrypt(KeyId, 'before');
  const token = await parameters(KeyId);

  await clock.moveTo(1.5 * hour);  // the waiting one has expired; it rotates in all the same
  assert.equal(await decrypt(blob), 'before');
  await send(new kms.RotateKeyOnDemandCommand({ KeyId }));
  await until(() => stateOf(KeyId), (state) => state === 'PendingImport');
  assert.deepEqual((await rotations(KeyId, all)).map((row) => [row.KeyMaterialId, row.ImportState]),
    [[first, 'IMPORTED'], [second, 'PENDING_IMPORT']]);
  await importMaterial(KeyId, b);
  assert.equal(await stateOf(KeyId), 'Enabled');

  await clock.moveTo(2.5 * hour);
  await until(() => stateOf(KeyId), (state) => state === 'PendingImport');
  await refused(decrypt(blob), 'KMSInvalidStateException', `${Arn} is pending import.`);
  await importMaterial(KeyId, a);
  assert.equal(await decrypt(blob), 'before');
  await until(() => trailEvents('DeleteExpiredKeyMaterial')
    .filter((event) => event.resources[0].ARN === Arn), (events) => events.length === 2);
  const [event] = trailEvents('DeleteExpiredKeyMaterial');
  assert.equal(event.eventType, 'AwsServiceEvent');
  assert.deepEqual(event.serviceEventDetails, { keyId: KeyId });
  const rotated = trailEvents('RotateKey').find((each) => each.resources[0].ARN === Arn);
  assert.equal(rotated.serviceEventDetails.keyOrigin, 'EXTERNAL');

  await clock.moveTo(24.1 * hour);
  await refused(send(new kms.ImportKeyMaterialCommand({ KeyId, ImportToken: token.ImportToken,
    EncryptedKeyMaterial: wrap(token.PublicKey, a), ExpirationModel: never })),
  'ExpiredImportTokenException');
});

test('nothing secret reaches the trail', async () => {
  const { KeyId } = await create();
  const bytes = crypto.randomBytes(32);
  const { ImportToken, PublicKey } = await parameters(KeyId);
  const EncryptedKeyMaterial = wrap(PublicKey, bytes);
  await send(new kms.ImportKeyMaterialCommand(
    { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: never }));
  const events = await until(() => trailEvents('ImportKeyMaterial')
    .filter((event) => event.requestParameters?.keyId === KeyId), (found) => found.length === 1);
  assert.deepEqual(events[0].requestParameters, { keyId: KeyId, expirationModel: never });
  assert.match(events[0].responseElements.keyMaterialId, /^[0-9a-f]{64}$/);
  const asked = trailEvents('GetParametersForImport').at(-1);
  assert.equal(asked.responseElements, null);
  const line = JSON.stringify([events, asked]);
  for (const secret of [bytes, Buffer.from(ImportToken), EncryptedKeyMaterial]) {
    assert.ok(!line.includes(secret.toString('base64').slice(0, 40)));
  }
});

// rsaAesWrap: PKCS#11's CKM_RSA_AES_KEY_WRAP, an AES key under OAEP and the material under RFC 5649.
function rsaAesWrap(publicKey, bytes, oaepHash) {
  const aes = crypto.randomBytes(32);
  const padded = crypto.createCipheriv('id-aes256-wrap-pad', aes, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([wrap(publicKey, aes, oaepHash), padded.update(bytes), padded.final()]);
}

const pkcs8 = (pair) => pair.privateKey.export({ type: 'pkcs8', format: 'der' });
const spki = (pair) => pair.publicKey.export({ type: 'spki', format: 'der' });
const curve = (namedCurve) => crypto.generateKeyPairSync('ec', { namedCurve });

async function importPair(KeyId, bytes, algorithm, more = {}) {
  const spec = algorithm.startsWith('RSA_AES') ? 'RSA_2048' : 'RSA_3072';
  const hash = algorithm.endsWith('_1') ? 'sha1' : 'sha256';
  const { ImportToken, PublicKey } = await parameters(KeyId, algorithm, spec);
  const EncryptedKeyMaterial = algorithm.startsWith('RSA_AES')
    ? rsaAesWrap(PublicKey, bytes, hash) : wrap(PublicKey, bytes, hash);
  return send(new kms.ImportKeyMaterialCommand(
    { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: never, ...more }));
}

test('key pairs made elsewhere sign here, and their owner verifies', async () => {
  const message = Buffer.from('signed with an imported key');
  for (const [KeySpec, SigningAlgorithm, pair, algorithm] of [
    ['ECC_NIST_P256', 'ECDSA_SHA_256', curve('P-256'), 'RSAES_OAEP_SHA_256'],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', curve('P-384'), 'RSA_AES_KEY_WRAP_SHA_256'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', curve('P-521'), 'RSA_AES_KEY_WRAP_SHA_1'],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', curve('secp256k1'), 'RSA_AES_KEY_WRAP_SHA_256'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', crypto.generateKeyPairSync('ed25519'),
      'RSAES_OAEP_SHA_256'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256',
      crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RSA_AES_KEY_WRAP_SHA_256'],
  ]) {
    const { KeyId, Arn } = await create({ KeySpec, KeyUsage: 'SIGN_VERIFY' });
    await refused(send(new kms.GetPublicKeyCommand({ KeyId })), 'KMSInvalidStateException',
      `${Arn} is pending import.`);
    await refused(send(new kms.SignCommand({ KeyId, Message: message, SigningAlgorithm })),
      'KMSInvalidStateException', `${Arn} is pending import.`);
    await refused(importPair(KeyId, pkcs8(crypto.generateKeyPairSync('x25519')), algorithm),
      'InvalidCiphertextException');
    const { KeyMaterialId } = await importPair(KeyId, pkcs8(pair), algorithm);
    assert.equal(KeyMaterialId, undefined, 'only symmetric encryption keys show their material');
    const { PublicKey } = await send(new kms.GetPublicKeyCommand({ KeyId }));
    assert.deepEqual(Buffer.from(PublicKey), spki(pair), KeySpec);
    const { Signature } = await send(new kms.SignCommand({ KeyId, Message: message,
      SigningAlgorithm }));
    const hash = KeySpec === 'ECC_NIST_EDWARDS25519' ? null : `sha${SigningAlgorithm.slice(-3)}`;
    assert.ok(crypto.verify(hash, message, pair.publicKey, Signature), KeySpec);

    await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId }));
    assert.equal(await stateOf(KeyId), 'PendingImport');
    await refused(send(new kms.SignCommand({ KeyId, Message: message, SigningAlgorithm })),
      'KMSInvalidStateException', `${Arn} is pending import.`);
    await importPair(KeyId, pkcs8(pair), algorithm);
    assert.ok((await send(new kms.VerifyCommand({ KeyId, Message: message, Signature,
      SigningAlgorithm }))).SignatureValid);
    await refused(importPair(KeyId, pkcs8(pair), algorithm, { ImportType: 'EXISTING_KEY_MATERIAL' }),
      'ValidationException', `Input parameter importType cannot be used with ${KeySpec} imported keys.`);
  }
});

test('HMAC keys made elsewhere: from the digest\'s length to 128 bytes', async () => {
  const message = Buffer.from('authenticated');
  for (const [bits, size] of [[224, 28], [256, 32], [256, 128], [384, 48], [512, 64]]) {
    const { KeyId } = await create({ KeySpec: `HMAC_${bits}`, KeyUsage: 'GENERATE_VERIFY_MAC' });
    for (const wrong of [bits / 8 - 1, 129]) {
      await refused(importPair(KeyId, crypto.randomBytes(wrong), 'RSAES_OAEP_SHA_256'),
        'InvalidCiphertextException');
    }
    const bytes = crypto.randomBytes(size);
    await importPair(KeyId, bytes, 'RSAES_OAEP_SHA_256');
    const { Mac } = await send(new kms.GenerateMacCommand({ KeyId, Message: message,
      MacAlgorithm: `HMAC_SHA_${bits}` }));
    assert.deepEqual(Buffer.from(Mac), crypto.createHmac(`sha${bits}`, bytes).update(message).digest());
  }
});
