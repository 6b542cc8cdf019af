// Does an apply keep within its bounds? A few keys first, an end to what goes wrong, and what is
// left stays for a later run. The fake endpoint knows what was written.
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
const keyturn = (...args) => run(args, { env });
before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-bounds-'));
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
});
after(() => rm(dir, { recursive: true, force: true }));

// planned: a plan of `count` keys on an endpoint with a fault, for body(fake, plan, journal).
const planned = (name, count, fault, body) => test(name, async () => {
  const fake = await FakeKms.start({ keys: Array.from({ length: count }, () => key(region)), fault });
  try {
    const plan = file(`${name.length}.plan`);
    const done = await keyturn('plan', '--endpoint-url', fake.url, '--region', region, '--out', plan);
    assert.equal(done.code, 0, done.stderr);
    await body(fake, plan, file(`${name.length}.journal`));
  } finally {
    await fake.stop();
  }
});
const turned = (fake) => fake.keys.filter((each) => each.rotation.on).length;

planned('--first changes so many, reads them back and leaves the rest for --resume', 30, undefined,
  async (fake, plan, journal) => {
    const first = await keyturn('apply', plan, '--journal', journal, '--auto-approve', '--first', '4',
      '--format', 'json');
    assert.equal(first.code, 0, first.stderr);
    const report = JSON.parse(first.stdout);
    assert.equal(report.totals.done, 4);
    assert.equal(report.held_back, 26);
    assert.ok(report.keys.every((each) => /^verified: /.test(each.detail)), first.stdout);
    assert.match(report.notes.join(), /26 keys are left .* --resume/);
    assert.equal(turned(fake), 4);
    const second = await keyturn('apply', '--resume', '--journal', journal, '--first', '6');
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /10 of 10 keys as planned/);
    assert.equal(turned(fake), 10);
    assert.equal((await keyturn('verify', '--journal', journal)).code, 5, 'twenty are not changed yet');
    assert.equal((await keyturn('apply', '--resume', '--journal', journal)).code, 0);
    assert.equal((await keyturn('verify', '--journal', journal)).code, 0);
    assert.equal(fake.count('EnableKeyRotation'), 30);
    // What was changed first can be taken back like the rest.
    assert.equal((await keyturn('backout', '--journal', journal, '--reason', 'a test')).code, 0);
    assert.equal(turned(fake), 0);
  });

let denied = true;
planned('--max-failure-rate stops the run, says why, and the journal has what is left', 300,
  (operation, input) => (denied && operation === 'EnableKeyRotation' && Number(`0x${input.KeyId.slice(-2)}`) % 2
    ? refusal('AccessDeniedException') : undefined),
  async (fake, plan, journal) => {
    const stopped = await keyturn('apply', plan, '--journal', journal, '--auto-approve',
      '--max-failure-rate', '10', '--format', 'json');
    assert.equal(stopped.code, 5, stopped.stderr);
    const { totals, notes } = JSON.parse(stopped.stdout);
    assert.match(notes.join(), /Stopped: 11 of the last 100 keys failed or were refused, more than 10 %/);
    assert.ok(totals.failed >= 11 && totals.failed <= 27, JSON.stringify(totals));
    assert.ok(totals.pending > 200, JSON.stringify(totals));
    assert.equal(totals.done + totals.failed + totals.pending, 300);
    assert.equal(turned(fake), totals.done);
    const lines = (await readFile(journal, 'utf8')).trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.match(lines.find((line) => line.record === 'stop').reason, /^Stopped: 11 /);
    assert.ok(!lines.some((line) => line.record === 'end'));
    denied = false;
    const resumed = await keyturn('apply', '--resume', '--journal', journal, '--max-failure-rate', '10');
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(turned(fake), 300);
  });

test('bounds that make no sense are refused before anything is read', async () => {
  for (const args of [['--first', '0'], ['--first', '-1'], ['--first', 'ten'],
    ['--max-failure-rate', '101'], ['--max-failure-rate', '-1']]) {
    const done = await keyturn('apply', file('none.plan'), '--journal', file('none'), ...args);
    assert.equal(done.code, 1, args.join(' '));
    assert.match(done.stderr, new RegExp(args[0]));
  }
});
