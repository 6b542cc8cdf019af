// Are related multi-Region keys one key in several regions, as AWS documents it: what they share, what
// is each one's own, who may be promoted, and in which order they go?
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { person } from '../lib/people.mjs';
import { Clock } from '../lib/clock.mjs';
import { Server, account, failure } from '../lib/server.mjs';
import { until } from '../lib/until.mjs';

const day = 86400 * 1000;
const here = 'us-east-1';
const there = 'eu-west-1';
const third = 'us-west-2';
const all = 'ALL_KEY_MATERIAL';

let server;
let clock;
let guarded; // credentials of somebody who must keep to two regions
const send = (region, command) => server.client({ region, systemClockOffset: clock.offset }).send(command);
const describe = async (region, KeyId) => (await send(region, new kms.DescribeKeyCommand({ KeyId })))
  .KeyMetadata;
const arn = (region, id) => `arn:aws:kms:${region}:${account}:key/${id}`;

const settled = (region, KeyId, state = 'Enabled') => until(() => describe(region, KeyId),
  (key) => key.KeyState === state);
const gone = (region, KeyId) => until(
  () => describe(region, KeyId).catch((error) => error.name), (seen) => seen === 'NotFoundException');

before(async () => {
  clock = await Clock.make();
  server = await Server.start({ env: clock.env });
  // Here, since `keyturn admin` has the machine's clock, which is the server's until it is moved.
  guarded = await person(server, 'guard', [
    { Effect: 'Allow', Action: 'kms:*', Resource: '*' },
    { Effect: 'Deny', Action: '*', Resource: '*', Condition: { StringNotEquals: {
      'aws:RequestedRegion': [here, third] } } }]);
});
after(async () => {
  await server.stop();
  await clock.remove();
});

async function primary(more = {}) {
  const { KeyMetadata } = await send(here, new kms.CreateKeyCommand({ MultiRegion: true, ...more }));
  return KeyMetadata;
}
async function family(regions = [there], more = {}) {
  const { KeyId } = await primary(more);
  for (const ReplicaRegion of regions) {
    await send(here, new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion }));
    await settled(ReplicaRegion, KeyId);
  }
  return KeyId;
}
const encrypt = async (region, KeyId, text) => (await send(region, new kms.EncryptCommand(
  { KeyId, Plaintext: Buffer.from(text) }))).CiphertextBlob;
const decrypt = async (region, CiphertextBlob, KeyId) => {
  const answer = await send(region, new kms.DecryptCommand({ CiphertextBlob, KeyId }));
  return [Buffer.from(answer.Plaintext).toString(), answer.KeyId];
};
const refused = async (promise, name, message) => {
  const error = await failure(promise);
  assert.equal(error.name, name, error.message);
  if (message !== undefined) assert.equal(error.message, message);
};

test('a replica: what ReplicateKey answers, and what the two then show', async () => {
  const made = await primary({ Description: 'the first' });
  const { KeyId } = made;
  assert.match(KeyId, /^mrk-[0-9a-f]{32}$/);
  assert.deepEqual(made.MultiRegionConfiguration, { MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn: arn(here, KeyId), Region: here }, ReplicaKeys: [] });
  const early = await encrypt(here, KeyId, 'older than the replica');
  const answer = await send(here, new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: there,
    Description: 'the second', Tags: [{ TagKey: 'a', TagValue: 'b' }] }));
  const metadata = answer.ReplicaKeyMetadata;
  assert.equal(metadata.KeyState, 'Creating');
  assert.equal(metadata.Enabled, false);
  assert.equal(metadata.CurrentKeyMaterialId, undefined);
  assert.equal(metadata.Arn, arn(there, KeyId));
  assert.equal(metadata.Description, 'the second');
  assert.deepEqual(answer.ReplicaTags, [{ TagKey: 'a', TagValue: 'b' }]);
  assert.match(answer.ReplicaPolicy, /kms:\*/);
  const configuration = { MultiRegionKeyType: 'REPLICA',
    PrimaryKey: { Arn: arn(here, KeyId), Region: here },
    ReplicaKeys: [{ Arn: arn(there, KeyId), Region: there }] };
  assert.deepEqual(metadata.MultiRegionConfiguration, configuration);
  const ready = await settled(there, KeyId);
  assert.equal(ready.CurrentKeyMaterialId, made.CurrentKeyMaterialId);
  assert.deepEqual((await describe(here, KeyId)).MultiRegionConfiguration,
    { ...configuration, MultiRegionKeyType: 'PRIMARY' });

  assert.deepEqual(await decrypt(there, early), ['older than the replica', arn(there, KeyId)]);
  const related = 'The key ID in the request does not identify a CMK that can perform this operation.';
  const source = (SourceKeyId) => send(there, new kms.ReEncryptCommand(
    { CiphertextBlob: early, SourceKeyId, DestinationKeyId: KeyId }));
  await refused(decrypt(there, early, arn(here, KeyId)), 'IncorrectKeyException', related);
  await refused(source(arn(here, KeyId)), 'IncorrectKeyException', related);
  await source(arn(there, KeyId));
  await refused(decrypt(there, early, arn(third, KeyId)), 'NotFoundException', `Invalid arn ${third}`);
  const back = await encrypt(there, KeyId, 'made there');
  assert.deepEqual(await decrypt(here, back), ['made there', arn(here, KeyId)]);
  await refused(decrypt(third, back), 'AccessDeniedException');
  // Independent: state, description, tags, aliases, policy.
  await send(there, new kms.DisableKeyCommand({ KeyId }));
  assert.equal((await describe(here, KeyId)).KeyState, 'Enabled');
  await send(there, new kms.EnableKeyCommand({ KeyId }));
  await send(here, new kms.DisableKeyCommand({ KeyId }));
  assert.deepEqual(await decrypt(there, early), ['older than the replica', arn(there, KeyId)]);
  await send(here, new kms.EnableKeyCommand({ KeyId }));
  await send(there, new kms.CreateAliasCommand({ AliasName: 'alias/only-there', TargetKeyId: KeyId }));
  await refused(send(here, new kms.DescribeKeyCommand({ KeyId: 'alias/only-there' })),
    'NotFoundException');
  assert.deepEqual((await send(here, new kms.ListResourceTagsCommand({ KeyId }))).Tags, []);
});

test('where a replica cannot be', async () => {
  const KeyId = await family();
  const replicate = (region, ReplicaRegion, id = KeyId) => send(region,
    new kms.ReplicateKeyCommand({ KeyId: id, ReplicaRegion }));
  await refused(replicate(here, there), 'AlreadyExistsException',
    'You can create only one replica of each primary key in each AWS Region.');
  await refused(replicate(here, here), 'ValidationException',
    `${here} cannot have a replica because it contains the primary.`);
  await refused(replicate(here, 'cn-north-1'), 'ValidationException',
    'The replica key Region must be in the same AWS partition as the primary key Region.');
  await refused(replicate(here, 'us-invalid-1'), 'ValidationException', 'Region us-invalid-1 is not '
    + 'a valid Region or multi-Region keys are not supported in Region us-invalid-1.');
  await refused(replicate(there, third), 'UnsupportedOperationException',
    `${arn(there, KeyId)} is not a multi-region primary key.`);
  const single = (await send(here, new kms.CreateKeyCommand({}))).KeyMetadata;
  await refused(replicate(here, there, single.KeyId), 'UnsupportedOperationException');
  await send(here, new kms.DisableKeyCommand({ KeyId }));
  await refused(replicate(here, third), 'DisabledException', `${arn(here, KeyId)} is disabled.`);
});

test('rotation: set and asked for at the primary, followed by all', async () => {
  const KeyId = await family([there, third]);
  const before = await encrypt(there, KeyId, 'before');
  for (const [name, command] of [['EnableKeyRotation', new kms.EnableKeyRotationCommand({ KeyId })],
    ['DisableKeyRotation', new kms.DisableKeyRotationCommand({ KeyId })],
    ['RotateKeyOnDemand', new kms.RotateKeyOnDemandCommand({ KeyId })]]) {
    await refused(send(there, command), 'UnsupportedOperationException',
      `${arn(there, KeyId)} is a multi-region replica key which is not valid for ${name}.`);
  }
  await send(here, new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
  const status = (region) => send(region, new kms.GetKeyRotationStatusCommand({ KeyId }));
  const ours = await status(here);
  const theirs = await status(there);
  assert.equal(theirs.KeyRotationEnabled, true);
  assert.equal(theirs.RotationPeriodInDays, 90);
  assert.deepEqual(theirs.NextRotationDate, ours.NextRotationDate);
  assert.equal(theirs.KeyId, arn(there, KeyId));

  await send(here, new kms.RotateKeyOnDemandCommand({ KeyId }));
  const current = async (region) => (await describe(region, KeyId)).CurrentKeyMaterialId;
  const second = await current(here);
  assert.equal(await current(there), second);
  assert.equal(await current(third), second);
  const history = async (region) => (await send(region, new kms.ListKeyRotationsCommand(
    { KeyId, IncludeKeyMaterial: all }))).Rotations.map(({ KeyId: id, ...row }) => {
    assert.equal(id, arn(region, KeyId));
    return row;
  });
  assert.equal((await history(here)).length, 2);
  assert.deepEqual(await history(there), await history(here));
  assert.deepEqual(await decrypt(third, before), ['before', arn(third, KeyId)]);
  const after1 = await encrypt(third, KeyId, 'after');
  assert.deepEqual(await decrypt(there, after1), ['after', arn(there, KeyId)]);

  // The schedule and the history outlive a promotion and a restart.
  await send(here, new kms.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: there }));
  await settled(there, KeyId);
  await settled(here, KeyId);
  assert.deepEqual((await status(there)).NextRotationDate, ours.NextRotationDate);
  assert.deepEqual((await status(here)).NextRotationDate, ours.NextRotationDate);
  await server.kill();
  await server.launch();
  await clock.moveTo(91 * day);
  await until(() => current(third), (id) => id !== second);
  assert.equal(await current(here), await current(there));
  assert.deepEqual((await history(here)).map((row) => row.RotationType),
    [undefined, 'ON_DEMAND', 'AUTOMATIC']);
  for (const region of [here, there, third]) {
    assert.equal((await decrypt(region, before))[0], 'before');
    assert.equal((await decrypt(region, after1))[0], 'after');
  }
});

test('promotion: roles, states, and who cannot', async () => {
  const KeyId = await family([there, third]);
  const promote = (region, PrimaryRegion) => send(region,
    new kms.UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion }));
  await refused(promote(here, 'sa-east-1'), 'ValidationException',
    `${KeyId} does not have a replica key in the specified Region.`);
  await refused(promote(there, here), 'KMSInvalidStateException',
    `${arn(there, KeyId)} is not a multi-Region primary key.`);
  await send(third, new kms.DisableKeyCommand({ KeyId }));
  await refused(promote(here, third), 'DisabledException', `${arn(third, KeyId)} is disabled.`);
  await promote(here, here);  // nothing changes
  assert.equal((await describe(here, KeyId)).KeyState, 'Enabled');
  await promote(here, there);
  const swapped = await describe(there, KeyId);
  assert.equal(swapped.MultiRegionConfiguration.MultiRegionKeyType, 'PRIMARY');
  const blob = await encrypt(here, KeyId, 'while updating');
  assert.equal((await decrypt(there, blob))[0], 'while updating');
  await settled(here, KeyId);
  await settled(there, KeyId);
  for (const region of [here, there, third]) {
    const { MultiRegionConfiguration: shown } = await describe(region, KeyId);
    assert.equal(shown.PrimaryKey.Region, there);
    assert.deepEqual(shown.ReplicaKeys.map((key) => key.Region), [here, third]);
  }
  await refused(promote(here, third), 'KMSInvalidStateException');
});

test('deletion: a primary goes after its replicas', async () => {
  const KeyId = await family();
  await send(here, new kms.EnableKeyRotationCommand({ KeyId }));
  const answer = await send(here, new kms.ScheduleKeyDeletionCommand(
    { KeyId, PendingWindowInDays: 8 }));
  assert.equal(answer.KeyState, 'PendingReplicaDeletion');
  assert.equal(answer.DeletionDate, undefined);
  assert.equal(answer.PendingWindowInDays, 8);
  const waiting = await describe(here, KeyId);
  assert.equal(waiting.KeyState, 'PendingReplicaDeletion');
  assert.equal(waiting.PendingDeletionWindowInDays, 8);
  assert.equal(waiting.DeletionDate, undefined);
  await refused(encrypt(here, KeyId, 'x'), 'KMSInvalidStateException',
    `${arn(here, KeyId)} is pending replica deletion.`);
  await send(here, new kms.CancelKeyDeletionCommand({ KeyId }));
  assert.equal((await describe(here, KeyId)).KeyState, 'Disabled');
  await send(here, new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 8 }));
  await send(there, new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  assert.equal((await describe(here, KeyId)).KeyState, 'PendingReplicaDeletion');
  const rotates = async (region) => {
    const { $metadata, ...status } = await send(region, new kms.GetKeyRotationStatusCommand({ KeyId }));
    return status;
  };
  assert.deepEqual(await rotates(there), { KeyId: arn(there, KeyId), KeyRotationEnabled: false });
  assert.equal((await rotates(here)).KeyRotationEnabled, true);
  const begin = clock.offset;
  await clock.moveTo(begin + 7.1 * day);
  await gone(there, KeyId);
  const pending = await settled(here, KeyId, 'PendingDeletion');
  const left = pending.DeletionDate.getTime() - Date.now() - clock.offset;
  assert.ok(Math.abs(left - 8 * day) < 60000, String(left));
  await clock.moveTo(begin + 15.2 * day);
  await gone(here, KeyId);
});

test('imported material: each region imports the same bytes', async () => {
  const made = await primary({ Origin: 'EXTERNAL' });
  const { KeyId } = made;
  await refused(send(here, new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: there })),
    'KMSInvalidStateException', `${made.Arn} is pending import.`);
  const put = async (region, bytes, more = {}) => {
    const { ImportToken, PublicKey } = await send(region, new kms.GetParametersForImportCommand({
      KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }));
    const key = crypto.createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    const EncryptedKeyMaterial = crypto.publicEncrypt(
      { key, oaepHash: 'sha256', padding: crypto.constants.RSA_PKCS1_OAEP_PADDING }, bytes);
    return send(region, new kms.ImportKeyMaterialCommand({ KeyId, ImportToken,
      EncryptedKeyMaterial, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE', ...more }));
  };
  const [a, b] = [crypto.randomBytes(32), crypto.randomBytes(32)];
  const first = (await put(here, a, { KeyMaterialDescription: 'one' })).KeyMaterialId;
  await send(here, new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: there }));
  await settled(there, KeyId, 'PendingImport');
  const rows = async (region) => (await send(region, new kms.ListKeyRotationsCommand(
    { KeyId, IncludeKeyMaterial: all }))).Rotations
    .map((row) => [row.KeyMaterialId, row.KeyMaterialState, row.ImportState,
      row.KeyMaterialDescription]);
  assert.deepEqual(await rows(there), [[first, 'CURRENT', 'PENDING_IMPORT', 'one']]);
  await refused(put(there, b), 'IncorrectKeyMaterialException');
  await refused(put(there, b, { ImportType: 'NEW_KEY_MATERIAL' }), 'ValidationException',
    'Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys');
  await refused(put(there, a, { KeyMaterialDescription: 'mine' }), 'ValidationException',
    'Key material description can only be specified on primary Multi-Region keys');
  assert.equal((await put(there, a)).KeyMaterialId, first);
  const old = await encrypt(here, KeyId, 'under one');
  assert.equal((await decrypt(there, old))[0], 'under one');

  const second = (await put(here, b, { ImportType: 'NEW_KEY_MATERIAL',
    KeyMaterialDescription: 'two' })).KeyMaterialId;
  const pending = 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION';
  assert.deepEqual((await rows(here))[1], [second, pending, 'IMPORTED', 'two']);
  assert.deepEqual((await rows(there))[1], [second, pending, 'PENDING_IMPORT', 'two']);
  assert.equal((await describe(there, KeyId)).KeyState, 'Enabled');
  await refused(send(here, new kms.RotateKeyOnDemandCommand({ KeyId })), 'KMSInvalidStateException',
    'Cannot perform key material rotation: Key material has not been imported for replicas of the '
    + 'Multi-Region key.');
  await put(there, b);
  assert.deepEqual((await rows(here))[1], [second, 'PENDING_ROTATION', 'IMPORTED', 'two']);
  await send(there, new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: second }));
  assert.deepEqual((await rows(there))[1], [second, pending, 'PENDING_IMPORT', 'two']);
  await put(there, b);
  await send(here, new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: second }));
  assert.equal((await rows(there)).length, 1, 'deleted at the primary: gone everywhere');
  await put(here, b, { ImportType: 'NEW_KEY_MATERIAL' });
  await put(there, b);
  await send(here, new kms.RotateKeyOnDemandCommand({ KeyId }));
  for (const region of [here, there]) {
    assert.equal((await describe(region, KeyId)).CurrentKeyMaterialId, second);
    assert.equal((await decrypt(region, old))[0], 'under one');
  }
  await send(there, new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: first }));
  assert.equal((await describe(there, KeyId)).KeyState, 'PendingImport');
  assert.equal((await describe(here, KeyId)).KeyState, 'Enabled');
});

test('key pairs and HMAC keys are the same in every region', async () => {
  const message = Buffer.from('the same key, another region');
  for (const [KeySpec, SigningAlgorithm] of [['ECC_NIST_P256', 'ECDSA_SHA_256'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256']]) {
    const KeyId = await family([there], { KeySpec, KeyUsage: 'SIGN_VERIFY' });
    const publicKey = async (region) => Buffer.from((await send(region,
      new kms.GetPublicKeyCommand({ KeyId }))).PublicKey);
    assert.deepEqual(await publicKey(there), await publicKey(here));
    const { Signature } = await send(there, new kms.SignCommand({ KeyId, Message: message,
      SigningAlgorithm }));
    assert.ok((await send(here, new kms.VerifyCommand({ KeyId, Message: message, Signature,
      SigningAlgorithm }))).SignatureValid);
  }
  const KeyId = await family([there], { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const MacAlgorithm = 'HMAC_SHA_256';
  const { Mac } = await send(here, new kms.GenerateMacCommand({ KeyId, Message: message,
    MacAlgorithm }));
  assert.ok((await send(there, new kms.VerifyMacCommand({ KeyId, Message: message, Mac,
    MacAlgorithm }))).MacValid);
});

test('a policy that keeps to one Region holds for replicas and promotion', async () => {
  const guard = (region) => server.client({ region, credentials: guarded,
    systemClockOffset: clock.offset });
  const { KeyId } = await primary();
  const denied = (promise, action) => failure(promise).then((error) => {
    assert.equal(error.name, 'AccessDeniedException', error.message);
    assert.match(error.message, new RegExp(`perform: ${action} on .* with an explicit deny`));
  });
  await denied(guard(there).send(new kms.CreateKeyCommand({})), 'kms:CreateKey');
  const replicate = (ReplicaRegion) => guard(here).send(new kms.ReplicateKeyCommand({ KeyId,
    ReplicaRegion, Tags: [{ TagKey: 'a', TagValue: 'b' }] }));
  await denied(replicate(there), 'kms:CreateKey');
  await replicate(third);
  await send(here, new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: there }));
  for (const region of [there, third]) await settled(region, KeyId);
  const promote = (PrimaryRegion) => guard(here).send(new kms.UpdatePrimaryRegionCommand({ KeyId,
    PrimaryRegion }));
  await denied(promote(there), 'kms:UpdatePrimaryRegion');
  await promote(third);
});

test('the lockout safety check of a replica: its Region and its tags', async () => {
  const { KeyId } = await primary();
  const delegate = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action: 'kms:*', Resource: '*' };
  const never = (Condition) => JSON.stringify({ Version: '2012-10-17', Statement: [delegate,
    { ...delegate, Effect: 'Deny', Action: 'kms:PutKeyPolicy', Condition }] });
  const replicate = (Policy) => send(here, new kms.ReplicateKeyCommand({ KeyId, Policy,
    ReplicaRegion: there, Tags: [{ TagKey: 'team', TagValue: 'red' }] }));
  for (const condition of [{ 'aws:ResourceTag/team': 'red' }, { 'aws:RequestedRegion': there }]) {
    await refused(replicate(never({ StringEquals: condition })), 'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.');
  }
  await replicate(never({ StringEquals: { 'aws:RequestedRegion': here } }));
});
