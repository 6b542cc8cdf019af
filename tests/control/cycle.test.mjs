// Does the control tell the truth about a server, change what it says and nothing else, and take
// exactly that back? The oracle asks the server itself, with the official SDK, key by key.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, credentials, region, run } from '../lib/server.mjs';

let server;
let dir;
let env;
const file = (name) => path.join(dir, name);
const keyturn = (...args) => run(args, { env });
const audit = async (...args) => {
  const out = file('audit.json');
  const done = await keyturn('audit', '--endpoint-url', server.url, '--region', region,
    '--format', 'json', '--out', out, ...args);
  return { ...done, report: JSON.parse(await readFile(out, 'utf8')) };
};

// expected is the oracle: a verdict from what the server says of one key.
async function expected(client, KeyId) {
  const { KeyMetadata: key } = await client.send(new kms.DescribeKeyCommand({ KeyId }));
  if (key.KeyManager === 'AWS') return 'NOT_APPLICABLE';
  if (key.KeyState !== 'Enabled') return 'SKIPPED';
  const status = await client.send(new kms.GetKeyRotationStatusCommand({ KeyId }));
  if (!status.KeyRotationEnabled) return 'FAIL';
  return status.RotationPeriodInDays > 365 ? 'FAIL_PERIOD' : 'PASS';
}

async function settings(client) {
  const all = {};
  for (let Marker; ;) {
    const page = await client.send(new kms.ListKeysCommand({ Limit: 1000, Marker }));
    for (const { KeyId } of page.Keys) {
      const status = await client.send(new kms.GetKeyRotationStatusCommand({ KeyId }));
      all[KeyId] = { on: status.KeyRotationEnabled, period: status.RotationPeriodInDays };
    }
    if (!page.Truncated) return all;
    Marker = page.NextMarker;
  }
}

before(async () => {
  server = await Server.start();
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-control-'));
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
  const fleet = spawn(process.execPath, [new URL('../lib/fleet.mjs', import.meta.url).pathname,
    region, '98'], { env: { ...env, AWS_ENDPOINT_URL_KMS: server.url }, stdio: 'ignore' });
  await new Promise((resolve) => { fleet.on('exit', resolve); });
  await run(['admin', 'aws-managed-key', 'create', '--data-dir', server.dataDir,
    '--alias', 'alias/aws/s3']);
});
after(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

test('every verdict is the oracle\'s, every key is accounted for, in few calls', async () => {
  const client = server.client();
  const { code, report } = await audit();
  assert.equal(code, 3);
  const listed = Object.keys(await settings(client));
  assert.equal(report.keys.length, listed.length);
  for (const { arn, verdict } of report.keys) {
    assert.equal(verdict, await expected(client, arn), arn);
  }
  // No call is made that the verdict does not need: aws/ aliases name the AWS managed keys, and a
  // key that is pending deletion has no status.
  const customer = report.keys.filter((key) => key.verdict !== 'NOT_APPLICABLE').length;
  const status = report.keys.filter((key) => key.rotation !== null).length;
  assert.equal(report.calls.DescribeKey.calls, customer);
  assert.equal(report.calls.GetKeyRotationStatus.calls, status);
  assert.ok(status < customer);
  assert.equal(report.calls.ListKeys.calls, 1);
});

test('plan, apply, verify, back out: what fails is changed, and exactly that is restored', async () => {
  const client = server.client();
  const first = await settings(client);
  const failing = (await audit()).report.keys.filter((key) => key.verdict.startsWith('FAIL'));
  assert.ok(failing.length > 30);
  assert.equal((await keyturn('plan', '--endpoint-url', server.url, '--region', region,
    '--out', file('plan'))).code, 0);
  const applied = await keyturn('apply', file('plan'), '--auto-approve', '--journal', file('j'));
  assert.equal(applied.code, 0, applied.stderr);
  assert.equal((await keyturn('verify', '--journal', file('j'))).code, 0);
  assert.equal((await audit()).code, 0);
  const changed = await settings(client);
  for (const [id, setting] of Object.entries(changed)) {
    const planned = failing.some((key) => key.arn.endsWith(id));
    assert.deepEqual(setting, planned ? { on: true, period: 365 } : first[id], id);
  }
  // Someone changes one of our keys meanwhile: the back-out leaves it alone and says so.
  const touched = failing[0].arn;
  await client.send(new kms.EnableKeyRotationCommand({ KeyId: touched, RotationPeriodInDays: 100 }));
  assert.equal((await keyturn('backout', '--journal', file('j'))).code, 1, 'a reason is needed');
  const out = await keyturn('backout', '--journal', file('j'), '--reason', 'a test');
  assert.equal(out.code, 5, out.stderr);
  const restored = await settings(client);
  for (const [id, setting] of Object.entries(restored)) {
    assert.deepEqual(setting, touched.endsWith(id) ? { on: true, period: 100 } : first[id], id);
  }
  await client.send(new kms.DisableKeyRotationCommand({ KeyId: touched }));
});

test('a tampered plan and a used journal are refused, and nothing changes', async () => {
  const client = server.client();
  await keyturn('plan', '--endpoint-url', server.url, '--region', region, '--out', file('plan2'));
  const text = await readFile(file('plan2'), 'utf8');
  await writeFile(file('bad'), text.replace('365', '2560'));
  const earlier = await settings(client);
  const bad = await keyturn('apply', file('bad'), '--auto-approve', '--journal', file('j-bad'));
  assert.equal(bad.code, 1, bad.stderr);
  const used = await keyturn('apply', file('plan2'), '--auto-approve', '--journal', file('j'));
  assert.equal(used.code, 1, used.stderr);
  assert.deepEqual(await settings(client), earlier);
});

test('an apply that is killed goes on with --resume and accounts for every key', async () => {
  const client = server.client();
  await keyturn('plan', '--endpoint-url', server.url, '--region', region, '--out', file('plan3'));
  const child = spawn(process.env.KEYTURN_BIN, ['apply', file('plan3'), '--auto-approve',
    '--journal', file('j3')], { env, stdio: 'ignore' });
  const exited = new Promise((resolve) => { child.on('exit', resolve); });
  for (let lines = 0; lines < 60;) {
    lines = (await readFile(file('j3'), 'utf8').catch(() => '')).split('\n').length;
    if (child.exitCode !== null) break;
  }
  child.kill('SIGKILL');
  await exited;
  const resumed = await keyturn('apply', '--resume', '--auto-approve', '--journal', file('j3'));
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.equal((await keyturn('verify', '--journal', file('j3'))).code, 0);
  assert.equal((await audit()).code, 0);
  assert.ok(Object.values(await settings(client)).some((each) => each.on));
});

test('an exception keeps a key out; an expired one does not', async () => {
  const client = server.client();
  const { KeyMetadata } = await client.send(new kms.CreateKeyCommand({}));
  const entry = (expires) => `version: 1\nexceptions:\n  - id: one\n    match:\n      arn: ${KeyMetadata.Arn}\n`
    + `    owner: team\n    approver: security\n    ticket: T-1\n    reason: migration\n    expires: ${expires}\n`;
  const verdict = async (expires) => {
    await writeFile(file('exceptions.yaml'), entry(expires));
    const { report, stderr } = await audit('--exceptions', file('exceptions.yaml'));
    return report.keys.find((key) => key.arn === KeyMetadata.Arn)?.verdict ?? stderr;
  };
  assert.equal(await verdict('2099-01-01'), 'EXCEPTED');
  assert.equal(await verdict('2020-01-01'), 'FAIL');
});

test('an endpoint that is not there is an incomplete audit, never a compliant one', async () => {
  const out = file('none.json');
  const done = await keyturn('audit', '--endpoint-url', 'http://127.0.0.1:9', '--region', region,
    '--format', 'json', '--out', out);
  assert.equal(done.code, 4, done.stderr);
});
