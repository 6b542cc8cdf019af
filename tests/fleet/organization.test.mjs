// Does the control get a whole organization right? A simulated one knows the truth of every key: each
// verdict, each account and region, each change and each change taken back is held against it, while
// it pages, throttles by AWS's quotas, denies, breaks off and is killed. In memory that is bounded.
//
// FLEET=big is 200 accounts, 17 regions and 100,000 keys (`make fleet`), FLEET=middle 40 accounts, 5
// regions and 4,000 keys, with as many kills; otherwise a small one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Organization } from '../lib/organization.mjs';
import { arnOf, closedRegions, draw, isOwned, Random } from '../lib/organization_model.mjs';

const big = process.env.FLEET === 'big';
const middle = process.env.FLEET === 'middle';
const size = big ? { accounts: 200, keys: 100_000, hot: 12 } : middle ? { accounts: 40,
  regions: ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-2'], keys: 4000, hot: 4 }
  : { accounts: 12, regions: ['eu-central-1', 'us-east-1', 'us-west-2'], keys: 800, hot: 2, every: 10 };
const kills = Number(process.env.FLEET_KILLS ?? (big || middle ? 100 : 3));
const seed = Number(process.env.FLEET_SEED ?? 20261125);

let dir;
let highestKiB = 0;
let organization;
let model;
const file = (name) => path.join(dir, name);
const say = (text) => { if (big || middle) console.log(text); };

before(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'keyturn-fleet-'));
  model = draw({ seed, ...size });
  organization = await Organization.start(model, { production: 0.55, verifyEvery: big ? 50 : 1 });
});
after(async () => {
  await organization.stop();
  rmSync(dir, { recursive: true, force: true });
});

// keyturn runs a command and follows its memory; after killAfter ms, or when killWhen says so, it is
// sent a signal.
function keyturn(args, { killAfter, killWhen, signal = 'SIGKILL' } = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.env.KEYTURN_BIN, args, { env: organization.env,
      stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let peakKiB = 0;
    child.stdout.on('data', (chunk) => { stdout += chunk; });
    child.stderr.on('data', (chunk) => { stderr += chunk; });
    const look = setInterval(() => {
      try {
        peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+)/.exec(
          readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
      } catch { /* it has ended */ }
      if (killWhen?.()) {
        killWhen = undefined;
        child.kill(signal);
      }
    }, 20);
    const killer = killAfter === undefined ? undefined
      : setTimeout(() => child.kill(signal), killAfter);
    child.once('close', (code, ended) => {
      clearInterval(look);
      clearTimeout(killer);
      highestKiB = Math.max(highestKiB, peakKiB);
      resolve({ code, signal: ended, stdout, stderr, peakKiB,
        seconds: (performance.now() - started) / 1000 });
    });
  });
}

// The small organization is changed at the full quotas: what is proven of changes is not their pace,
// and AWS's quotas for writes are low.
const whole = ['--organization', '--role-name', 'Rotation', '--regions', 'all'];
const roles = ['--role-name', 'Rotation', ...(big ? [] : ['--quota-share', '1'])];

// --- The oracle ---------------------------------------------------------------------------------

const isCallable = (account) => account.behaviour !== 'suspended' && account.behaviour !== 'role denied';

// expectedRegions: what must be said of each account and region.
function expectedRegions() {
  const expected = new Map();
  for (const account of model.accounts) {
    for (const region of model.regions) {
      const place = model.places.get(`${account.id}/${region}`);
      expected.set(`${account.id}/${region}`, place.fate);
    }
  }
  return expected;
}

function checkAudit(report) {
  const expected = expectedRegions();
  const accounts = new Map(model.accounts.map((account) => [account.id, account]));
  const seen = new Map();
  for (const region of report.regions) {
    const name = `${region.account}/${region.region}`;
    assert.ok(!seen.has(name), `${name} is in the coverage twice`);
    seen.set(name, region);
    // What an account or its organization says is not there is no gap; all else that is not scanned is.
    assert.equal(region.gap, !['scanned', 'not enabled', 'account closed'].includes(region.status), name);
    const sum = Object.values(region.by_verdict).reduce((a, b) => a + b, 0);
    assert.equal(region.listed, sum, `${name}: every listed key has one verdict`);
    const fate = expected.get(name);
    if (fate === undefined) {
      // A region beyond those of the organization: closed, or of the list where EC2 tells nothing,
      // or of an account that was not called at all.
      assert.notEqual(region.status, 'scanned', name);
      assert.equal(region.listed, 0, name);
      if (isCallable(accounts.get(region.account))) {
        assert.equal(region.status, 'not enabled', `${name}: ${region.detail}`);
      }
      continue;
    }
    const place = model.places.get(name);
    if (place.dies === undefined) {
      assert.equal(region.status, fate, `${name}: ${region.detail}`);
      assert.equal(region.listed, fate === 'scanned' ? place.keys.length : 0, name);
    }
  }
  for (const name of expected.keys()) assert.ok(seen.has(name), `${name} is not in the coverage`);
  for (const account of model.accounts.filter((each) => isCallable(each)
    && each.behaviour !== 'regions denied')) {
    for (const region of closedRegions) {
      assert.equal(seen.get(`${account.id}/${region}`)?.status, 'not enabled');
    }
  }
  const byArn = new Map(report.keys.map((key) => [key.arn, key]));
  assert.equal(byArn.size, report.keys.length, 'no key is reported twice');
  let unknownInDying = 0;
  for (const place of model.places.values()) {
    if (place.fate !== 'scanned') continue;
    for (const key of place.keys) {
      const said = byArn.get(arnOf(key));
      if (place.dies !== undefined) {
        // What was answered before the end is judged right; what was not is not known.
        if (said === undefined || said.verdict === 'UNKNOWN') {
          unknownInDying += 1;
          byArn.delete(arnOf(key));
          continue;
        }
      }
      assert.ok(said !== undefined, `${arnOf(key)} was dropped`);
      assert.equal(said.verdict, key.verdict, `${arnOf(key)} (${key.kind.name}): ${said.reason}`);
      byArn.delete(arnOf(key));
    }
  }
  assert.equal(byArn.size, 0, 'nothing is reported that there is not');
  const total = Object.values(report.totals.by_verdict).reduce((a, b) => a + b, 0);
  assert.equal(report.totals.listed, total);
  assert.equal(report.totals.listed, report.keys.length);
  assert.equal(report.exit_code, 4, 'something could not be judged');
  return unknownInDying;
}

// revive: the region that died has come back.
const revive = () => {
  for (const place of model.places.values()) delete place.dies;
};
const callsOf = (report) => Object.values(report.calls).reduce((sum, each) => sum + each.calls, 0);
const readReport = (name) => JSON.parse(readFileSync(file(name), 'utf8'));
const snapshot = () => new Map([...model.places.values()].flatMap((place) => place.keys
  .map((key) => [arnOf(key), (key.of ?? key).period])));

// --- Audit --------------------------------------------------------------------------------------

let firstCalls = 0;
test('every verdict is right, every account and region is accounted for, in bounded memory', async () => {
  const done = await keyturn(['audit', ...whole, '--cache', file('facts.cache'), '--format', 'json',
    '--out', file('audit.json')]);
  assert.equal(done.code, 4, done.stderr);
  const report = readReport('audit.json');
  const unknown = checkAudit(report);
  revive();
  assert.deepEqual(organization.problems, []);
  assert.match(done.stderr, /regions are taken from the built-in list/);
  firstCalls = callsOf(report);
  const throttledByUs = Object.values(organization.throttled).reduce((a, b) => a + b, 0);
  const produced = organization.produced;
  const rate = produced.throttled / Math.max(1, produced.calls);
  say(`audit: ${report.keys.length} keys, ${(firstCalls / report.keys.length).toFixed(3)} calls a key, `
    + `${done.seconds.toFixed(1)} s, ${(done.peakKiB / 1024).toFixed(0)} MiB, ${throttledByUs} of our calls `
    + `throttled; production ${produced.calls} calls, ${(100 * rate).toFixed(3)} % throttled; `
    + `${unknown} keys not known where a region died`);
  if (big) {
    assert.ok(firstCalls / report.keys.length <= 1.5, `${firstCalls} calls`);
    assert.ok(produced.calls > 100_000, `production made ${produced.calls} calls`);
    assert.ok(rate < 0.005, `production was throttled in ${(100 * rate).toFixed(2)} % of its calls`);
  }
});

test('preflight finds the same accounts and regions closed, and changes nothing', async () => {
  const before = snapshot();
  const done = await keyturn(['preflight', ...whole, '--format', 'json']);
  assert.equal(done.code, 3, done.stderr);
  const { places } = JSON.parse(done.stdout);
  const placeOf = new Map(places.map((place) => [`${place.account}/${place.region ?? ''}`, place]));
  for (const { id, behaviour } of model.accounts) {
    const whole = placeOf.get(`${id}/`);
    if (behaviour === 'role denied') {
      assert.equal(whole.status, 'denied', id);
      assert.deepEqual(whole.permissions.map((each) => each.action), ['sts:AssumeRole']);
    } else if (behaviour === 'suspended') {
      assert.equal(whole.status, 'account closed', id);
    } else {
      assert.equal(whole, undefined, id);
      for (const region of model.regions) {
        const place = placeOf.get(`${id}/${region}`);
        const { fate } = model.places.get(`${id}/${region}`);
        if (fate === 'scanned' || fate === 'denied') assert.equal(place.status, fate, `${id}/${region}`);
      }
    }
  }
  assert.deepEqual(snapshot(), before);
  assert.ok([...model.places.values()].every((place) => place.keys.every((key) => key.writes.length === 0)));
  assert.deepEqual(organization.problems, []);
  say(`preflight: ${places.length} places, ${done.seconds.toFixed(1)} s`);
});

test('with the cache of the first, the second needs fewer calls and says the same', async () => {
  const done = await keyturn(['audit', ...whole, '--cache', file('facts.cache'), '--format', 'json',
    '--out', file('again.json')]);
  assert.equal(done.code, 4, done.stderr);
  const report = readReport('again.json');
  checkAudit(report);
  const ratio = callsOf(report) / firstCalls;
  say(`with a cache: ${(callsOf(report) / report.keys.length).toFixed(3)} calls a key, ${done.seconds.toFixed(1)} s`);
  assert.ok(ratio < 0.95, `${callsOf(report)} calls after ${firstCalls}`);
});

test('an audit that is stopped goes on where it was', async () => {
  const args = ['audit', ...whole, '--state', file('audit.state'), '--format', 'json', '--out',
    file('stopped.json')];
  const fresh = readReport('audit.json').calls.DescribeKey.calls;
  // Stopped by Ctrl-C, then killed, then left alone.
  const described = () => organization.counts.DescribeKey;
  for (const signal of ['SIGINT', 'SIGKILL']) {
    const until = described() + fresh * 0.3;
    const stopped = await keyturn(args, { killWhen: () => described() >= until, signal });
    assert.ok(existsSync(file('audit.state')), stopped.stderr);
    if (signal === 'SIGINT') {
      assert.equal(stopped.code, 4, stopped.stderr);
      const report = readReport('stopped.json');
      assert.equal(report.cancelled, true);
      assert.equal(report.totals.listed, report.keys.length);
      assert.match(stopped.stderr, /the same command goes on from/);
    } else {
      assert.equal(stopped.signal, 'SIGKILL');
    }
  }
  const before = described();
  const done = await keyturn(args);
  const known = Number(/goes on with (\d+) keys/.exec(done.stderr)?.[1]);
  checkAudit(readReport('stopped.json'));
  assert.ok(!existsSync(file('audit.state')), 'a complete run leaves no state');
  const reads = described() - before;
  say(`stopped twice: ${known} keys known, ${reads} DescribeKey more, ${fresh} in one run`);
  assert.ok(known >= fresh * 0.05, `${known} keys known after ${fresh * 0.6} calls`);
  assert.ok(reads + known <= fresh * 1.1, `${reads} DescribeKey with ${known} keys known, of ${fresh}`);
});

// --- Change -------------------------------------------------------------------------------------

const planned = () => [...model.places.values()].filter((place) => place.fate === 'scanned')
  .flatMap((place) => place.keys)
  .filter((key) => key.kind.fixable && !key.replica && !isOwned(key));

// journalOf: the changes of a journal, each with its last result of a phase.
function journalOf(name, phase) {
  const lines = readFileSync(file(name), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
  const { changes } = lines[0];
  const list = lines.slice(1, 1 + changes).map((change) => ({ ...change, results: [] }));
  for (const line of lines.slice(1 + changes)) {
    if (line.phase === phase && line.record === 'result') list[line.index].results.push(line);
  }
  return list;
}

// killed runs first, then again with `resume`, killed at random moments, until it comes to its end.
// The moments are so far apart that the kills spread over the whole of the work: `part` tells how
// much of it is done.
async function killed(first, resume, random, part) {
  let rounds = 0;
  let longest = 900;
  let args = first;
  let ended = false;
  while (!ended && rounds < kills) {
    const done = await keyturn(args, { killAfter: 50 + random.below(longest) });
    ended = done.signal === null;
    if (ended) {
      assert.equal(done.code, 0, done.stderr);
    } else {
      rounds += 1;
      longest = part() > rounds / kills ? Math.max(100, longest * 0.7) : longest * 1.15;
    }
    if (existsSync(file('fleet.journal'))) args = resume;
  }
  say(`killed ${rounds} times, ${(part() * 100).toFixed(0)} % of the work done by then`);
  if (big || middle) assert.equal(rounds, kills, 'the work ended before all kills');
  const done = await keyturn(args);
  assert.equal(done.code, 0, done.stderr + done.stdout);
}

const written = () => (organization.counts.EnableKeyRotation ?? 0)
  + (organization.counts.DisableKeyRotation ?? 0);

let original;
let changed;
test('a plan has exactly the keys that it should', async () => {
  revive();
  const done = await keyturn(['plan', ...whole, '--cache', file('facts.cache'), '--out', file('fleet.plan')]);
  assert.equal(done.code, 4, done.stderr);
  const { content } = readReport('fleet.plan');
  const expected = new Set(planned().map(arnOf));
  changed = content.changes;
  assert.equal(changed.length, expected.size);
  assert.deepEqual(new Set(changed.map((change) => change.arn)), expected);
  const owned = content.left_alone.filter((key) => key.managed_by);
  assert.ok(owned.length > 0 && owned.every((key) => /7$/.test(key.arn)), 'code owns some, by their tags');
  assert.ok(changed.every((change) => change.owner_unknown === undefined));
  say(`plan: ${changed.length} changes, ${owned.length} keys left to their code`);
});

test('apply, killed again and again, changes each key once and nothing else', async () => {
  original = snapshot();
  organization.stale = true;
  const before = written();
  await killed(['apply', file('fleet.plan'), '--journal', file('fleet.journal'), '--auto-approve',
    ...roles], ['apply', '--resume', '--journal', file('fleet.journal'), ...roles],
  new Random(seed + 1), () => (written() - before) / changed.length);
  const wanted = new Map(changed.map((change) => [change.arn, change.wanted.period_days]));
  const now = snapshot();
  const replicas = new Map([...model.places.values()].flatMap((place) => place.keys)
    .filter((key) => key.replica).map((key) => [arnOf(key), arnOf(key.of)]));
  for (const [arn, period] of original) {
    const of = replicas.get(arn) ?? arn;
    assert.equal(now.get(arn), wanted.get(of) ?? period, arn);
  }
  for (const change of journalOf('fleet.journal', 'apply')) {
    assert.ok(['done', 'unchanged'].includes(change.results.at(-1)?.outcome), change.arn);
  }
});

test('verify sees all of it', async () => {
  const done = await keyturn(['verify', '--journal', file('fleet.journal'), ...roles, '--format', 'json']);
  assert.equal(done.code, 0, done.stderr);
  assert.equal(JSON.parse(done.stdout).totals.done, changed.length);
});

test('backout, killed again and again, restores exactly what was there', async () => {
  const args = ['backout', '--journal', file('fleet.journal'), '--reason', 'OPS-77', ...roles];
  const before = written();
  await killed(args, args, new Random(seed + 2), () => (written() - before) / changed.length);
  assert.deepEqual(snapshot(), original);
  for (const change of journalOf('fleet.journal', 'backout')) {
    assert.ok(['done', 'unchanged'].includes(change.results.at(-1)?.outcome), change.arn);
  }
  const untouched = new Set(changed.map((change) => change.arn));
  for (const place of model.places.values()) {
    for (const key of place.keys) {
      if (key.writes.length > 0) assert.ok(untouched.has(arnOf(key)), `${arnOf(key)} was written to`);
    }
  }
  assert.deepEqual(organization.problems, []);
});

test('a role that is taken on may do no more than its phase needs', () => {
  const actions = [...organization.sessionPolicies].map((text) => JSON.parse(text).Statement
    .flatMap((statement) => statement.Action).sort().join(' ')).sort();
  assert.deepEqual(actions, [
    'ec2:DescribeRegions kms:DescribeKey kms:DisableKeyRotation kms:EnableKeyRotation kms:GetKeyRotationStatus '
      + 'kms:ListAliases kms:ListKeyRotations kms:ListKeys kms:ListResourceTags',
    'ec2:DescribeRegions kms:DescribeKey kms:GetKeyRotationStatus kms:ListAliases '
      + 'kms:ListKeyRotations kms:ListKeys kms:ListResourceTags',
    'kms:DescribeKey kms:DisableKeyRotation kms:EnableKeyRotation kms:GetKeyRotationStatus',
    'kms:DescribeKey kms:EnableKeyRotation kms:GetKeyRotationStatus',
    'kms:DescribeKey kms:GetKeyRotationStatus',
  ]);
});

test('no command needed more than 256 MiB', () => {
  say(`${(highestKiB / 1024).toFixed(0)} MiB at most`);
  assert.ok(highestKiB > 0 && highestKiB < 256 * 1024, `${highestKiB} KiB`);
});
