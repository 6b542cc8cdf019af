// Keys that infrastructure code owns: are they found by their tags, left alone, and changed only when
// that is asked for?
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, credentials, region, run } from '../lib/server.mjs';

let server;
let dir;
let env;
let keys;
const file = (name) => path.join(dir, name);
const keyturn = (...args) => run(args, { env });
const plan = async (...args) => {
  const done = await keyturn('plan', '--endpoint-url', server.url, '--region', region, '--out',
    file('plan'), ...args);
  assert.equal(done.code, 0, done.stderr);
  return { ...done, content: JSON.parse(await readFile(file('plan'), 'utf8')).content };
};

before(async () => {
  server = await Server.start();
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-owner-'));
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
  const create = async (Tags) => (await server.client().send(
    new kms.CreateKeyCommand({ Tags }))).KeyMetadata.Arn;
  keys = { free: await create([{ TagKey: 'ManagedBy', TagValue: 'the platform team' }]),
    terraform: await create([{ TagKey: 'ManagedBy', TagValue: 'Terraform' }]) };
});
after(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

test('a key of Terraform is left alone, with what to change there', async () => {
  const { content, stdout } = await plan();
  assert.deepEqual(content.changes.map((each) => each.arn), [keys.free]);
  const [left] = content.left_alone;
  assert.equal(left.arn, keys.terraform);
  assert.equal(left.managed_by.tool, 'Terraform');
  assert.match(left.managed_by.snippet, /resource "aws_kms_key" .*\n {2}enable_key_rotation = true\n/);
  assert.match(stdout, /infrastructure code owns it/);
  assert.match(stdout, /enable_key_rotation = true/);
  assert.equal(content.policy.allow_iac_managed, false);
});

test('with a period the snippet has it', async () => {
  const { content } = await plan('--max-period', '180');
  assert.match(content.left_alone[0].managed_by.snippet, /rotation_period_in_days = 180\n/);
});

test('--allow-iac-managed plans it, flagged, and apply changes what the plan says', async () => {
  const { content, stdout } = await plan('--allow-iac-managed');
  assert.equal(content.changes.length, 2);
  const owned = content.changes.find((each) => each.arn === keys.terraform);
  assert.equal(owned.managed_by.tag, 'ManagedBy=Terraform');
  assert.match(stdout, /owns 1 of the keys that would change/);
  const done = await keyturn('apply', file('plan'), '--auto-approve', '--journal', file('journal'));
  assert.equal(done.code, 0, done.stderr);
  assert.equal((await keyturn('verify', '--journal', file('journal'))).code, 0);
  assert.equal((await keyturn('backout', '--journal', file('journal'), '--reason', 'a test')).code, 0);
});
