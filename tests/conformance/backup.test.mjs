// Is what was acknowledged before a backup began in it, when the backup is made beside a server under load? And does a
// server start from it, with everything that was encrypted?
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, run } from '../lib/server.mjs';
import { until } from '../lib/until.mjs';

const backup = (server, to, ...more) => run(['backup', '--data-dir', server.dataDir, '--out', to, ...more]);

// load makes keys, rotates them and encrypts until it is stopped; acknowledged grows meanwhile.
function load(server) {
  const acknowledged = [];
  let running = true;
  const client = server.client();
  const worker = async (number) => {
    for (let turn = 0; running; turn += 1) {
      const { KeyId } = (await client.send(new kms.CreateKeyCommand({}))).KeyMetadata;
      const Plaintext = new TextEncoder().encode(`${number}/${turn}`);
      for (let generation = 0; generation < 2; generation += 1) {
        const { CiphertextBlob } = await client.send(new kms.EncryptCommand({ KeyId, Plaintext }));
        acknowledged.push({ CiphertextBlob, Plaintext });
        if (generation === 0) await client.send(new kms.RotateKeyOnDemandCommand({ KeyId }));
      }
    }
  };
  const workers = [0, 1, 2, 3, 4, 5].map(worker);
  return { acknowledged, stop: () => { running = false; return Promise.all(workers); } };
}

test('backups beside a server under load hold all that was acknowledged', async () => {
  const server = await Server.start({ args: ['--trail-sync', 'always'] });
  const { acknowledged, stop } = load(server);
  const made = [];
  for (let i = 0; i < 3; i += 1) {
    await until(() => acknowledged.length, (count) => count >= 10 * (i + 1), { every: 20 });
    const before = [...acknowledged];
    const to = path.join(server.root, `backup-${i}`, 'data');
    mkdirSync(path.dirname(to));
    const done = await backup(server, to);
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /opened: \d+ key materials of \d+ keys; verified: \d+ records of the trail/);
    assert.match(done.stdout, /root\.key is not in it/);
    made.push({ to, before });
  }
  await stop();
  await server.kill('SIGTERM');
  assert.ok(acknowledged.length > made[2].before.length, 'there was load meanwhile');
  for (const { to, before } of made) {
    for (const name of ['root.key', 'credentials', 'keyturn.lock', 'keyturn.db-wal', 'trail/redo.log']) {
      assert.ok(!existsSync(path.join(to, name)), name);
    }
    assert.equal(statSync(to).mode & 0o777, 0o700);
    for (const name of readdirSync(to, { recursive: true })) {
      assert.equal(statSync(path.join(to, name)).mode & 0o077, 0, name);
    }
    copyFileSync(path.join(server.dataDir, 'root.key'), path.join(to, 'root.key'));
    const verified = await run(['trail', 'verify', '--data-dir', to]);
    assert.equal(verified.code, 0, verified.stderr);
    const again = await Server.start({ directory: path.dirname(to) });
    const client = again.client();
    for (const { CiphertextBlob, Plaintext } of before) {
      assert.deepEqual((await client.send(new kms.DecryptCommand({ CiphertextBlob }))).Plaintext, Plaintext);
    }
    await again.stop();
  }
});

test('with its root key a backup opens by itself; of a stopped server it is the same', async () => {
  const server = await Server.start();
  const client = server.client();
  const { KeyId } = (await client.send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const Plaintext = new TextEncoder().encode('kept');
  const { CiphertextBlob } = await client.send(new kms.EncryptCommand({ KeyId, Plaintext }));
  await server.kill('SIGTERM');
  const jobs = path.join(server.dataDir, 'console-jobs');
  mkdirSync(jobs, { recursive: true });
  for (const name of ['a.job', 'a.journal']) writeFileSync(path.join(jobs, name), `no ${name}, but kept`);
  const to = path.join(server.root, 'whole', 'data');
  mkdirSync(path.dirname(to));
  const done = await backup(server, to, '--with-root-key');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /opened: 1 key materials of 1 keys/);
  assert.equal(readFileSync(path.join(to, 'credentials'), 'utf8'),
    readFileSync(path.join(server.dataDir, 'credentials'), 'utf8'));
  for (const name of ['a.job', 'a.journal']) {
    assert.equal(readFileSync(path.join(to, 'console-jobs', name), 'utf8'), `no ${name}, but kept`);
  }
  const again = await Server.start({ directory: path.dirname(to) });
  assert.deepEqual((await again.client().send(new kms.DecryptCommand({ CiphertextBlob }))).Plaintext, Plaintext);
  await again.stop();
});

test('a directory that was never served has a backup', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'keyturn-backup-'));
  const dataDir = path.join(root, 'data');
  assert.equal((await run(['init', '--data-dir', dataDir])).code, 0);
  const done = await backup({ dataDir }, path.join(root, 'backup'));
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /opened: 0 key materials of 0 keys; verified: 0 records/);
  rmSync(root, { recursive: true });
});

test('a backup that finds no room leaves nothing, wherever it ends', async () => {
  const server = await Server.start();
  const client = server.client();
  const { KeyId } = (await client.send(new kms.CreateKeyCommand({}))).KeyMetadata;
  const EncryptionContext = { long: 'x'.repeat(8000) };
  for (let i = 0; i < 60; i += 1) {
    await client.send(new kms.EncryptCommand({ KeyId, Plaintext: new Uint8Array(1), EncryptionContext }));
  }
  await server.kill('SIGTERM');
  const to = path.join(server.root, 'backup');
  const within = (kib) => new Promise((resolve) => {
    const child = spawn('bash', ['-c', `trap '' XFSZ; ulimit -f ${kib}; exec "$0" "$@"`, process.env.KEYTURN_BIN,
      'backup', '--data-dir', server.dataDir, '--out', to]);
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('exit', (code) => resolve({ code, stderr }));
  });
  const refusals = [];
  for (const kib of [40, 300]) { // the database does not fit; the trail does not
    const done = await within(kib);
    assert.equal(done.code, 1, done.stderr);
    assert.deepEqual(readdirSync(server.root).filter((name) => name.startsWith('backup')), []);
    refusals.push(done.stderr);
  }
  assert.match(refusals[0], /keyturn\.db/);
  assert.match(refusals[1], /cannot write .*trail.*\.jsonl/);
  assert.equal((await within(4000)).code, 0);
});

test('a backup that cannot be sound is refused, and leaves nothing', async () => {
  const server = await Server.start();
  await server.client().send(new kms.CreateKeyCommand({}));
  const to = path.join(server.root, 'backup');
  const refused = async (code, pattern, ...more) => {
    const done = await backup(server, to, ...more);
    assert.equal(done.code, code, done.stderr);
    assert.match(done.stderr, pattern);
    assert.ok(!existsSync(to));
  };
  writeFileSync(path.join(server.root, 'words'), 'not asked for\n');
  await refused(1, /passphrase/, '--passphrase-file', path.join(server.root, 'words'));
  mkdirSync(`${to}.partial`);
  await refused(1, /backup\.partial: another backup is being made, or one was interrupted/);
  assert.deepEqual(readdirSync(`${to}.partial`), []);
  const taken = await backup(server, server.dataDir);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /data: exists already/);
  const nowhere = await backup(server, path.join(server.root, 'no', 'such', 'place'));
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /no\/such\/place\.partial: No such file or directory/);
  await server.kill('SIGTERM');
  // The trail is shorter than the database says.
  const segment = path.join(server.dataDir, 'trail', '00000000000000000001.jsonl');
  truncateSync(segment, 0);
  const done = await backup(server, `${to}-2`);
  assert.equal(done.code, 3, done.stderr);
  assert.match(done.stderr, /its end is missing/);
  assert.ok(!existsSync(`${to}-2`) && !existsSync(`${to}-2.partial`));
  const absent = await run(['backup', '--data-dir', path.join(server.root, 'absent'), '--out', to]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /no root key in .*absent/);
});
