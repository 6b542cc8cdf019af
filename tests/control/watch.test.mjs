// Does watch tell what has changed, once and signed, over a restart and a webhook that is down; show
// it as metrics; and change keys within the bounds of the policy file and never beyond them?
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Clock } from '../lib/clock.mjs';
import { FakeKms, key } from '../lib/fake_kms.mjs';
import { account, credentials, region, run } from '../lib/server.mjs';

const secret = 'a secret of the tests, long enough';
const hour = 3_600_000;
let dir;
let env;
let clock;
const file = (name) => path.join(dir, name);

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-watch-'));
  clock = await Clock.make();
  env = { ...process.env, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey, AWS_REGION: region, HOME: dir };
  await writeFile(file('secret'), `${secret}\n`);
});
after(async () => {
  await clock.remove();
  await rm(dir, { recursive: true, force: true });
});

// Hook: a webhook that takes events, or refuses them while `down`.
class Hook {
  events = [];
  attempts = 0;
  down = false;
  static async start() {
    const hook = new Hook();
    hook.server = http.createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      hook.attempts += 1;
      const mac = createHmac('sha256', secret).update(body).digest('hex');
      assert.equal(request.headers['x-keyturn-signature'], `sha256=${mac}`);
      if (hook.down) {
        response.writeHead(503).end();
        return;
      }
      const event = JSON.parse(body);
      assert.equal(request.headers['x-keyturn-event-id'], event.id);
      hook.events.push(event);
      response.writeHead(204).end();
    });
    await new Promise((resolve) => { hook.server.listen(0, '127.0.0.1', resolve); });
    hook.url = `http://127.0.0.1:${hook.server.address().port}/kms`;
    return hook;
  }
  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}

// Watch: the running command; metrics() reads its page.
class Watch {
  static async start(args) {
    const watch = new Watch();
    watch.process = spawn(process.env.KEYTURN_BIN, ['watch', ...args, '--metrics-listen', '127.0.0.1:0'],
      { env: { ...env, ...clock.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    watch.errors = '';
    watch.process.stderr.on('data', (chunk) => (watch.errors += chunk));
    watch.exited = new Promise((resolve) => { watch.process.once('exit', resolve); });
    let text = '';
    watch.url = await Promise.race([watch.exited.then(() => undefined), new Promise((resolve) => {
      watch.process.stdout.on('data', (chunk) => {
        text += chunk;
        const line = /^metrics (\S+)$/m.exec(text);
        if (line) resolve(line[1]);
      });
    })]);
    assert.ok(watch.url, watch.errors);
    return watch;
  }
  // metric waits until a metric has at least a value, and returns the page.
  async metric(name, value) {
    for (let i = 0; i < 200; i += 1) {
      const text = await (await fetch(this.url)).text();
      const line = text.split('\n').find((each) => each.startsWith(`${name} `));
      if (line && Number(line.slice(name.length)) >= value) return text;
      await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    throw new Error(`${name} never was ${value}: ${await (await fetch(this.url)).text()}\n${this.errors}`);
  }
  stop() {
    this.process.kill('SIGTERM');
    return this.exited;
  }
}

test('changes are told once, signed, over a restart and a webhook that is down', async () => {
  const keys = [key(region, {}, { on: true }, ['alias/app']), key(region), key(region, {}, { on: true })];
  const fake = await FakeKms.start({ keys });
  const hook = await Hook.start();
  const args = ['--endpoint-url', fake.url, '--region', region, '--every', '1h', '--jitter', '0',
    '--state-dir', file('state'), '--webhook', hook.url, '--webhook-secret', file('secret')];
  let watch = await Watch.start(args);
  const first = await watch.metric('keyturn_watch_runs_total{result="findings"}', 1);
  assert.match(first, new RegExp(`keyturn_audit_keys\\{account="${account}",region="${region}",verdict="PASS"\\} 2\\n`));
  assert.match(first, /keyturn_watch_calls_total\{operation="DescribeKey"\} 3\n/);
  assert.match(first, /keyturn_audit_incomplete 0\n/);
  assert.match(first, /keyturn_watch_next_run_timestamp_seconds \d/);

  keys[0].rotation = { on: false };
  hook.down = true;
  await clock.move(hour);
  await watch.metric('keyturn_watch_runs_total{result="findings"}', 2);
  await watch.metric('keyturn_watch_event_failures_total', 1);
  assert.match(await watch.metric('keyturn_watch_events_pending', 1), /keyturn_watch_verdict_changes_total 1\n/);
  assert.equal(await watch.stop(), 0, watch.errors);
  assert.equal(hook.events.length, 0);
  assert.ok(hook.attempts >= 1);

  hook.down = false;
  watch = await Watch.start(args);
  await watch.metric('keyturn_watch_events_delivered_total', 1);
  assert.equal(await watch.stop(), 0, watch.errors);
  assert.equal(hook.events.length, 1, 'what was told before the restart is not told again');
  const [event] = hook.events;
  assert.equal(event.format, 'keyturn.watch.v1');
  assert.deepEqual(event.changes.map(({ arn, alias, before: was, after: is }) => ({ arn, alias, was, is })),
    [{ arn: keys[0].Arn, alias: 'alias/app', was: 'PASS', is: 'FAIL' }]);
  await fake.stop();
  await hook.stop();
});

test('keys are changed within the bounds of the policy, through plan and journal', async () => {
  await writeFile(file('policy.yaml'), `version: 1
max_period_days: 365
scope: {exclude: [{alias: alias/scratch}]}
watch: {apply: {enabled: true, keys_per_run_max: 2, keys_per_day_max: 3, failing_runs_min: 2}}
`);
  const keys = [key(region), key(region), key(region), key(region), key(region, {}, { on: false }, ['alias/scratch'])];
  const fake = await FakeKms.start({ keys });
  const { code, stderr } = await run(['watch', '--endpoint-url', fake.url, '--region', region, '--every', '1s',
    '--jitter', '0', '--runs', '4', '--state-dir', file('apply'), '--policy', file('policy.yaml'),
    '--progress', 'none'], { env });
  assert.equal(code, 0, stderr);
  assert.equal(fake.count('EnableKeyRotation'), 3, stderr);
  assert.equal(keys.filter((each) => each.rotation.on).length, 3);
  assert.equal(keys[4].rotation.on, false, 'out of scope');
  const listings = fake.calls.flatMap(({ operation }, i) => (operation === 'ListKeys' ? [i] : []));
  const writes = fake.calls.flatMap(({ operation }, i) => (operation === 'EnableKeyRotation' ? [i] : []));
  assert.ok(writes[0] > listings[1], 'a key must have failed in two runs');
  assert.ok(writes[1] < listings[2] && writes[2] > listings[2], 'two a run');
  const kept = await readdir(file('apply'));
  const journals = kept.filter((name) => name.endsWith('.journal'));
  assert.equal(journals.length, 2);
  assert.equal(kept.filter((name) => name.endsWith('.plan')).length, 2);
  for (const journal of journals) {
    const verified = await run(['verify', '--journal', path.join(file('apply'), journal)], { env });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  }
  assert.match(await readFile(path.join(file('apply'), 'state'), 'utf8'), /"open_journal":""/);
  await fake.stop();
});

test('what the policy file takes back is not done any more, without a restart', async () => {
  const policy = (enabled) => writeFile(file('policy.yaml'), `version: 1
max_period_days: 365
watch: {apply: {enabled: ${enabled}, keys_per_run_max: 1, failing_runs_min: 1}}
`);
  await policy(true);
  const keys = [key(region), key(region), key(region)];
  const fake = await FakeKms.start({ keys });
  const watch = await Watch.start(['--endpoint-url', fake.url, '--region', region, '--every', '1h', '--jitter', '0',
    '--state-dir', file('taken-back'), '--policy', file('policy.yaml')]);
  await watch.metric('keyturn_watch_keys_changed_total', 1);
  const on = () => keys.filter((each) => each.rotation.on).length;
  await policy(false);
  await clock.move(hour);
  await watch.metric('keyturn_watch_runs_total{result="findings"}', 2);
  await writeFile(file('policy.yaml'), 'version: 1\nwatch: [');
  await clock.move(hour);
  await watch.metric('keyturn_watch_runs_total{result="failed"}', 1);
  assert.equal(on(), 1, watch.errors);
  await policy(true);
  await clock.move(hour);
  await watch.metric('keyturn_watch_keys_changed_total', 2);
  assert.equal(await watch.stop(), 0, watch.errors);
  assert.equal(on(), 2, watch.errors);
  assert.match(watch.errors, /policy\.yaml/);
  await fake.stop();
});

test('what cannot work is refused before the first call', async () => {
  const base = ['watch', '--region', region, '--endpoint-url', 'http://127.0.0.1:9', '--runs', '1', '--state-dir',
    file('refused')];
  await writeFile(file('short'), 'short');
  const hook = (url, name = 'secret') => ['--webhook', url, '--webhook-secret', file(name)];
  for (const [args, message] of [
    [[...base, ...hook('http://example.com/x')], /neither https:\/\/ nor http:\/\/ on a loopback address/],
    [[...base, ...hook('https://example.com/x', 'short')], /at least 16 characters/],
    [[...base, '--webhook', 'https://example.com/x'], /--webhook-secret/],
    [[...base, '--metrics-listen', '0.0.0.0:9464'], /not a loopback address/],
    [[...base, '--every', 'often'], /--every/],
    [[...base, '--policy', file('none.yaml')], /none\.yaml/],
  ]) {
    const { code, stderr } = await run(args, { env });
    assert.equal(code, 1, stderr);
    assert.match(stderr, message);
  }
  await writeFile(path.join(file('apply'), 'state'), '{"format":"keyturn-watch-state"}\n');
  const { code, stderr } = await run([...base.slice(0, -1), file('apply')], { env });
  assert.equal(code, 1);
  assert.match(stderr, /state: its first line is damaged/);
});
