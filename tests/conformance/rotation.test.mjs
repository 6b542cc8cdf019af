// Do keys rotate as AWS documents it: setting, schedule, on demand, history, and the clock moving on?
// libfaketime moves the server's clock through a file; the server reads nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Clock } from '../lib/clock.mjs';
import { Server, failure, run } from '../lib/server.mjs';
import { until } from '../lib/until.mjs';

const day = 86400 * 1000;

let server;
let clock;

// The client signs with the server's time: its clock is moved the same way.
const client = () => server.client({ systemClockOffset: clock.offset });
const send = (command) => client().send(command);

before(async () => {
  clock = await Clock.make();
  server = await Server.start({ env: clock.env });
});
after(async () => {
  await server.stop();
  await clock.remove();
});

test('the setting: default, same period, other period, off, and its limits', async () => {
  const { KeyId, Arn } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const status = () => send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  const off = await status();
  assert.equal(off.KeyRotationEnabled, false);
  assert.equal(off.KeyId, Arn);
  assert.equal(off.NextRotationDate, undefined);
  const from = Date.now();
  await send(new kms.EnableKeyRotationCommand({ KeyId }));
  const first = await status();
  assert.equal(first.KeyRotationEnabled, true);
  assert.equal(first.RotationPeriodInDays, 365);
  const next = first.NextRotationDate.getTime() - 365 * day;
  assert.ok(next >= from - 1000 && next <= Date.now() + 1000);
  await send(new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
  const ninety = await status();
  assert.equal(ninety.RotationPeriodInDays, 90);
  await send(new kms.EnableKeyRotationCommand({ KeyId }));
  assert.deepEqual((await status()).NextRotationDate, ninety.NextRotationDate);
  await send(new kms.DisableKeyRotationCommand({ KeyId }));
  await send(new kms.DisableKeyRotationCommand({ KeyId }));
  assert.equal((await status()).KeyRotationEnabled, false);
  await send(new kms.EnableKeyRotationCommand({ KeyId }));
  assert.equal((await status()).RotationPeriodInDays, 365);
  for (const [period, bound] of [[89, 'greater than or equal to 90'],
    [2561, 'less than or equal to 2560']]) {
    const error = await failure(send(new kms.EnableKeyRotationCommand(
      { KeyId, RotationPeriodInDays: period })));
    assert.equal(error.message, `1 validation error detected: Value '${period}' at `
      + `'rotationPeriodInDays' failed to satisfy constraint: Member must have value ${bound}`);
  }
});

test('on demand: new material at once, the old one decrypts, the schedule stays', async () => {
  const { KeyId } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  await send(new kms.EnableKeyRotationCommand({ KeyId }));
  const before = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  const Plaintext = new TextEncoder().encode('old');
  const old = await send(new kms.EncryptCommand({ KeyId, Plaintext }));
  await send(new kms.RotateKeyOnDemandCommand({ KeyId }));
  const opened = await send(new kms.DecryptCommand({ CiphertextBlob: old.CiphertextBlob }));
  assert.deepEqual(opened.Plaintext, Plaintext);
  const fresh = await send(new kms.EncryptCommand({ KeyId, Plaintext }));
  const reopened = await send(new kms.DecryptCommand({ CiphertextBlob: fresh.CiphertextBlob }));
  assert.notEqual(reopened.KeyMaterialId, opened.KeyMaterialId);
  const after = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  assert.deepEqual(after.NextRotationDate, before.NextRotationDate);
  const { Rotations } = await send(new kms.ListKeyRotationsCommand({ KeyId }));
  assert.equal(Rotations.length, 1);
  assert.equal(Rotations[0].RotationType, 'ON_DEMAND');
  assert.equal(Rotations[0].KeyMaterialId, reopened.KeyMaterialId);
  assert.equal(Rotations[0].KeyMaterialState, 'CURRENT');
});

test('on demand: 25 times, then LimitExceededException; the history pages', async () => {
  const { KeyId, Arn } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  for (let i = 0; i < 25; i += 1) await send(new kms.RotateKeyOnDemandCommand({ KeyId }));
  const over = await failure(send(new kms.RotateKeyOnDemandCommand({ KeyId })));
  assert.equal(over.name, 'LimitExceededException');
  assert.equal(over.message, 'The on-demand rotations limit has been reached for the given keyId. '
    + `No more on-demand rotations can be performed for this key: ${Arn}`);
  const ids = [];
  let Marker;
  do {
    const page = await send(new kms.ListKeyRotationsCommand(
      { KeyId, Limit: 10, Marker, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }));
    ids.push(...page.Rotations.map((each) => each.KeyMaterialId));
    Marker = page.NextMarker;
  } while (Marker);
  assert.equal(ids.length, 26);
  assert.equal(new Set(ids).size, 26);
});

test('the history of a key that does not rotate is empty, and has no materials', async () => {
  for (const [KeySpec, KeyUsage] of [['HMAC_256', 'GENERATE_VERIFY_MAC'], ['RSA_2048', 'SIGN_VERIFY']]) {
    const { KeyId } = (await send(new kms.CreateKeyCommand({ KeySpec, KeyUsage }))).KeyMetadata;
    assert.deepEqual((await send(new kms.ListKeyRotationsCommand({ KeyId }))).Rotations, []);
    const error = await failure(send(new kms.ListKeyRotationsCommand(
      { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })));
    assert.equal(error.name, 'ValidationException');
    assert.equal(error.message, 'Input parameter includeKeyMaterial can only be used with symmetric keys.');
  }
});

test('on demand: not within twenty minutes of the automatic rotation', async () => {
  const { KeyId } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  await send(new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }));
  const minute = 60 * 1000;
  await clock.move(90 * day - 30 * minute);
  await send(new kms.RotateKeyOnDemandCommand({ KeyId }));
  await clock.move(15 * minute);
  const error = await failure(send(new kms.RotateKeyOnDemandCommand({ KeyId })));
  assert.equal(error.name, 'ConflictException');
  assert.match(error.message, /will be within 20 minutes/);
});

test('states: disabled refuses; pending deletion hides the setting, cancel brings it back', async () => {
  const { KeyId, Arn } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  await send(new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 180 }));
  const before = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  await send(new kms.DisableKeyCommand({ KeyId }));
  for (const command of [new kms.EnableKeyRotationCommand({ KeyId }),
    new kms.DisableKeyRotationCommand({ KeyId }), new kms.RotateKeyOnDemandCommand({ KeyId })]) {
    const error = await failure(send(command));
    assert.equal(error.name, 'DisabledException');
    assert.equal(error.message, `${Arn} is disabled.`);
  }
  await send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  const pending = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  assert.equal(pending.KeyRotationEnabled, false);
  await send(new kms.CancelKeyDeletionCommand({ KeyId }));
  const back = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  assert.deepEqual(back.NextRotationDate, before.NextRotationDate);
  assert.equal(back.RotationPeriodInDays, 180);
});

test('the clock: due keys rotate once however long it was, deletions happen, old blobs open', async () => {
  const Plaintext = new TextEncoder().encode('before the year');
  const due = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const disabled = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const doomed = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
  await send(new kms.EnableKeyRotationCommand({ KeyId: due.KeyId, RotationPeriodInDays: 90 }));
  await send(new kms.EnableKeyRotationCommand({ KeyId: disabled.KeyId }));
  const blob = await send(new kms.EncryptCommand({ KeyId: due.KeyId, Plaintext }));
  await send(new kms.DisableKeyCommand({ KeyId: disabled.KeyId }));
  await send(new kms.ScheduleKeyDeletionCommand({ KeyId: doomed.KeyId, PendingWindowInDays: 7 }));
  const firstDate = (await send(new kms.GetKeyRotationStatusCommand({ KeyId: due.KeyId })))
    .NextRotationDate.getTime();

  // A year with the server down: three periods of 90 days pass and a bit.
  await server.kill('SIGTERM');
  await clock.move(400 * day);
  await server.launch();
  const history = () => send(new kms.ListKeyRotationsCommand({ KeyId: due.KeyId }));
  const { Rotations } = await until(history, (answer) => answer.Rotations.length > 0);
  assert.equal(Rotations.length, 1);
  assert.equal(Rotations[0].RotationType, 'AUTOMATIC');
  const next = (await send(new kms.GetKeyRotationStatusCommand({ KeyId: due.KeyId })))
    .NextRotationDate.getTime();
  assert.equal((next - firstDate) % (90 * day), 0);
  assert.ok(next > Date.now() + clock.offset);
  const opened = await send(new kms.DecryptCommand({ CiphertextBlob: blob.CiphertextBlob }));
  assert.deepEqual(opened.Plaintext, Plaintext);
  assert.notEqual(opened.KeyMaterialId, Rotations[0].KeyMaterialId);

  const gone = await failure(send(new kms.DescribeKeyCommand({ KeyId: doomed.KeyId })));
  assert.equal(gone.name, 'NotFoundException');

  const none = await send(new kms.ListKeyRotationsCommand({ KeyId: disabled.KeyId }));
  assert.equal(none.Rotations.length, 0);
  await send(new kms.EnableKeyCommand({ KeyId: disabled.KeyId }));
  const overdue = () => send(new kms.ListKeyRotationsCommand({ KeyId: disabled.KeyId }));
  const caught = await until(overdue, (answer) => answer.Rotations.length > 0);
  assert.equal(caught.Rotations[0].RotationType, 'AUTOMATIC');

  await server.kill('SIGTERM');
  const verified = await run(['trail', 'verify', '--data-dir', server.dataDir]);
  assert.equal(verified.code, 0, verified.stderr);
  await server.launch();
});
