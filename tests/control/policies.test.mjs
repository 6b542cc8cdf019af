// Are the printed policies enough for their phase, and is nothing in them too much? A real server
// enforces them.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, region, run } from '../lib/server.mjs';
import { person } from '../lib/people.mjs';

let server;
let dir;
before(async () => {
  server = await Server.start();
  dir = await mkdtemp(path.join(tmpdir(), 'keyturn-policies-'));
  await server.client().send(new kms.CreateKeyCommand({}));
});
after(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

const file = (name) => path.join(dir, name);
const printed = async (purpose, format = 'json') => {
  const { code, stdout, stderr } = await run(['policy', purpose, '--format', format]);
  assert.equal(code, 0, stderr);
  return stdout;
};
const statements = async (purpose) => JSON.parse(await printed(purpose)).Statement;
const as = (keys) => (...args) => run(args, { env: { PATH: process.env.PATH, HOME: dir,
  AWS_REGION: region, AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.secretAccessKey } });

test('each phase works with its policy alone, and not with that of the phase before', async () => {
  const auditor = as(await person(server, 'auditor', await statements('audit')));
  const fixer = as(await person(server, 'fixer', await statements('remediate')));
  const undoer = as(await person(server, 'undoer', await statements('backout')));

  const audited = await auditor('audit', '--region', region, '--format', 'json');
  assert.equal(audited.code, 3, audited.stderr);
  assert.equal(JSON.parse(audited.stdout).totals.by_verdict.FAIL, 1);
  assert.equal((await auditor('plan', '--region', region, '--out', file('plan'))).code, 0);
  const refused = await auditor('apply', file('plan'), '--auto-approve', '--journal', file('no'));
  assert.equal(refused.code, 5, 'an auditor cannot apply');

  const applied = await fixer('apply', file('plan'), '--auto-approve', '--journal', file('journal'));
  assert.equal(applied.code, 0, applied.stderr + applied.stdout);
  assert.equal((await fixer('verify', '--journal', file('journal'))).code, 0);
  assert.equal((await fixer('audit', '--region', region)).code, 0);
  const kept = await fixer('backout', '--journal', file('journal'), '--auto-approve', '--reason', 'x');
  assert.equal(kept.code, 5, 'who remediates cannot back out');

  const back = await undoer('backout', '--journal', file('journal'), '--auto-approve', '--reason',
    'a test');
  assert.equal(back.code, 0, back.stderr + back.stdout);
});

test('no action of a policy is one too many', async () => {
  const all = await statements('audit');
  const needed = all.flatMap((each) => each.Action).filter((name) => !['kms:ListResourceTags', 'kms:ListKeyRotations'].includes(name));
  for (const missing of needed) {
    const rest = all.map((each) => ({ ...each,
      Action: each.Action.filter((action) => action !== missing) }))
      .filter((each) => each.Action.length > 0);
    const keys = await person(server, `less-${missing.slice(4).toLowerCase()}`, rest);
    const { code, stdout } = await as(keys)('audit', '--region', region, '--format', 'json');
    if (missing === 'kms:ListAliases') {
      assert.equal(code, 3, 'names are a comfort, not a need');
      assert.ok(!stdout.includes('alias/'), 'no names without ListAliases');
    } else {
      assert.equal(code, 4, `without ${missing} something cannot be judged`);
    }
  }
});

test('the same document for CloudFormation and for Terraform', async () => {
  for (const purpose of ['audit', 'remediate', 'backout']) {
    const document = JSON.parse(await printed(purpose));
    const template = JSON.parse(await printed(purpose, 'cloudformation'));
    const [role] = Object.values(template.Resources);
    assert.equal(role.Type, 'AWS::IAM::Role');
    assert.deepEqual(role.Properties.Policies[0].PolicyDocument, document);
    const terraform = await printed(purpose, 'terraform');
    const body = /policy = <<-JSON\n([^]*)\n {2}JSON\n/.exec(terraform)[1];
    assert.deepEqual(JSON.parse(body), document);
  }
});
