// keyturn policy explain: the same decision as the server's, and the statement behind it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, account, failure, region, run } from '../lib/server.mjs';
import { person, withFile } from '../lib/people.mjs';

const root = `arn:aws:iam::${account}:root`;
const anna = `arn:aws:iam::${account}:user/anna`;
const explain = (...args) => run(['policy', 'explain', '--principal', anna, ...args]);

test('a data directory: policies, grants and conditions, as the server decided', async () => {
  const server = await Server.start();
  const client = server.client();
  const as = server.client({ credentials: await person(server, 'anna', [{ Effect: 'Allow',
    Action: ['kms:Encrypt', 'kms:Decrypt'], Resource: '*' }]) });
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [
    { Sid: 'Account', Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
    { Sid: 'NoSecrets', Effect: 'Deny', Principal: { AWS: '*' }, Action: 'kms:Decrypt',
      Resource: '*', Condition: { StringEquals: { 'kms:EncryptionContext:kind': 'secret' } } }] });
  const { KeyMetadata: { KeyId, Arn } } = await client.send(new kms.CreateKeyCommand({ Policy }));
  await client.send(new kms.CreateAliasCommand({ AliasName: 'alias/pay', TargetKeyId: KeyId }));
  const { GrantId } = await client.send(new kms.CreateGrantCommand({ KeyId,
    GranteePrincipal: anna, Operations: ['GenerateDataKey'] }));
  const asked = [
    ['kms:Encrypt', []],
    ['kms:Decrypt', ['--context', 'kms:EncryptionContext:kind=secret']],
    ['kms:GenerateDataKey', []],
    ['kms:DisableKey', []],
  ];
  const EncryptionContext = { kind: 'secret' };
  const { CiphertextBlob } = await as.send(new kms.EncryptCommand({ KeyId,
    Plaintext: Buffer.from('x'), EncryptionContext }));
  await as.send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  const denials = {
    'kms:Decrypt': await failure(as.send(new kms.DecryptCommand({ CiphertextBlob,
      EncryptionContext }))),
    'kms:DisableKey': await failure(as.send(new kms.DisableKeyCommand({ KeyId }))),
  };
  client.destroy();
  as.destroy();
  await server.kill('SIGTERM');
  const decisions = {};
  for (const [action, more] of asked) {
    const done = await explain('--data-dir', server.dataDir, '--action', action, '--resource',
      'alias/pay', '--region', region, ...more);
    decisions[action] = done.stdout;
    assert.equal(done.code, denials[action] ? 3 : 0, done.stderr);
    const [first, second] = done.stdout.split('\n');
    assert.equal(first, `${anna} ${action} ${Arn}`);
    if (denials[action]) {
      assert.ok(denials[action].message.endsWith(second.replace('denied ', '')), second);
    } else {
      assert.equal(second, 'allowed');
    }
  }
  assert.match(decisions['kms:Encrypt'],
    /^decided by key policy, Statement\[0\] \(Account\); user anna, policy main, Statement\[0\]$/m);
  assert.match(decisions['kms:Encrypt'], /Deny {3}Statement\[1\] \(NoSecrets\): is about other/);
  assert.match(decisions['kms:Decrypt'], /^decided by key policy, Statement\[1\] \(NoSecrets\)$/m);
  assert.match(decisions['kms:GenerateDataKey'], new RegExp(`^decided by grant ${GrantId}$`, 'm'));
  assert.match(decisions['kms:DisableKey'], /^decided by no statement: nothing allows it$/m);
  const unknown = await explain('--data-dir', server.dataDir, '--action', 'kms:Encrypt',
    '--resource', 'alias/none', '--region', region);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no key 'alias\/none'/);
});

test('policy files', async () => {
  const document = (...Statement) => ({ Version: '2012-10-17', Statement });
  const arn = `arn:aws:kms:${region}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
  await withFile(document({ Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*',
    Resource: '*' }), (key) => withFile(document({ Effect: 'Allow', Action: 'kms:*',
    Resource: '*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }), async (own) => {
    const ask = (...more) => explain('--key-policy', key, '--identity-policy', own, '--action',
      'kms:Encrypt', '--resource', arn, ...more);
    const inside = await ask('--context', 'aws:SourceIp=10.1.2.3');
    assert.equal(inside.code, 0, inside.stderr);
    const outside = await ask('--context', 'aws:SourceIp=192.0.2.1');
    assert.equal(outside.code, 3);
    assert.match(outside.stdout, /the condition IpAddress aws:SourceIp does not hold/);
    await withFile(document({ Effect: 'Allow', Action: 's3:*', Resource: '*' }), async (limit) => {
      const limited = await ask('--context', 'aws:SourceIp=10.1.2.3', '--boundary', limit);
      assert.match(limited.stdout, /^denied because no permissions boundary allows/m);
    });
    await withFile('{', async (broken) => {
      const bad = await ask('--session-policy', broken);
      assert.equal(bad.code, 1);
      assert.match(bad.stderr, /not valid JSON/);
    });
  }));
  const wrong = await explain('--action', 'kms:Encrypt', '--resource', '*', '--context', 'x');
  assert.match(wrong.stderr, /'x' is not KEY=VALUE/);
});
