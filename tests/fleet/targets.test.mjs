// Which accounts, regions and endpoints does a command reach, and as whom? A simulated organization
// and two servers of one's own are named in every way that there is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { FakeKms, key } from '../lib/fake_kms.mjs';
import { Organization } from '../lib/organization.mjs';
import { draw } from '../lib/organization_model.mjs';

const regions = ['eu-central-1', 'us-east-1'];
let model;
let organization;
let berlin;
const file = (name) => path.join(organization.dir, name);

before(async () => {
  model = draw({ seed: 3, accounts: 6, regions, keys: 150, hot: 0 });
  for (const place of model.places.values()) delete place.dies;
  organization = await Organization.start(model);
  berlin = await FakeKms.start({ keys: [key('eu-central-1'), key('eu-central-1', {}, { on: true }),
    key('eu-central-1', { KeySpec: 'RSA_2048' }, null)] });
});
after(async () => {
  await organization.stop();
  await berlin.stop();
});
beforeEach(() => { berlin.calls.length = 0; organization.problems.length = 0; });

function keyturn(args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.env.KEYTURN_BIN, args, { env: { ...organization.env, ...env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => { stdout += chunk; });
    child.stderr.on('data', (chunk) => { stderr += chunk; });
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
async function audit(args, env) {
  const done = await keyturn(['audit', ...args, '--format', 'json'], env);
  return { ...done, report: done.stdout === '' ? undefined : JSON.parse(done.stdout) };
}
const id = (n) => model.accounts[n].id;
const keysOf = (...names) => names.reduce((sum, name) => sum + model.places.get(name).keys.length, 0);
const coverage = (report) => report.regions.map((each) =>
  `${each.endpoint === 'AWS' ? 'AWS' : 'berlin'} ${each.account} ${each.region} ${each.status} ${each.listed}`);

test('named accounts, by a role in each; the own account without one', async () => {
  const { report, stderr } = await audit(['--accounts', `${id(0)},${id(2)}`, '--role-name', 'Rotation',
    '--region', 'eu-central-1']);
  assert.ok(report, stderr);
  assert.deepEqual(coverage(report), [
    `AWS ${id(0)} eu-central-1 scanned ${keysOf(`${id(0)}/eu-central-1`)}`,
    `AWS ${id(2)} eu-central-1 scanned ${keysOf(`${id(2)}/eu-central-1`)}`]);
  assert.deepEqual(organization.problems, []);
});

test('an account of nobody, and a role that is not there, are denied and spoil nothing', async () => {
  const { code, report } = await audit(['--accounts', `${id(0)},999999999999`, '--role-name',
    'Rotation', '--region', 'us-east-1']);
  assert.equal(code, 4);
  assert.equal(report.regions[0].status, 'scanned');
  assert.equal(report.regions[1].status, 'denied');
  assert.match(report.regions[1].detail,
    /STS does not give the role arn:aws:iam::999999999999:role\/Rotation: AccessDenied/);
});

test('several profiles are one account each; the same account twice is counted once', async () => {
  writeFileSync(file('credentials'), ['a', 'b'].map((name) => `[${name}]\naws_access_key_id = `
    + `${organization.caller.id}\naws_secret_access_key = ${organization.caller.secret}\n`).join(''));
  writeFileSync(file('config'), `[profile c]\nrole_arn = arn:aws:iam::${id(2)}:role/Rotation\n`
    + 'source_profile = a\n');
  const env = { AWS_SHARED_CREDENTIALS_FILE: file('credentials'), AWS_CONFIG_FILE: file('config') };
  const { report, stderr } = await audit(['--profile', 'a', '--profile', 'b', '--profile', 'c',
    '--region', 'us-east-1'], env);
  assert.ok(report, stderr);
  assert.deepEqual(report.regions.map((each) => [each.account, each.status]).sort(), [[id(0), 'scanned'],
    [id(0), 'error'], [id(2), 'scanned']].sort());
  assert.match(report.regions.find((each) => each.status === 'error').detail, /is scanned already as/);
  assert.equal(report.totals.listed, keysOf(`${id(0)}/us-east-1`, `${id(2)}/us-east-1`));
  const missing = await audit(['--profile', 'a', '--profile', 'nobody', '--region', 'us-east-1'], env);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /profile nobody: there is no profile 'nobody'/);
});

const targets = () => `version: 1
targets:
  - organization: true
    role_name: Rotation
    regions: [eu-central-1, us-east-1]
  - endpoint_url: ${berlin.url}
    variables: {access_key_id: BERLIN_ID, secret_access_key: BERLIN_SECRET}
    regions: [eu-central-1]
`;
const berlinEnv = { BERLIN_ID: 'AKIABERLIN0000000000', BERLIN_SECRET: 'berlin', NO_PROXY: '127.0.0.1' };

test('AWS and a server of one\'s own in one run, planned, applied and taken back', async () => {
  writeFileSync(file('fleet.yaml'), targets());
  // The environment's endpoint is nobody's here: the file says which.
  const env = { ...berlinEnv, AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:9' };
  const { report, stderr } = await audit(['--targets', file('fleet.yaml')], env);
  assert.ok(report, stderr);
  const ours = report.regions.filter((each) => each.endpoint !== 'AWS');
  assert.deepEqual(ours.map((each) => [each.endpoint, each.region, each.status, each.listed]),
    [[berlin.url, 'eu-central-1', 'scanned', 3]]);
  assert.equal(report.regions.length, 6 * 2 + 1);
  assert.equal(report.endpoint, `AWS, ${berlin.url}`);
  assert.equal(report.regions.filter((each) => /suspended/.test(each.detail)).length, 2);
  assert.ok(berlin.calls.length > 0);

  const plan = await keyturn(['plan', '--targets', file('fleet.yaml'), '--out', file('plan')], env);
  assert.match(plan.stdout, /would change/);
  const { content } = JSON.parse(readFileSync(file('plan'), 'utf8'));
  const urls = new Set(content.changes.map((change) => change.endpoint_url));
  assert.deepEqual(urls, new Set(['', berlin.url]));

  // Without saying as whom, nothing is begun.
  const lost = await keyturn(['apply', file('plan'), '--journal', file('journal'), '--auto-approve'], env);
  assert.equal(lost.code, 1);
  assert.match(lost.stderr, /there are changes in account \d+.*which these credentials do not reach; give --role-name/);
  assert.ok(!existsSync(file('journal')));

  const applied = await keyturn(['apply', file('plan'), '--journal', file('journal'), '--auto-approve',
    '--targets', file('fleet.yaml'), '--format', 'json'], env);
  assert.equal(applied.code, 0, applied.stderr);
  const done = JSON.parse(applied.stdout);
  assert.equal(done.totals.done, content.changes.length);
  assert.ok(done.keys.some((each) => each.endpoint === berlin.url));
  assert.ok(berlin.keys[0].rotation.on);
  const verified = await keyturn(['verify', '--journal', file('journal'), '--targets',
    file('fleet.yaml')], env);
  assert.equal(verified.code, 0, verified.stdout);
  const back = await keyturn(['backout', '--journal', file('journal'), '--reason', 'T-1', '--targets',
    file('fleet.yaml')], env);
  assert.equal(back.code, 0, back.stdout);
  assert.ok(!berlin.keys[0].rotation.on);
  assert.deepEqual(organization.problems, []);
});

test('a recorded run over several accounts is evidence of each, and killed half-way it is of none', async () => {
  const whole = ['--organization', '--role-name', 'Rotation', '--regions', 'all'];
  const done = await keyturn(['audit', ...whole, '--record', file('evidence'), '--format', 'json']);
  const report = JSON.parse(done.stdout);
  assert.equal(new Set(report.regions.filter((each) => each.status === 'scanned')
    .map((each) => each.account)).size, 5);
  assert.equal(report.regions.filter((each) => each.status === 'account closed').length,
    report.regions.filter((each) => each.account === id(5)).length);
  const checked = await keyturn(['evidence', 'verify', file('evidence')]);
  assert.equal(checked.code, 0, checked.stderr + checked.stdout);
  const again = await keyturn(['report', '--from', file('evidence'), '--format', 'json']);
  assert.equal(again.stdout, done.stdout);

  // A reader that is killed leaves records that hold together as far as they go.
  const described = organization.counts.DescribeKey;
  const child = spawn(process.env.KEYTURN_BIN, ['audit', ...whole, '--record', file('killed')],
    { env: organization.env, stdio: 'ignore' });
  const ended = new Promise((resolve) => { child.once('close', (code, signal) => resolve(signal)); });
  const watch = setInterval(() => {
    if (organization.counts.DescribeKey > described + 30) child.kill('SIGKILL');
  }, 2);
  assert.equal(await ended, 'SIGKILL');
  clearInterval(watch);
  const unfinished = await keyturn(['evidence', 'verify', file('killed')]);
  assert.equal(unfinished.code, 4, unfinished.stderr + unfinished.stdout);
  assert.match(unfinished.stderr, /did not finish.* (\d{2,}) whole records are chained/);
  const mixed = await keyturn(['audit', ...whole, '--record', file('killed')]);
  assert.equal(mixed.code, 1);
  assert.match(mixed.stderr, /is there already; name a directory for the evidence that is not/);
});

test('a targets file that is wrong is refused with its line, and nothing is called', async () => {
  const cases = [[['organization: true', 'organisation: true'], /fleet\.yaml:3: unknown field 'organisation'/],
    [['role_name: Rotation', 'profile: p'], /fleet\.yaml:3: several accounts need 'role_name'/],
    [['[eu-central-1, us-east-1]', '[EU]'], /fleet\.yaml:5: an entry of 'regions' must be the name of a region/],
    [['version: 1', 'version: 9'], /fleet\.yaml:1: version must be 1/],
    [['targets:', 'targets: ['], /fleet\.yaml:\d+: /]];
  for (const [[from, to], message] of cases) {
    writeFileSync(file('fleet.yaml'), targets().replace(from, to));
    const { code, stderr, stdout } = await audit(['--targets', file('fleet.yaml')], berlinEnv);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, message);
  }
  writeFileSync(file('fleet.yaml'), targets());
  const unset = await audit(['--targets', file('fleet.yaml')], { BERLIN_ID: 'x' });
  assert.match(unset.stderr, /fleet\.yaml:6: the variable BERLIN_SECRET is not set/);
  assert.equal((await audit(['--targets', file('none.yaml')])).code, 1);
  assert.equal(berlin.calls.length, 0);
});

test('FIPS and dual-stack names are asked for, and refused where there are none', async () => {
  const asked = [];
  const { proxy } = organization;
  const note = (request) => asked.push(request.url);
  proxy.prependListener('connect', note);
  await audit(['--region', 'us-east-1', '--deadline', '3s'], { AWS_USE_FIPS_ENDPOINT: 'true' });
  proxy.removeListener('connect', note);
  assert.ok(asked.includes('kms-fips.us-east-1.amazonaws.com:443'), asked.join());
  const china = await audit(['--region', 'cn-north-1'], { AWS_USE_FIPS_ENDPOINT: 'true' });
  assert.match(china.report.regions[0].detail, /partition aws-cn has no FIPS endpoints of KMS/);
  const both = await audit(['--endpoint-url', berlin.url, '--region', 'eu-central-1'],
    { AWS_USE_FIPS_ENDPOINT: 'true' });
  assert.equal(both.code, 1);
  assert.match(both.stderr, /AWS_USE_FIPS_ENDPOINT .* goes with AWS's own endpoints only/);
});

test('a proxy that is not there, and certificates that are not trusted, are errors of the region', async () => {
  const noProxy = await audit(['--region', 'us-east-1', '--deadline', '4s'],
    { HTTPS_PROXY: 'http://127.0.0.1:9' });
  assert.equal(noProxy.code, 4);
  assert.equal(noProxy.report.regions[0].status, 'error');
  const noTrust = await audit(['--region', 'us-east-1', '--deadline', '4s'], { AWS_CA_BUNDLE: '' });
  assert.equal(noTrust.report.regions[0].status, 'error');
  const trusted = await audit(['--region', 'us-east-1', '--ca-bundle', file('ca.pem')],
    { AWS_CA_BUNDLE: '' });
  assert.equal(trusted.report.regions[0].status, 'scanned');
  const unreadable = await audit(['--region', 'us-east-1', '--ca-bundle', file('no.pem')]);
  assert.equal(unreadable.code, 1);
  assert.match(unreadable.stderr, /cannot read the CA bundle .*no\.pem/);
});

test('all regions of a server that cannot tell them are refused', async () => {
  const { code, stderr } = await audit(['--endpoint-url', berlin.url, '--regions', 'all']);
  assert.equal(code, 1);
  assert.match(stderr, /only AWS tells which regions there are/);
});

test('progress as JSON events is a line a second, and the last says that all is done', async () => {
  const { stderr } = await audit(['--region', 'us-east-1', '--progress', 'json']);
  const events = stderr.trim().split('\n').map((line) => JSON.parse(line));
  const last = events.at(-1);
  assert.equal(last.event, 'progress');
  assert.equal(last.phase, 'auditing');
  assert.equal(last.keys_done, last.keys);
  assert.equal(last.keys_are_all, true);
  assert.ok(last.calls > 0);
  assert.equal((await audit(['--region', 'us-east-1', '--progress', 'none'])).stderr, '');
});
