// Is a plan applied only if it is the one that was approved? Signatures are made and checked by
// stock ssh-keygen beside the program's own.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FakeKms, key } from '../lib/fake_kms.mjs';
import { credentials, region, run } from '../lib/server.mjs';

let dir;
let env;
let fake;
let hash;
const file = (name) => path.join(dir, name);
const keyturn = (...args) => run(args, { env });
const turned = () => fake.keys.filter((each) => each.rotation.on).length;
const hashOf = async (name) => JSON.parse(await readFile(file(name), 'utf8')).sha256;
const plan = async (name) => {
  const done = await keyturn('plan', '--endpoint-url', fake.url, '--region', region, '--out', file(name));
  assert.equal(done.code, 0, done.stderr);
  return done;
};
// sign: as an approver does it by hand.
const sign = (text, { id = 'alice', namespace = 'keyturn-plan' } = {}) => execFileSync('ssh-keygen',
  ['-Y', 'sign', '-n', namespace, '-f', file(id)], { input: text, stdio: 'pipe' }).toString();

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-approval-'));
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
  fake = await FakeKms.start({ keys: [key(region), key(region)] });
  for (const name of ['alice', 'mallory']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file(name)]);
  }
  execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', file('ecdsa')]);
  const alice = await readFile(file('alice.pub'), 'utf8');
  await writeFile(file('approvers'), `alice@example.org namespaces="keyturn-plan" ${alice}`);
  await writeFile(file('others'), `alice@example.org namespaces="git" ${alice}`);
  await writeFile(file('expired'),
    `alice@example.org valid-before="20200101",namespaces="keyturn-plan" ${alice}`);
  const shown = await plan('one');
  hash = await hashOf('one');
  assert.match(shown.stdout, new RegExp(hash), 'plan shows what can be approved');
  fake.keys[1].rotation = { on: true, period: 200 };
  await plan('two');
  fake.keys[1].rotation = { on: false };
});
after(async () => {
  await fake.stop();
  await rm(dir, { recursive: true, force: true });
});

let journals = 0;
const apply = (name, ...args) => {
  journals += 1;
  return keyturn('apply', file(name), '--journal', file(`j${journals}`), '--format', 'json', ...args);
};
const refused = async (pattern, ...args) => {
  const done = await apply(...args);
  assert.equal(done.code, 1, done.stdout + done.stderr);
  assert.match(done.stderr, pattern);
  assert.equal(turned(), 0, 'nothing was changed');
  await assert.rejects(readFile(file(`j${journals}`)), 'no journal is left');
};

test('an approved hash is that of one plan', async () => {
  await refused(/another plan than the one approved/, 'two', '--approve', hash);
  await refused(/no SHA-256/, 'one', '--approve', hash.slice(0, 12));
  await refused(/confirmed/, 'one');
});

test('a signature approves only if it is of this plan, for plans, and by somebody who may', async () => {
  const put = async (text) => {
    await writeFile(file('sig'), text);
    return ['--approval-signature', file('sig'), '--allowed-signers'];
  };
  const good = sign(`${hash}\n`);
  await refused(/not a signature of this plan/, 'two', ...await put(good), file('approvers'));
  await refused(/does not allow/, 'one', ...await put(good), file('others'));
  await refused(/does not allow/, 'one', ...await put(good), file('expired'));
  await refused(/does not allow/, 'one', ...await put(sign(`${hash}\n`, { id: 'mallory' })),
    file('approvers'));
  await refused(/keyturn-plan/, 'one', ...await put(sign(`${hash}\n`, { namespace: 'file' })),
    file('approvers'));
  await refused(/only ssh-ed25519/, 'one', ...await put(sign(`${hash}\n`, { id: 'ecdsa' })),
    file('approvers'));
  await refused(/armored/, 'one', ...await put('no signature'), file('approvers'));
  await refused(/cannot read .*none/, 'one', '--approval-signature', file('none'),
    '--allowed-signers', file('approvers'));
  await refused(/cannot read .*nobody/, 'one', ...await put(good), file('nobody'));
  await writeFile(file('broken'), 'alice@example.org nonsense\n');
  await refused(/broken:1:/, 'one', ...await put(good), file('broken'));
  await refused(/--allowed-signers/, 'one', '--approval-signature', file('sig'));
  // With a hash beside it, both must hold.
  await refused(/another plan/, 'one', ...await put(good), file('approvers'), '--approve',
    await hashOf('two'));
});

test('keyturn approve signs as ssh-keygen does', async () => {
  const shown = await keyturn('approve', file('one'));
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /2 keys would change/);
  assert.match(shown.stdout, new RegExp(hash));
  const asked = await keyturn('approve', file('one'), '--sign-key', file('alice'));
  assert.equal(asked.code, 1, 'nobody is there to confirm');
  const done = await keyturn('approve', file('one'), '--sign-key', file('alice'), '--auto-approve');
  assert.equal(done.code, 0, done.stderr);
  const signature = await readFile(file('one.sig'), 'utf8');
  const stock = spawnSync('ssh-keygen', ['-Y', 'verify', '-f', file('approvers'), '-I',
    'alice@example.org', '-n', 'keyturn-plan', '-s', file('one.sig')], { input: `${hash}\n` });
  assert.equal(stock.status, 0, stock.stderr.toString());
  assert.equal(signature, sign(`${hash}\n`), 'Ed25519 signatures are the same for everybody');
  assert.equal((await keyturn('approve', file('approvers'))).code, 1);
});

test('what was approved is applied, and the journal says who approved', async () => {
  await writeFile(file('sig'), sign(hash));  // without a line break
  const done = await apply('one', '--approval-signature', file('sig'), '--allowed-signers',
    file('approvers'));
  assert.equal(done.code, 0, done.stderr);
  assert.equal(turned(), 2);
  assert.match(JSON.parse(done.stdout).approval, /^signed by alice@example.org \(ssh-ed25519 SHA256:/);
  const { approval } = JSON.parse((await readFile(file(`j${journals}`), 'utf8')).split('\n', 1)[0]);
  assert.equal(approval.how, 'signature');
  assert.equal(approval.principals, 'alice@example.org');
  assert.equal(approval.signature, sign(hash), 'the signature can be checked again later');
  assert.equal((await keyturn('backout', '--journal', file(`j${journals}`), '--reason', 'x')).code, 0);

  const byHash = await apply('one', '--approve', hash);
  assert.equal(byHash.code, 0, byHash.stderr);
  assert.match(JSON.parse(byHash.stdout).approval, /hash/);
  assert.equal(turned(), 2);
});
