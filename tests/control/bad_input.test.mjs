// Bad input ends with exit code 1, a message that names the file and the place in it, and nothing
// changed: no call that writes, no file left behind.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FakeKms, key } from '../lib/fake_kms.mjs';
import { account, credentials, region, run } from '../lib/server.mjs';

let dir;
let env;
let fake;
let plan;
const file = (name) => path.join(dir, name);
const keyturn = (...args) => run(args, { env });

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-bad-'));
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
  fake = await FakeKms.start({ keys: [key(region), key(region)] });
  const done = await keyturn('plan', '--endpoint-url', fake.url, '--region', region, '--out', file('good.plan'));
  assert.equal(done.code, 0, done.stderr);
  plan = JSON.parse(await readFile(file('good.plan'), 'utf8'));
});
after(async () => {
  await fake.stop();
  await rm(dir, { recursive: true, force: true });
});

const writes = () => fake.count('EnableKeyRotation') + fake.count('DisableKeyRotation');
// refused: a command that must end with 1 and say `pattern`, and not call anything.
async function refused(pattern, ...args) {
  const calls = fake.calls.length;
  const done = await keyturn(...args);
  assert.equal(done.code, 1, `${args.join(' ')}\n${done.stdout}${done.stderr}`);
  assert.match(done.stderr, pattern);
  assert.equal(fake.calls.length, calls, 'nothing was called');
}
const refusedPlan = async (pattern, text) => {
  await writeFile(file('bad.plan'), typeof text === 'string' ? text : JSON.stringify(text));
  await refused(pattern, 'apply', file('bad.plan'), '--auto-approve', '--journal', file('bad.journal'));
  assert.ok(!existsSync(file('bad.journal')), 'no journal is left behind');
};
// edited: a plan that somebody changed and gave the hash that belongs to it.
const edited = (change) => {
  const copy = structuredClone(plan);
  change(copy.content);
  const content = JSON.stringify(copy.content);
  return { ...copy, sha256: crypto.createHash('sha256').update(content).digest('hex') };
};

test('a plan that was tampered with', async () => {
  const text = await readFile(file('good.plan'), 'utf8');
  await refusedPlan(/bad\.plan: was changed after it was made/, text.replace('365', '2560'));
  await refusedPlan(/bad\.plan: was changed/, text.replaceAll(account, '444455556666'));
  await refusedPlan(/bad\.plan: was changed/, text.replace(plan.sha256, plan.sha256.replace(/./g, '0')));
  await refusedPlan(/bad\.plan: is no plan/, text.slice(0, text.length / 2));
  await refusedPlan(/bad\.plan: is no plan/, 'PNG\u0000\u0001');
  await refusedPlan(/bad\.plan: is no plan/, '');
  await refusedPlan(/bad\.plan: is no plan of keyturn/, '[]');
  await refusedPlan(/bad\.plan: was written by a newer version/, { ...plan, version: 99 });
  await refusedPlan(/bad\.plan: member 'content' is missing/, { ...plan, content: 7 });
});

test('a plan with the right hash and wrong content names the record', async () => {
  const wrong = (place, change) => refusedPlan(
    new RegExp(`bad\\.plan: member '${place.replace(/[[\]]/g, '\\$&')}' is`), edited(change));
  await wrong('surprise', (content) => { content.surprise = 1; });
  await wrong('changes[1].surprise', (content) => { content.changes[1].surprise = 1; });
  await wrong('changes[1].before.rotation.surprise', (content) => {
    content.changes[1].before.rotation.surprise = 1;
  });
  await wrong('policy.surprise', (content) => { content.policy.surprise = 1; });
  await wrong('changes[0].region', (content) => { delete content.changes[0].region; });
  await wrong('changes[0].wanted', (content) => { content.changes[0].wanted.period_days = 30; });
  await wrong('changes[0].wanted', (content) => { content.changes[0].wanted = { enabled: false }; });
  await wrong('changes[0].aliases', (content) => { content.changes[0].aliases = [1]; });
  await wrong('changes', (content) => { content.changes = {}; });
  for (const arn of ['', 'nonsense', `arn:aws:kms:eu-west-1:${account}:key/x`,
    `arn:aws:kms:${region}:444455556666:key/x`, `arn:aws:kms:${region}:${account}:alias/x`,
    `arn:aws:s3:${region}:${account}:key/x`]) {
    await wrong('changes[0].arn', (content) => {
      Object.assign(content.changes[0], { arn, endpoint_url: '' });
    });
  }
});

test('files that cannot be read', async () => {
  await mkdir(file('directory'));
  const region1 = ['--endpoint-url', fake.url, '--region', region];
  await refused(/none\.plan/, 'apply', file('none.plan'), '--auto-approve', '--journal', file('j'));
  await refused(/directory/, 'apply', file('directory'), '--auto-approve', '--journal', file('j'));
  await refused(/none\.journal/, 'apply', '--resume', '--journal', file('none.journal'));
  await refused(/none\.journal/, 'verify', '--journal', file('none.journal'));
  await refused(/none\.journal/, 'backout', '--journal', file('none.journal'), '--reason', 'x');
  await refused(/none\.yaml/, 'audit', ...region1, '--exceptions', file('none.yaml'));
  await refused(/none\.yaml/, 'audit', '--targets', file('none.yaml'));
  await refused(/none\.pem/, 'audit', ...region1, '--ca-bundle', file('none.pem'));
  await refused(/nowhere/, 'plan', ...region1, '--out', file('nowhere/plan'));
  await refused(/nowhere/, 'apply', file('good.plan'), '--auto-approve', '--journal', file('nowhere/j'));
});

test('a journal that is not one, or is damaged, names the line', async () => {
  const journal = file('damaged.journal');
  const use = async (pattern, text) => {
    await writeFile(journal, text);
    await refused(pattern, 'apply', '--resume', '--journal', journal);
    await refused(pattern, 'backout', '--journal', journal, '--reason', 'x');
    assert.equal(await readFile(journal, 'utf8'), text, 'it is left as it was');
  };
  await use(/is no journal of keyturn/, 'text\n');
  await use(/is no journal of keyturn/, await readFile(file('good.plan'), 'utf8'));
  const head = JSON.stringify({ format: 'keyturn-journal', version: 3, tool_version: '0.1.0',
    plan_sha256: plan.sha256, created: '2026-11-24T00:00:00.000Z', changes: 2 });
  const lines = plan.content.changes.map((change, index) => JSON.stringify({ index, ...change }));
  await use(/damaged\.journal:2: .*ends before/, `${head}\n${lines[0]}\n`);
  await use(/damaged\.journal:3: .*'index'/, `${head}\n${lines[0]}\n${lines[0]}\n`);
  await use(/damaged\.journal:3: .*'surprise' is not known/,
    `${head}\n${lines[0]}\n${lines[1].replace('{', '{"surprise":1,')}\n`);
  await use(/damaged\.journal:4: /, `${head}\n${lines[0]}\n${lines[1]}\n{"record":"dance"}\n`);
});

test('ARNs and accounts that are none', async () => {
  const region1 = ['--endpoint-url', fake.url, '--region', region];
  await refused(/--accounts/, 'audit', ...region1, '--accounts', '123', '--role-name', 'R');
  await refused(/--role-name/, 'audit', ...region1, '--accounts', account, '--role-name', 'a b');
  await refused(/nonsense/, 'audit', ...region1, '--role-arn', 'nonsense');
  const exceptions = (match) => `version: 1\nexceptions:\n  - id: one\n    match:\n      ${match}\n`
    + '    owner: team\n    approver: security\n    ticket: T-1\n    reason: migration\n'
    + '    expires: 2099-01-01\n';
  for (const match of ['arn: nonsense', 'account: 12', 'colour: red']) {
    await writeFile(file('exceptions.yaml'), exceptions(match));
    await refused(/exceptions\.yaml:[0-9]+: /, 'audit', ...region1, '--exceptions', file('exceptions.yaml'));
  }
  await writeFile(file('targets.yaml'), 'version: 1\ntargets:\n  - accounts: [12]\n');
  await refused(/targets\.yaml:[0-9]+: /, 'audit', '--targets', file('targets.yaml'));
  await writeFile(file('targets.yaml'), 'version: 1\ntargets: [\n');
  await refused(/targets\.yaml:[0-9]+: /, 'audit', '--targets', file('targets.yaml'));
});

test('after all of this nothing was written anywhere', () => {
  assert.equal(writes(), 0);
  assert.ok(fake.keys.every((each) => !each.rotation.on));
});
