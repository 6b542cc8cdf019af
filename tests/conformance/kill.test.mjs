// Is anything that was acknowledged lost when the server is killed at a random moment under load?
// KILL_ROUNDS sets the number of rounds (default 8). Every other server has --trail-sync always, and loses
// with its life what of the trail's last file was not on stable storage, as with its machine.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, run } from '../lib/server.mjs';

// loseWhatWasNotSynced cuts the last segment of a trail to what its redo log says was synced; returns its path, and
// what it must have again after the next start.
function loseWhatWasNotSynced(dataDir) {
  const trail = path.join(dataDir, 'trail');
  const log = readFileSync(path.join(trail, 'redo.log'));
  const segment = readdirSync(trail).filter((name) => name.endsWith('.jsonl')).sort().at(-1);
  const file = path.join(trail, segment);
  const headers = [];
  for (let at = 0; at < log.length; at += 4096) {
    const line = log.subarray(at, at + 1024).toString('latin1').split('\n')[0];
    if (line.startsWith('{"keyturnRedo":1,')) headers.push(JSON.parse(line));
  }
  const ours = headers.filter((header) => header.segment === Number(segment.slice(0, 20)));
  assert.ok(ours.length > 0);
  const before = readFileSync(file);
  truncateSync(file, Math.max(...ours.map((header) => header.syncedOffset)));
  return { file, must: before.subarray(0, Math.max(...ours.map((header) => header.offset + header.bytes))),
    lost: before.length > readFileSync(file).length };
}

const rounds = Number(process.env.KILL_ROUNDS ?? 8);

test(`${rounds} kills under load lose nothing`, { timeout: 3600 * 1000 }, async () => {
  const server = await Server.start();
  const blobs = [];
  const keys = new Map(); // id -> what was acknowledged of it
  const started = Date.now();
  let lost = 0;
  for (let round = 0; round < rounds; round += 1) {
    let running = true;
    const client = server.client();
    const send = (command) => client.send(command);
    const worker = async (number) => {
      for (let turn = 0; running; turn += 1) {
        try {
          const { KeyId } = (await send(new kms.CreateKeyCommand({}))).KeyMetadata;
          keys.set(KeyId, { rotation: false, rotations: 0 });
          const Plaintext = new TextEncoder().encode(`${round}/${number}/${turn}`);
          const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext }));
          blobs.push({ KeyId, CiphertextBlob, Plaintext });
          await send(new kms.EnableKeyRotationCommand({ KeyId }));
          keys.get(KeyId).rotation = true;
          await send(new kms.RotateKeyOnDemandCommand({ KeyId }));
          keys.get(KeyId).rotations = 1;
          const second = await send(new kms.EncryptCommand({ KeyId, Plaintext }));
          blobs.push({ KeyId, CiphertextBlob: second.CiphertextBlob, Plaintext });
        } catch (error) {
          if (running && !/ECONNRE|socket|hang up|EPIPE/.test(`${error.code} ${error.message}`)) {
            throw error;
          }
          return;
        }
      }
    };
    const workers = [0, 1, 2, 3, 4, 5, 6, 7].map(worker);
    await new Promise((resolve) => { setTimeout(resolve, 50 + Math.random() * 250); });
    running = false;
    await server.kill();
    await Promise.all(workers);
    const verified = await run(['trail', 'verify', '--data-dir', server.dataDir]);
    assert.ok(verified.code === 0 || /is not closed|open/.test(verified.stdout + verified.stderr),
      `round ${round}: ${verified.stderr}`);
    assert.equal(/redo\.log is there/.test(verified.stdout), server.args.length > 0);
    const loss = server.args.length > 0 ? loseWhatWasNotSynced(server.dataDir) : undefined;
    server.args = round % 2 === 0 ? ['--trail-sync', 'always'] : [];
    await server.launch();
    assert.equal(statSync(path.join(server.dataDir, 'trail', 'redo.log')).size > 4096, server.args.length > 0);
    if (loss) {
      lost += loss.lost;
      assert.ok(readFileSync(loss.file).subarray(0, loss.must.length).equals(loss.must), `round ${round}`);
    }
  }
  const client = server.client();
  for (const { KeyId, CiphertextBlob, Plaintext } of blobs) {
    const opened = await client.send(new kms.DecryptCommand({ KeyId, CiphertextBlob }));
    assert.deepEqual(opened.Plaintext, Plaintext);
  }
  for (const [KeyId, acknowledged] of keys) {
    const status = await client.send(new kms.GetKeyRotationStatusCommand({ KeyId }));
    if (acknowledged.rotation) assert.equal(status.KeyRotationEnabled, true);
    const { Rotations } = await client.send(new kms.ListKeyRotationsCommand({ KeyId }));
    assert.ok(Rotations.length >= acknowledged.rotations, KeyId);
  }
  const end = await server.kill('SIGTERM');
  assert.equal(end.code, 0);
  assert.ok(!existsSync(path.join(server.dataDir, 'trail', 'redo.log')));
  const verified = await run(['trail', 'verify', '--data-dir', server.dataDir]);
  assert.equal(verified.code, 0, verified.stderr);
  console.log(`${rounds} rounds, ${keys.size} keys, ${blobs.length} ciphertexts, `
    + `${((Date.now() - started) / 1000).toFixed(1)} s`);
  assert.ok(lost > 0, 'the trail lost something and had it again');
  assert.ok(keys.size > rounds && blobs.length > rounds, 'there was load');
});
