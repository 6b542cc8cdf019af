// Does preflight tell what a run would lack, and does it change nothing? A real server enforces
// policies; the fake endpoint does what AWS's may do besides.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { FakeKms, key, refusal } from '../lib/fake_kms.mjs';
import { person } from '../lib/people.mjs';
import { Server, credentials, region, run } from '../lib/server.mjs';

let server;
let dir;
const as = (keys, url = server.url) => async (...args) => {
  const done = await run(['preflight', '--endpoint-url', url, '--format', 'json', '--region', region,
    ...args], { env: { PATH: process.env.PATH, HOME: dir, AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey } });
  return { ...done, report: done.stdout.startsWith('{') ? JSON.parse(done.stdout) : undefined };
};
const found = ({ report }, place = 0) => Object.fromEntries(report.places[place].permissions
  .map((each) => [each.action.slice(4), each.found]));
const allow = (...actions) => [{ Effect: 'Allow', Action: actions.map((each) => `kms:${each}`), Resource: '*' }];
const reads = ['ListKeys', 'ListAliases', 'DescribeKey', 'GetKeyRotationStatus', 'ListResourceTags',
  'ListKeyRotations'];

const settings = async () => {
  const client = server.client();
  const { Keys } = await client.send(new kms.ListKeysCommand({}));
  return Promise.all(Keys.map(async ({ KeyId }) => (await client.send(
    new kms.GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled));
};

before(async () => {
  server = await Server.start();
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-preflight-'));
  const client = server.client();
  const { KeyMetadata } = await client.send(new kms.CreateKeyCommand({}));
  await client.send(new kms.EnableKeyRotationCommand({ KeyId: KeyMetadata.KeyId }));
  await client.send(new kms.CreateKeyCommand({}));
  await client.send(new kms.CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
});
after(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

test('who may do everything lacks nothing, and nothing is changed', async () => {
  const earlier = await settings();
  const done = await as(credentials)();
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.deepEqual(found(done), Object.fromEntries([...reads, 'EnableKeyRotation',
    'DisableKeyRotation'].map((each) => [each, 'allowed'])));
  assert.equal(done.report.places[0].status, 'scanned');
  assert.ok(Math.abs(done.report.places[0].clock_skew_seconds) <= 2);
  assert.match(done.report.places[0].caller, /^arn:aws:iam::/);
  assert.deepEqual(await settings(), earlier);
});

test('each permission that is taken away is the one that is missing', async () => {
  const all = [...reads, 'EnableKeyRotation', 'DisableKeyRotation'];
  let n = 0;
  for (const gone of all.filter((each) => each !== 'ListKeys')) {
    n += 1;
    const who = as(await person(server, `without${n}`, allow(...all.filter((each) => each !== gone))));
    const done = await who();
    const optional = ['ListResourceTags', 'ListKeyRotations'].includes(gone);
    assert.equal(done.code, optional ? 0 : 3, gone);
    assert.equal(found(done)[gone], 'missing', gone);
    const check = done.report.places[0].permissions.find((each) => each.action === `kms:${gone}`);
    assert.match(check.detail, new RegExp(`not authorized to perform: kms:${gone}`));
    const wrong = Object.entries(found(done)).filter(([action, what]) => what !== 'allowed' && action !== gone);
    // Without DescribeKey nobody knows which key the others could be tried on.
    if (gone !== 'DescribeKey') assert.deepEqual(wrong, []);
    else assert.ok(wrong.every(([, what]) => what === 'unknown'), JSON.stringify(wrong));
  }
});

test('the printed policy of a phase is enough for it', async () => {
  const printed = async (purpose) => JSON.parse((await run(['policy', purpose])).stdout).Statement;
  const auditor = as(await person(server, 'auditor', await printed('audit')));
  assert.equal((await auditor('--phase', 'audit')).code, 0);
  const both = await auditor('--phase', 'audit,apply');
  assert.equal(both.code, 3);
  assert.equal(found(both).EnableKeyRotation, 'missing');
  assert.equal(found(both).DisableKeyRotation, undefined);
  const fixer = as(await person(server, 'fixer', await printed('remediate')));
  assert.equal((await fixer('--phase', 'audit,apply')).code, 0);
});

test('who may not list keys is denied, and what that hides is unknown', async () => {
  const done = await as(await person(server, 'blind', allow('DescribeKey')))();
  assert.equal(done.code, 3);
  assert.equal(done.report.places[0].status, 'denied');
  assert.equal(found(done).ListKeys, 'missing');
  assert.equal(found(done).DescribeKey, 'unknown');
});

test('writes that are not to be tried are unknown, and say so', async () => {
  const done = await as(credentials)('--no-write-trial');
  assert.equal(done.code, 4);
  assert.equal(found(done).EnableKeyRotation, 'unknown');
  assert.equal((await as(credentials)('--no-write-trial', '--phase', 'audit')).code, 0);
});

const withFake = async (options, body) => {
  const fake = await FakeKms.start(options);
  try {
    await body(fake, as(credentials, fake.url));
  } finally {
    await fake.stop();
  }
};

test('writes are tried on asymmetric keys only; without one they cannot be known', async () => {
  const rsa = () => key(region, { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, null);
  const hmac = () => key(region, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }, null);
  await withFake({ keys: [key(region), hmac(), key(region, { KeyState: 'Disabled' })] }, async (fake, preflight) => {
    const done = await preflight();
    assert.equal(done.code, 4);
    assert.equal(found(done).EnableKeyRotation, 'unknown');
    assert.match(done.stdout, /cannot be known without trying/);
    assert.equal(fake.count('EnableKeyRotation') + fake.count('DisableKeyRotation'), 0);
  });
  const asymmetric = rsa();
  await withFake({ keys: [key(region), hmac(), asymmetric] }, async (fake, preflight) => {
    assert.equal((await preflight()).code, 0);
    const writes = fake.calls.filter(({ operation }) => /^(En|Dis)ableKeyRotation$/.test(operation));
    assert.deepEqual(writes.map(({ input }) => input.KeyId), [asymmetric.KeyId, asymmetric.KeyId]);
  });
  // What the caller's own policies allow is the same in all regions of an account.
  await withFake({ keys: [key(region), rsa(), key('eu-west-1')] }, async (fake) => {
    const done = await run(['preflight', '--endpoint-url', fake.url, '--region', `${region},eu-west-1`,
      '--format', 'json'], { env: { HOME: dir, AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'B' } });
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const [west] = JSON.parse(done.stdout).places;
    assert.match(west.permissions.at(-1).detail, new RegExp(`as in ${region}`));
  });
});

test('a key whose own policy denies is counted', async () => {
  const keys = [key(region), key(region), key(region)];
  await withFake({ keys, fault: (operation, input) => (operation === 'GetKeyRotationStatus'
    && input.KeyId === keys[1].KeyId ? refusal('AccessDeniedException', 'no') : undefined) },
  async (fake, preflight) => {
    const done = await preflight('--phase', 'audit');
    assert.equal(done.code, 3);
    assert.match(done.stdout, /for 1 of 3 keys tried/);
  });
});

test('regions, endpoints and clocks', async () => {
  await withFake({ keys: [key(region)], fault: (operation, input, n, where) => (where === 'ap-east-1'
    ? refusal('UnrecognizedClientException', 'The security token included in the request is invalid.')
    : undefined) }, async (fake, preflight) => {
    const done = await run(['preflight', '--endpoint-url', fake.url, '--region', `${region},ap-east-1`,
      '--phase', 'audit', '--format', 'json'], { env: { HOME: dir, AWS_ACCESS_KEY_ID: 'A',
      AWS_SECRET_ACCESS_KEY: 'B' } });
    assert.equal(done.code, 3, done.stdout + done.stderr);
    const { places } = JSON.parse(done.stdout);
    assert.deepEqual(places.map((each) => [each.region, each.status]),
      [['ap-east-1', 'not enabled'], [region, 'scanned']]);
    // An empty region needs nothing.
    const empty = await preflight('--phase', 'audit');
    assert.equal(empty.code, 0);
  });
  await withFake({ keys: [] }, async (fake, preflight) => {
    const done = await preflight();
    assert.equal(done.code, 0, done.stdout);
    assert.equal(found(done).DescribeKey, 'nothing to try');
  });
  const none = await as(credentials, 'http://127.0.0.1:9')('--phase', 'audit');
  assert.equal(none.code, 4, none.stdout + none.stderr);
  assert.equal(none.report.places[0].status, 'error');
  await withFake({ keys: [key(region)], date: new Date(Date.now() - 900_000).toUTCString() },
    async (fake, preflight) => {
      const done = await preflight('--phase', 'audit');
      assert.equal(done.code, 3, done.stdout);
      assert.ok(Math.abs(done.report.places[0].clock_skew_seconds + 900) < 5);
    });
});

test('the table says first what is missing', async () => {
  const who = await person(server, 'reader', allow(...reads));
  const done = await run(['preflight', '--endpoint-url', server.url, '--region', region], { env: {
    PATH: process.env.PATH, HOME: dir, LANG: 'C.UTF-8', AWS_ACCESS_KEY_ID: who.accessKeyId,
    AWS_SECRET_ACCESS_KEY: who.secretAccessKey } });
  assert.equal(done.code, 3);
  assert.match(done.stdout, /^✗ preflight {3}2 permissions are missing\./);
  assert.match(done.stdout, /apply +✗ kms:EnableKeyRotation +missing/);
});
