// Is the control right about an endpoint that holds every kind of key, and that throttles, denies,
// pages, breaks off and forgets? The fake endpoint knows the truth; what must be said of each key is
// written beside it.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FakeKms, key, refusal } from '../lib/fake_kms.mjs';
import { credentials, region, run } from '../lib/server.mjs';

let dir;
let env;
const file = (name) => path.join(dir, name);
before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-endpoint-'));
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
});
after(() => rm(dir, { recursive: true, force: true }));

const keyturn = (...args) => run(args, { env });

async function audit(fake, regions = region) {
  const out = file('audit.json');
  const done = await keyturn('audit', '--endpoint-url', fake.url, '--region', regions, '--format',
    'json', '--out', out);
  const report = JSON.parse(await readFile(out, 'utf8'));
  const sum = Object.values(report.totals.by_verdict).reduce((a, b) => a + b, 0);
  assert.equal(report.totals.listed, sum, 'every listed key has one verdict');
  return { ...done, report, of: (each) => report.keys.find((one) => one.arn === each.Arn) };
}

// withFake runs a test against an endpoint and stops it afterwards.
const withFake = (name, options, body) => test(name, async () => {
  const given = options();
  const fake = await FakeKms.start(given);
  try {
    await body(fake, given);
  } finally {
    await fake.stop();
  }
});

// mixedFleet: what an account holds, as [verdict, key, times].
function mixedFleet() {
  const fleet = [];
  const put = (verdict, times, make) => {
    for (let i = 0; i < times; i += 1) fleet.push([verdict, make(i)]);
  };
  const on = (period) => ({ on: true, period });
  put('PASS', 20, () => key(region, {}, on(365)));
  put('PASS', 3, () => key(region, {}, on(90), [`alias/app-${fleet.length}`]));
  put('FAIL_PERIOD', 4, () => key(region, {}, on(730)));
  put('FAIL_PERIOD', 1, () => key(region, {}, on(366)));
  put('FAIL', 15, () => key(region));
  put('NOT_APPLICABLE', 14, (i) => key(region, { KeyManager: 'AWS' }, null, [`alias/aws/svc${i}`]));
  put('NOT_APPLICABLE', 1, () => key(region, { KeyManager: 'AWS' }, null));
  for (const KeySpec of ['RSA_2048', 'RSA_4096', 'ECC_NIST_P256', 'ECC_SECG_P256K1', 'HMAC_256',
    'ECC_NIST_EDWARDS25519', 'SM2', 'ML_DSA_65', 'A_SPEC_OF_TOMORROW']) {
    put('NOT_APPLICABLE', 1, () => key(region, { KeySpec, KeyUsage: 'SIGN_VERIFY' }, null));
  }
  put('NOT_APPLICABLE', 2, () => key(region, { Origin: 'EXTERNAL' }, { on: false }));
  put('NOT_APPLICABLE', 1, () => key(region, { Origin: 'EXTERNAL', KeyState: 'PendingImport' }, null));
  put('NOT_APPLICABLE', 1, () => key(region, { Origin: 'AWS_CLOUDHSM' }, null));
  put('NOT_APPLICABLE', 1, () => key(region, { Origin: 'EXTERNAL_KEY_STORE', KeyState: 'Unavailable' }, null));
  put('SKIPPED', 3, () => key(region, { KeyState: 'PendingDeletion' }, null));
  put('SKIPPED', 1, () => key(region, { KeyState: 'PendingReplicaDeletion', MultiRegion: true }, null));
  put('SKIPPED', 3, () => key(region, { KeyState: 'Disabled' }, on(365)));
  const primary = key(region, { MultiRegion: true }, on(200));
  primary.metadata.MultiRegionConfiguration = { MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn: primary.Arn, Region: region }, ReplicaKeys: [] };
  put('PASS', 1, () => primary);
  return fleet;
}

withFake('every kind of key gets its verdict, in at most 1.5 calls a key', () => {
  const fleet = mixedFleet();
  return { fleet, keys: fleet.map(([, each]) => each) };
}, async (fake, { fleet }) => {
  const { code, report, of } = await audit(fake);
  assert.equal(code, 3);
  for (const [verdict, each] of fleet) {
    assert.equal(of(each).verdict, verdict, JSON.stringify(each.metadata));
  }
  const calls = fake.calls.length / fleet.length;
  assert.ok(calls <= 1.5, `${calls} calls a key`);
  // Some AWS managed keys' policies deny these calls, and a denial sets off alarms.
  for (const [, each] of fleet.filter(([, one]) => one.metadata.KeyManager === 'AWS')) {
    assert.ok(!fake.calls.some((call) => call.operation === 'GetKeyRotationStatus'
      && [each.KeyId, each.Arn].includes(call.input.KeyId)), each.Arn);
  }
  assert.equal(report.incomplete, false);
});

withFake('pages of three lose and double nothing', () => {
  const fleet = mixedFleet();
  return { fleet, keys: fleet.map(([, each]) => each), pageSize: 3 };
}, async (fake, { fleet }) => {
  const { report, of } = await audit(fake);
  assert.equal(report.keys.length, fleet.length);
  for (const [verdict, each] of fleet) assert.equal(of(each).verdict, verdict);
  assert.equal(fake.count('ListKeys'), Math.ceil(fleet.length / 3));
});

withFake('a listing that goes round in circles is an error, not a hang', () => ({
  keys: [key(region), key(region)], pageSize: 1,
  fault: (operation, input) => (operation === 'ListKeys' && input.Marker ? { Keys: [],
    Truncated: true, NextMarker: input.Marker } : undefined),
}), async (fake) => {
  const { code, report } = await audit(fake);
  assert.equal(code, 4);
  assert.equal(report.regions[0].status, 'error');
  assert.equal(report.incomplete, true);
});

withFake('throttled calls are made again until each key is known', () => {
  const fleet = mixedFleet();
  let seed = 1;
  const random = () => { seed = (seed * 48271) % 2147483647; return seed / 2147483647; };
  return { fleet, keys: fleet.map(([, each]) => each),
    fault: () => (random() < 0.1 ? refusal('ThrottlingException', 'Rate exceeded') : undefined) };
}, async (fake, { fleet }) => {
  const { code, report, of } = await audit(fake);
  assert.equal(code, 3);
  for (const [verdict, each] of fleet) assert.equal(of(each).verdict, verdict);
  const throttled = Object.values(report.calls).reduce((sum, each) => sum + each.throttled, 0);
  assert.ok(throttled > 0);
});

withFake('server errors, cut connections and answers that are no JSON are tried again', () => {
  const fleet = mixedFleet();
  const trouble = [refusal('KMSInternalException', 'try again', 500), 'drop', { raw: '<html>' },
    refusal('DependencyTimeoutException', 'try again', 503)];
  return { fleet, keys: fleet.map(([, each]) => each),
    fault: (operation, input, n) => (operation === 'DescribeKey' && n % 9 === 0
      ? trouble[(n / 9) % trouble.length] : undefined) };
}, async (fake, { fleet }) => {
  const { report, of } = await audit(fake);
  for (const [verdict, each] of fleet) {
    // An answer of another form is never guessed at: what cannot be read is not known.
    assert.ok([verdict, 'UNKNOWN'].includes(of(each).verdict), of(each).reason);
  }
  const unknown = report.keys.filter((each) => each.verdict === 'UNKNOWN');
  assert.ok(unknown.every((each) => /DescribeKey/.test(each.reason)));
  assert.ok(unknown.length <= 3, `${unknown.length} unknown`);
});

withFake('what is denied is UNKNOWN and names the permission; what has gone is GONE', () => {
  const keys = Array.from({ length: 6 }, () => key(region));
  const [noDescribe, noStatus, gone, goneLater] = keys;
  const is = (each, input) => [each.KeyId, each.Arn].includes(input.KeyId);
  return { keys, noDescribe, noStatus, gone, goneLater, fault: (operation, input) => {
    const denied = refusal('AccessDeniedException',
      `User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:${operation}`);
    if (operation === 'DescribeKey' && is(noDescribe, input)) return denied;
    if (operation === 'GetKeyRotationStatus' && is(noStatus, input)) return denied;
    if (operation === 'DescribeKey' && is(gone, input)) return refusal('NotFoundException');
    if (operation === 'GetKeyRotationStatus' && is(goneLater, input)) return refusal('NotFoundException');
    return undefined;
  } };
}, async (fake, { noDescribe, noStatus, gone, goneLater }) => {
  const { code, report, of } = await audit(fake);
  assert.equal(code, 4, 'what is not known makes the run incomplete');
  assert.equal(of(noDescribe).verdict, 'UNKNOWN');
  assert.match(of(noDescribe).reason, /kms:DescribeKey/);
  assert.equal(of(noStatus).verdict, 'UNKNOWN');
  assert.match(of(noStatus).reason, /kms:GetKeyRotationStatus/);
  assert.match(of(noStatus).rotation_failure.request_id, /^fake-/);
  assert.equal(of(gone).verdict, 'GONE');
  assert.ok(['GONE', 'UNKNOWN'].includes(of(goneLater).verdict));
  assert.equal(report.compliant, false);
});

withFake('a denied region is reported as that, and the others go on', () => ({
  keys: [key('us-east-1', {}, { on: true }), key('eu-west-1', {}, { on: true })],
  fault: (operation, input, n, where) => (where === 'eu-west-1'
    ? refusal('AccessDeniedException', 'not authorized') : undefined),
}), async (fake) => {
  const { code, report } = await audit(fake, 'us-east-1,eu-west-1');
  assert.equal(code, 4);
  assert.deepEqual(report.regions.map(({ region: name, status, listed }) => [name, status, listed])
    .sort(), [['eu-west-1', 'denied', 0], ['us-east-1', 'scanned', 1]]);
  assert.equal(report.compliant, false, 'a region that was not seen is never compliant');
});

withFake('without ListAliases the verdicts are the same, and the report says so', () => {
  const fleet = mixedFleet();
  return { fleet, keys: fleet.map(([, each]) => each), fault: (operation) => (
    operation === 'ListAliases' ? refusal('AccessDeniedException', 'not authorized') : undefined) };
}, async (fake, { fleet }) => {
  const { report, of } = await audit(fake);
  for (const [verdict, each] of fleet) assert.equal(of(each).verdict, verdict);
  assert.match(report.regions[0].detail, /aliases are not known/);
});

withFake('an apply goes on past a denied key, and the back-out restores the others only', () => {
  const keys = Array.from({ length: 8 }, (_, i) => key(region, {}, i < 6 ? { on: false }
    : { on: true, period: 900 }));
  return { keys, fault: (operation, input) => (operation === 'EnableKeyRotation'
    && input.KeyId.includes(keys[2].KeyId) ? refusal('AccessDeniedException', 'no') : undefined) };
}, async (fake, { keys }) => {
  const was = structuredClone(keys.map((each) => each.rotation));
  const plan = await keyturn('plan', '--endpoint-url', fake.url, '--region', region, '--out', file('p'));
  assert.equal(plan.code, 0, plan.stderr);
  const applied = await keyturn('apply', file('p'), '--auto-approve', '--journal', file('j'));
  assert.equal(applied.code, 5, applied.stderr);
  keys.forEach((each, i) => assert.deepEqual(each.rotation,
    i === 2 ? { on: false } : { on: true, period: 365 }, each.Arn));
  const back = await keyturn('backout', '--journal', file('j'), '--reason', 'a test');
  assert.equal(back.code, 0, back.stderr);
  assert.deepEqual(keys.map((each) => each.rotation), was);
  assert.ok(!fake.calls.some((call) => call.operation === 'DisableKeyRotation'
    && call.input.KeyId.includes(keys[2].KeyId)), 'a key that we did not change is left alone');
});

withFake('an endpoint that shows a change late is asked again before it counts', () => {
  const keys = [key(region)];
  return { keys, fault: (operation, input, n) => (operation === 'GetKeyRotationStatus'
    && keys[0].rotation.on && (keys[0].late = (keys[0].late ?? 0) + 1) <= 2
    ? { KeyId: keys[0].Arn, KeyRotationEnabled: false } : undefined) };
}, async (fake, { keys }) => {
  await keyturn('plan', '--endpoint-url', fake.url, '--region', region, '--out', file('late'));
  const applied = await keyturn('apply', file('late'), '--auto-approve', '--journal', file('late-j'));
  assert.equal(applied.code, 0, applied.stderr);
  const verified = await keyturn('verify', '--journal', file('late-j'));
  assert.equal(verified.code, 0, verified.stderr);
  assert.ok(keys[0].late > 2);
});
