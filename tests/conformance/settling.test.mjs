// Rotations on demand that are under way: do clients see what they see on AWS, where they take minutes?
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Clock } from '../lib/clock.mjs';
import { Server, failure } from '../lib/server.mjs';
import { until } from '../lib/until.mjs';

const hour = 3600 * 1000;
const never = 'KEY_MATERIAL_DOES_NOT_EXPIRE';
const here = 'us-east-1';
const there = 'eu-west-1';
let clock;
let server;
const send = (command, region = here) => server.client({ region, systemClockOffset: clock.offset }).send(command);
const newKey = async (input = {}) => (await send(new kms.CreateKeyCommand(input))).KeyMetadata;
const status = (KeyId, region) => send(new kms.GetKeyRotationStatusCommand({ KeyId }), region);
const current = async (KeyId, region) => (await send(new kms.DescribeKeyCommand({ KeyId }), region))
  .KeyMetadata.CurrentKeyMaterialId;
const rotations = async (KeyId) => (await send(new kms.ListKeyRotationsCommand({ KeyId }))).Rotations;
const rotate = (KeyId) => send(new kms.RotateKeyOnDemandCommand({ KeyId }));

const ended = (KeyId) => until(async () => !(await status(KeyId)).OnDemandRotationStartDate, Boolean, { why: 'it goes on' });

before(async () => {
  clock = await Clock.make();
  server = await Server.start({ args: ['--settle-seconds', '3600'],
    env: clock.env });
});
after(async () => {
  await server.stop();
  await clock.remove();
});

test('the start shows, the material changes at the end, asking again changes nothing', async () => {
  const { KeyId } = await newKey();
  const first = await current(KeyId);
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
  await rotate(KeyId);
  const begun = (await status(KeyId)).OnDemandRotationStartDate;
  assert.ok(Math.abs(begun.getTime() - Date.now() - clock.offset) < 60000);
  await rotate(KeyId);
  assert.equal((await status(KeyId)).OnDemandRotationStartDate.getTime(), begun.getTime());
  assert.equal(await current(KeyId), first);
  assert.deepEqual(await rotations(KeyId), []);
  // A restart forgets nothing.
  await server.kill('SIGKILL');
  await server.launch();
  assert.equal((await status(KeyId)).OnDemandRotationStartDate.getTime(), begun.getTime());
  await clock.move(1.1 * hour);
  await ended(KeyId);
  assert.notEqual(await current(KeyId), first);
  const [rotation, ...more] = await rotations(KeyId);
  assert.equal(rotation.RotationType, 'ON_DEMAND');
  assert.deepEqual(more, []);
  const opened = await send(new kms.DecryptCommand({ CiphertextBlob }));
  assert.equal(Buffer.from(opened.Plaintext).toString(), 'x');
});

test('it completes though the key is disabled or scheduled for deletion meanwhile', async () => {
  const disabled = await newKey();
  const doomed = await newKey();
  for (const { KeyId } of [disabled, doomed]) await rotate(KeyId);
  await send(new kms.DisableKeyCommand({ KeyId: disabled.KeyId }));
  await send(new kms.ScheduleKeyDeletionCommand({ KeyId: doomed.KeyId }));
  const shown = await status(doomed.KeyId);
  assert.equal(shown.KeyRotationEnabled, false);
  assert.ok(shown.OnDemandRotationStartDate);
  await clock.move(1.1 * hour);
  for (const { KeyId, CurrentKeyMaterialId } of [disabled, doomed]) {
    await ended(KeyId);
    assert.notEqual(await current(KeyId), CurrentKeyMaterialId);
  }
  assert.equal((await failure(rotate(disabled.KeyId))).name, 'DisabledException');
});

test('replicas show the rotation of their primary, and follow it', async () => {
  const { KeyId, CurrentKeyMaterialId } = await newKey({ MultiRegion: true });
  await send(new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: there }));
  await clock.move(1.1 * hour);
  await until(async () => (await current(KeyId, there)) === CurrentKeyMaterialId,
    Boolean, { why: 'no replica' });
  await rotate(KeyId);
  assert.ok((await status(KeyId, there)).OnDemandRotationStartDate);
  await clock.move(1.1 * hour);
  await ended(KeyId);
  assert.equal(await current(KeyId, there), await current(KeyId));
  assert.notEqual(await current(KeyId), CurrentKeyMaterialId);
});

test('imported material: deleted under way, replaced under way', async () => {
  const { KeyId } = await newKey({ Origin: 'EXTERNAL' });
  const bring = async (bytes, more) => {
    const { ImportToken, PublicKey } = await send(new kms.GetParametersForImportCommand(
      { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }));
    const key = crypto.createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' });
    const EncryptedKeyMaterial = crypto.publicEncrypt({ key, oaepHash: 'sha256',
      padding: crypto.constants.RSA_PKCS1_OAEP_PADDING }, bytes);
    return (await send(new kms.ImportKeyMaterialCommand(
      { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: never, ...more }))).KeyMaterialId;
  };
  const first = await bring(crypto.randomBytes(32), {});
  const NEW = { ImportType: 'NEW_KEY_MATERIAL' };
  const second = await bring(crypto.randomBytes(32), NEW);
  await rotate(KeyId);
  await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: second }));
  assert.ok((await status(KeyId)).OnDemandRotationStartDate, 'the request stays open');
  await clock.move(1.1 * hour);
  await ended(KeyId);
  assert.equal(await current(KeyId), first);
  assert.deepEqual(await rotations(KeyId), []);

  const third = await bring(crypto.randomBytes(32), NEW);
  await rotate(KeyId);
  await send(new kms.DeleteImportedKeyMaterialCommand({ KeyId, KeyMaterialId: third }));
  const fourth = await bring(crypto.randomBytes(32), NEW);
  await clock.move(1.1 * hour);
  await ended(KeyId);
  assert.equal(await current(KeyId), fourth);
  assert.deepEqual((await rotations(KeyId)).map((each) => each.KeyMaterialId), [fourth]);
});
