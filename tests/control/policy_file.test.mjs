// Does the policy file mean what it says: several maxima from one scan, imported keys, rotations on
// demand, scopes in which no key is lost, and evidence that holds? The fake endpoint knows the keys.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FakeKms, key, refusal } from '../lib/fake_kms.mjs';
import { credentials, region, run } from '../lib/server.mjs';

let dir;
let env;
let fake;
const file = (name) => path.join(dir, name);
const daysAgo = (days) => Math.floor(Date.now() / 1000) - days * 86_400;
const keyturn = (...args) => run(args, { env });
const onTarget = (command, ...args) =>
  keyturn(command, '--endpoint-url', fake.url, '--region', region, ...args);

const policy = `version: 1
name: Example Corp
max_period_days: 365
also_judge: [90, 180]
imported_keys: {judge: true, max_age_days: 100}
on_demand_rotation: {counts: true, max_age_days: 30}
scope:
  exclude:
    - tag: {key: env, value: sandbox}
    - alias: alias/scratch
exceptions: exceptions.yaml
`;
const exceptions = `version: 1
exceptions:
  - id: legacy
    match: {alias: alias/legacy}
    owner: team-a
    approver: ciso
    ticket: SEC-1
    reason: retired in spring
    expires: 2999-01-31
  - id: forgotten
    match: {alias: alias/nobody}
    owner: team-a
    approver: ciso
    ticket: SEC-2
    reason: none
    expires: 2020-01-31
`;

// fleet: every key with the verdict that it must have under the policy.
function fleet() {
  const with_ = (made, more) => Object.assign(made, more);
  const on = (period) => ({ on: true, period });
  const imported = (date, more) => with_(key(region, { Origin: 'EXTERNAL', CreationDate: daysAgo(500) }, null),
    { rotations: date ? [{ date, type: 'ON_DEMAND' }] : [], ...more });
  return [
    ['PASS', key(region, {}, on(90))],
    ['PASS', key(region, {}, on(120))],
    ['PASS', key(region, {}, on(365))],
    ['FAIL_PERIOD', key(region, {}, on(400))],
    ['FAIL', key(region)],
    ['PASS', with_(key(region), { rotations: [{ date: daysAgo(29), type: 'ON_DEMAND' }] })],
    ['FAIL', with_(key(region), { rotations: [{ date: daysAgo(31), type: 'ON_DEMAND' }] })],
    ['FAIL', with_(key(region), { rotations: [{ date: daysAgo(3), type: 'AUTOMATIC' }] })],
    ['PASS', imported(daysAgo(99))],
    ['FAIL', imported(daysAgo(101))],
    ['FAIL', imported(undefined)],
    ['NOT_APPLICABLE', imported(undefined, { tags: { env: 'sandbox' } })],
    ['NOT_APPLICABLE', with_(key(region), { tags: { env: 'sandbox' } })],
    ['NOT_APPLICABLE', key(region, {}, { on: false }, ['alias/scratch'])],
    ['EXCEPTED', key(region, {}, { on: false }, ['alias/legacy'])],
    ['NOT_APPLICABLE', key(region, { KeySpec: 'RSA_2048' })],
    ['SKIPPED', key(region, { KeyState: 'Disabled' })],
  ];
}
let expected;

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-policy-'));
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
  await writeFile(file('policy.yaml'), policy);
  await writeFile(file('exceptions.yaml'), exceptions);
  expected = fleet();
  fake = await FakeKms.start({ keys: expected.map(([, made]) => made) });
});
after(async () => {
  await fake.stop();
  await rm(dir, { recursive: true, force: true });
});

test('every key has the verdict of the policy, and each maximum its own totals', async () => {
  const { code, stderr } = await onTarget('audit', '--policy', file('policy.yaml'), '--out',
    file('audit.json'), '--out', file('audit.html'), '--out', file('audit.prom'), '--record', file('evidence'));
  assert.equal(code, 3, stderr);
  assert.match(stderr, /exceptions\.yaml:10: exception forgotten expired on 2020-01-31; renew it with /);
  const report = JSON.parse(await readFile(file('audit.json'), 'utf8'));
  for (const [verdict, { Arn }] of expected) {
    const one = report.keys.find((each) => each.arn === Arn);
    assert.equal(one.verdict, verdict, `${one.reason}: ${JSON.stringify(one)}`);
  }
  assert.equal(report.totals.listed, expected.length, 'keys out of scope are counted');
  assert.match(report.policy.sha256, /^[0-9a-f]{64}$/);
  assert.equal(report.policy.name, 'Example Corp');
  assert.deepEqual(report.also_judged.map((each) => each.max_period_days), [180, 90]);
  const [at180, at90] = report.also_judged.map((each) => each.totals.by_verdict);
  assert.equal(at180.FAIL_PERIOD, 2);
  assert.equal(at90.FAIL_PERIOD, 3);
  assert.equal(at90.EXCEPTED, 1, 'exceptions hold under every maximum');
  for (const { totals } of report.also_judged) {
    assert.equal(Object.values(totals.by_verdict).reduce((a, b) => a + b, 0), expected.length);
  }
  assert.match(await readFile(file('audit.html'), 'utf8'), /Maximum periods/);
  assert.match(await readFile(file('audit.prom'), 'utf8'),
    /keyturn_audit_period_keys\{max_period_days="90",verdict="FAIL_PERIOD"\} 3\n/);
  // Rotations are read of the four imported keys and the six without automatic rotation that may be
  // in scope, tags only of keys that are not out of it already.
  assert.equal(fake.count('ListKeyRotations'), 10);
  assert.equal(fake.count('ListResourceTags'), 14);
});

test('the evidence is judged by the policy again, and a changed policy is found out', async () => {
  const good = await keyturn('evidence', 'verify', file('evidence'));
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const again = await keyturn('report', '--from', file('evidence'), '--format', 'json');
  assert.equal(again.stdout, await readFile(file('audit.json'), 'utf8'));
  await writeFile(file('evidence/policy.yaml'), policy.replace('365', '730'));
  const bad = await keyturn('evidence', 'verify', file('evidence'));
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /policy\.yaml/);
});

test('a plan holds what can be enabled, names its policy, and is not applied under another', async () => {
  const { code, stdout, stderr } = await onTarget('plan', '--policy', file('policy.yaml'), '--out', file('plan'));
  assert.equal(code, 0, stderr);
  const plan = JSON.parse(await readFile(file('plan'), 'utf8')).content;
  const report = JSON.parse(await readFile(file('audit.json'), 'utf8'));
  assert.equal(plan.policy.sha256, report.policy.sha256);
  assert.match(stdout.replace(/\s+/g, ' '), new RegExp(plan.policy.sha256));
  assert.equal(plan.changes.length, 4, 'no imported key, no key out of scope, none excepted');
  await writeFile(file('other.yaml'), policy.replace('365', '366'));
  const refused = await keyturn('apply', file('plan'), '--journal', file('journal'), '--auto-approve',
    '--policy', file('other.yaml'));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /was made under the policy with SHA-256 .* make a new plan/);
  assert.equal(fake.count('EnableKeyRotation'), 0);
  const done = await keyturn('apply', file('plan'), '--journal', file('journal'), '--auto-approve',
    '--policy', file('policy.yaml'));
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.equal(fake.count('EnableKeyRotation'), 4);
});

test('what decides and cannot be read is unknown, not guessed', async () => {
  const keys = [key(region), key(region, { Origin: 'EXTERNAL' }, null)];
  const denying = await FakeKms.start({ keys, fault: (operation) =>
    (operation === 'ListResourceTags' || operation === 'ListKeyRotations'
      ? refusal('AccessDeniedException', `not authorized to perform: kms:${operation}`) : undefined) });
  const { code, stdout } = await keyturn('audit', '--endpoint-url', denying.url, '--region', region,
    '--policy', file('policy.yaml'), '--format', 'json');
  await denying.stop();
  assert.equal(code, 4);
  const report = JSON.parse(stdout);
  assert.deepEqual(report.keys.map((each) => each.verdict), ['UNKNOWN', 'UNKNOWN']);
  assert.ok(report.keys.every((each) => /ListKeyRotations is denied/.test(each.reason)), stdout);
});

test('policy check tells what is wrong with its line, and what is expired or unused', async () => {
  const alone = await keyturn('policy', 'check', '--policy', file('policy.yaml'));
  assert.equal(alone.code, 1);
  assert.match(alone.stdout, /exceptions\.yaml:10: forgotten expired on 2020-01-31/);
  assert.match(alone.stdout, /maximum period {2}365, 180, 90 days/);
  const known = await keyturn('policy', 'check', '--policy', file('policy.yaml'), '--from',
    file('audit.json'), '--format', 'json');
  assert.equal(known.code, 1);
  assert.deepEqual(JSON.parse(known.stdout).findings.map(({ kind, id, line }) => `${kind} ${id} ${line}`),
    ['expired forgotten 10', 'unused forgotten 10']);
  await writeFile(file('unused.yaml'), exceptions.replace('2020-01-31', '2099-01-31'));
  const unused = await keyturn('policy', 'check', '--policy', file('policy.yaml'), '--exceptions',
    file('unused.yaml'), '--from', file('audit.json'));
  assert.equal(unused.code, 3);
  assert.match(unused.stdout, /unused\.yaml:10: forgotten/);
  await writeFile(file('good.yaml'), exceptions.slice(0, exceptions.indexOf('  - id: forgotten')));
  const good = await keyturn('policy', 'check', '--policy', file('policy.yaml'), '--exceptions',
    file('good.yaml'), '--from', file('audit.json'));
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /Nothing to put right/);
  await writeFile(file('bad.yaml'), policy.replace('counts: true', 'counts: sometimes'));
  for (const args of [['policy', 'check', '--policy', file('bad.yaml')],
    ['audit', '--region', region, '--endpoint-url', fake.url, '--policy', file('bad.yaml')]]) {
    const bad = await keyturn(...args);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /bad\.yaml:6: 'counts' must be true or false/);
  }
  const both = await onTarget('audit', '--policy', file('policy.yaml'), '--max-period', '90');
  assert.equal(both.code, 1, 'one of the two decides');
});
