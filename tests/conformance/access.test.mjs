// Access: conditions, grants, roles and accounts, as a client of AWS sees them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, account, failure, region } from '../lib/server.mjs';
import { person, putPolicy } from '../lib/people.mjs';
import { call } from '../lib/raw.mjs';

const root = `arn:aws:iam::${account}:root`;
const everything = [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }];
const delegate = { Sid: 'Account', Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*',
  Resource: '*' };
let server;
let client;
let anna;
let greta;

const send = (command, as = client) => as.send(command);
const policy = (...statements) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const userArn = (name, of = account) => `arn:aws:iam::${of}:user/${name}`;

// newKey makes a key whose policy delegates to the account and has these statements too.
async function newKey(statements = [], more = {}) {
  const { KeyMetadata } = await send(new kms.CreateKeyCommand({
    Policy: policy(delegate, ...statements), ...more }));
  return KeyMetadata;
}

async function denied(promise, pattern = /is not authorized to perform/) {
  const error = await failure(promise);
  assert.equal(error.name, 'AccessDeniedException', error.message);
  assert.match(error.message, pattern);
}

before(async () => {
  server = await Server.start();
  client = server.client();
  anna = server.client({ credentials: await person(server, 'anna') });
});
after(async () => {
  for (const each of [client, anna, greta]) each?.destroy();
  await server.stop();
});

const allow = (Action, Condition, more = {}) => ({ Effect: 'Allow', Principal:
  { AWS: userArn('anna') }, Action, Resource: '*', Condition, ...more });
const deny = (Action, Condition) => ({ ...allow(Action, Condition), Effect: 'Deny' });
const Plaintext = Buffer.from('text');

test('a condition on the encryption context decides who may decrypt', async () => {
  const { KeyId } = await newKey([allow(['kms:Encrypt', 'kms:Decrypt'], {
    StringEquals: { 'kms:EncryptionContext:Department': 'pay' },
    'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['Department', 'Run'] } })]);
  const EncryptionContext = { department: 'pay' };
  await denied(send(new kms.EncryptCommand({ KeyId, Plaintext }), anna));
  await denied(send(new kms.EncryptCommand({ KeyId, Plaintext,
    EncryptionContext: { Department: 'hr' } }), anna));
  await denied(send(new kms.EncryptCommand({ KeyId, Plaintext,
    EncryptionContext: { Department: 'pay', Other: 'x' } }), anna));
  // The key of a context pair has no case in the condition's name, but has in ...ContextKeys.
  await denied(send(new kms.EncryptCommand({ KeyId, Plaintext, EncryptionContext }), anna));
  const context = { Department: 'pay', Run: '7' };
  const { CiphertextBlob } = await send(new kms.EncryptCommand(
    { KeyId, Plaintext, EncryptionContext: context }), anna);
  const opened = await send(new kms.DecryptCommand({ CiphertextBlob,
    EncryptionContext: context }), anna);
  assert.deepEqual(Buffer.from(opened.Plaintext), Plaintext);
});

test('conditions on the properties, tags and aliases of a key', async () => {
  const { KeyId } = await newKey([
    allow('kms:DescribeKey', { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT',
      'kms:KeyUsage': 'ENCRYPT_DECRYPT', 'kms:KeyOrigin': 'AWS_KMS',
      'aws:ResourceTag/Team': 'red', 'aws:ResourceAccount': account },
    Bool: { 'kms:MultiRegion': 'false' } }),
    allow('kms:GetKeyPolicy', { 'ForAnyValue:StringLike':
      { 'kms:ResourceAliases': 'alias/access/*' } }),
    allow('kms:Encrypt', { StringEquals: { 'kms:RequestAlias': 'alias/access/main' } }),
  ], { Tags: [{ TagKey: 'team', TagValue: 'blue' }] });
  await denied(send(new kms.DescribeKeyCommand({ KeyId }), anna));
  await send(new kms.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'team', TagValue: 'red' }] }));
  await send(new kms.DescribeKeyCommand({ KeyId }), anna);
  await denied(send(new kms.GetKeyPolicyCommand({ KeyId }), anna));
  await send(new kms.CreateAliasCommand({ AliasName: 'alias/access/main', TargetKeyId: KeyId }));
  await send(new kms.GetKeyPolicyCommand({ KeyId }), anna);
  await denied(send(new kms.EncryptCommand({ KeyId, Plaintext }), anna));
  await send(new kms.EncryptCommand({ KeyId: 'alias/access/main', Plaintext }), anna);
});

test('conditions on what a request asks for', async () => {
  const { KeyId } = await newKey([
    allow('kms:EnableKeyRotation', { NumericLessThanEquals: { 'kms:RotationPeriodInDays': 365 } }),
    allow('kms:ScheduleKeyDeletion', { NumericGreaterThanEquals:
      { 'kms:ScheduleKeyDeletionPendingWindowInDays': '30' } }),
    allow(['kms:TagResource', 'kms:UntagResource'], { 'ForAllValues:StringEquals':
      { 'aws:TagKeys': ['cost', 'team'] },
    StringEqualsIfExists: { 'aws:RequestTag/team': ['red', 'blue'] } }),
    allow('kms:PutKeyPolicy', { Bool: { 'kms:BypassPolicyLockoutSafetyCheck': false } }),
  ]);
  await denied(send(new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 400 }), anna));
  await send(new kms.EnableKeyRotationCommand({ KeyId }), anna);
  const tag = (TagKey, TagValue) => new kms.TagResourceCommand({ KeyId,
    Tags: [{ TagKey, TagValue }] });
  await send(tag('team', 'red'), anna);
  await denied(send(tag('team', 'green'), anna));
  await denied(send(tag('owner', 'x'), anna));
  await send(new kms.UntagResourceCommand({ KeyId, TagKeys: ['team'] }), anna);
  await denied(send(new kms.UntagResourceCommand({ KeyId, TagKeys: ['owner'] }), anna));
  await denied(send(new kms.PutKeyPolicyCommand({ KeyId, Policy: policy(delegate),
    BypassPolicyLockoutSafetyCheck: true }), anna));
  await denied(send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }), anna));
  await send(new kms.ScheduleKeyDeletionCommand({ KeyId }), anna);
});

test('CreateKey is limited by the properties of the key to be', async () => {
  await putPolicy(server, 'anna', [{ Effect: 'Allow', Action: ['kms:CreateKey', 'kms:PutKeyPolicy',
    'kms:TagResource'], Resource: '*', Condition: { Bool: { 'kms:MultiRegion': 'false' },
    StringEqualsIfExists: { 'aws:RequestTag/env': 'test' } } }]);
  const make = (input) => send(new kms.CreateKeyCommand(input), anna);
  await make({});
  await make({ Tags: [{ TagKey: 'env', TagValue: 'test' }] });
  await denied(make({ Tags: [{ TagKey: 'env', TagValue: 'prod' }] }));
  await denied(make({ MultiRegion: true }));
});

test('conditions on the connection, the caller and the time', async () => {
  const { KeyId } = await newKey([
    allow('kms:DescribeKey', { IpAddress: { 'aws:SourceIp': ['127.0.0.0/8', '::1'] },
      Bool: { 'aws:SecureTransport': 'false', 'aws:PrincipalIsAWSService': 'false' },
      DateGreaterThan: { 'aws:CurrentTime': '2024-01-01T00:00:00Z' },
      NumericGreaterThan: { 'aws:EpochTime': '1700000000' },
      StringEquals: { 'aws:PrincipalAccount': account, 'kms:CallerAccount': account,
        'aws:username': 'anna', 'aws:PrincipalType': 'User', 'aws:RequestedRegion': region },
      ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::*:user/an*` },
      StringLike: { 'aws:userid': 'AIDA*' },
      Null: { 'kms:ViaService': 'true', 'aws:MultiFactorAuthPresent': 'true' } }),
    allow('kms:ListResourceTags', { NotIpAddress: { 'aws:SourceIp': '127.0.0.1' } }),
    allow('kms:GetKeyPolicy', { DateLessThan: { 'aws:CurrentTime': '2024-01-01' } }),
    allow('kms:Encrypt', { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } }),
    deny('kms:GetKeyRotationStatus', { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } }),
  ]);
  await send(new kms.DescribeKeyCommand({ KeyId }), anna);
  await denied(send(new kms.ListResourceTagsCommand({ KeyId }), anna));
  await denied(send(new kms.GetKeyPolicyCommand({ KeyId }), anna));
  await denied(send(new kms.EncryptCommand({ KeyId, Plaintext }), anna));
  await denied(send(new kms.GetKeyRotationStatusCommand({ KeyId }), anna), /explicit deny/);
});

test('ReEncrypt: each side has its own context, and both may be one key', async () => {
  const { KeyId } = await newKey([
    allow('kms:ReEncryptFrom', { StringEquals: { 'kms:EncryptionContext:side': 'from' } }),
    allow('kms:ReEncryptTo', { StringEquals: { 'kms:EncryptionContext:side': 'to' },
      Bool: { 'kms:ReEncryptOnSameKey': 'true' } })]);
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext,
    EncryptionContext: { side: 'from' } }));
  const again = (to, key = KeyId) => send(new kms.ReEncryptCommand({ CiphertextBlob,
    DestinationKeyId: key, SourceEncryptionContext: { side: 'from' },
    DestinationEncryptionContext: { side: to } }), anna);
  await again('to');
  await denied(again('from'), /kms:ReEncryptTo/);
});

test('ReEncrypt on the same key, where the ciphertext does not say which that is', async () => {
  const never = { Effect: 'Deny', Principal: '*', Action: 'kms:ReEncrypt*', Resource: '*',
    Condition: { Bool: { 'kms:ReEncryptOnSameKey': 'true' } } };
  const SourceEncryptionAlgorithm = 'RSAES_OAEP_SHA_256';
  const rsa = await newKey([never], { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' });
  const { KeyId: other } = await newKey();
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId: rsa.KeyId, Plaintext,
    EncryptionAlgorithm: SourceEncryptionAlgorithm }));
  const again = (input) => send(new kms.ReEncryptCommand({ CiphertextBlob,
    SourceEncryptionAlgorithm, SourceKeyId: rsa.KeyId, ...input }));
  await again({ DestinationKeyId: other });
  await denied(again({ DestinationKeyId: rsa.Arn, DestinationEncryptionAlgorithm:
    'RSAES_OAEP_SHA_1' }), /explicit deny/);
  const { KeyId } = await newKey([never]);
  // The SDK does not know DryRunModifiers yet.
  const dry = (DestinationKeyId) => call(server, 'ReEncrypt', { SourceKeyId: KeyId,
    DestinationKeyId, DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] });
  await denied(dry(KeyId), /explicit deny/);
  assert.equal((await failure(dry(other))).name, 'DryRunOperationException');
});

test('policy variables in conditions and resources', async () => {
  const { KeyId } = await newKey([allow('kms:Encrypt', { StringEquals:
    { 'kms:EncryptionContext:user': '${aws:username}' } }, { Principal: '*' })]);
  const encrypt = (user) => send(new kms.EncryptCommand({ KeyId, Plaintext,
    EncryptionContext: { user } }), anna);
  await encrypt('anna');
  await denied(encrypt('${aws:username}'));
  await putPolicy(server, 'anna', [{ Effect: 'Allow', Action: 'kms:CreateAlias', Resource:
    [`arn:aws:kms:*:*:alias/\${aws:username}/*`, `arn:aws:kms:*:${account}:key/*`] }]);
  const alias = (AliasName) => send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: KeyId }),
    anna);
  await alias('alias/anna/one');
  await denied(alias('alias/eve/one'));
});

test('NotPrincipal denies all others', async () => {
  const { KeyId } = await newKey([{ Effect: 'Deny', NotPrincipal: { AWS: [root, userArn('anna'),
    userArn('admin')] }, Action: 'kms:DescribeKey', Resource: '*' }]);
  const bob = server.client({ credentials: await person(server, 'bob', everything) });
  await putPolicy(server, 'anna', everything);
  await send(new kms.DescribeKeyCommand({ KeyId }), anna);
  await denied(send(new kms.DescribeKeyCommand({ KeyId }), bob),
    /with an explicit deny in a resource-based policy/);
  bob.destroy();
});

test('malformed policies are refused and change nothing', async () => {
  const { KeyId } = await newKey();
  const { Policy } = await send(new kms.GetKeyPolicyCommand({ KeyId }));
  for (const statement of [
    allow('kms:Encrypt', { StringIs: { 'kms:KeySpec': 'x' } }),
    allow('kms:Encrypt', { Bool: { 'aws:SecureTransport': 'perhaps' } }),
    allow('kms:Encrypt', { IpAddress: { 'aws:SourceIp': '300.0.0.1' } }),
    allow('kms:Encrypt', { StringEquals: { 'kms:KeySpec': '${aws:username' } }),
    allow('s3:GetObject', {}),
    { ...allow('kms:Encrypt', {}), NotPrincipal: { AWS: root } },
  ]) {
    const error = await failure(send(new kms.PutKeyPolicyCommand({ KeyId,
      Policy: policy(delegate, statement) })));
    assert.equal(error.name, 'MalformedPolicyDocumentException', JSON.stringify(statement));
  }
  const lockout = await failure(send(new kms.PutKeyPolicyCommand({ KeyId, Policy: policy(
    { ...delegate, Condition: { StringEquals: { 'aws:username': 'nobody' } } }) })));
  assert.equal(lockout.message,
    'The new key policy will not allow you to update the key policy in the future.');
  assert.equal((await send(new kms.GetKeyPolicyCommand({ KeyId }))).Policy, Policy);
});

test('the lockout safety check sees the tags of the key', async () => {
  const Tags = [{ TagKey: 'team', TagValue: 'red' }];
  const red = { StringEquals: { 'aws:ResourceTag/team': 'red' } };
  const opens = policy({ ...delegate, Condition: red });
  const locks = policy(delegate, { ...delegate, Sid: 'Never', Effect: 'Deny', Principal: '*',
    Action: 'kms:PutKeyPolicy', Condition: red });
  const refused = async (promise) => assert.equal((await failure(promise)).message,
    'The new key policy will not allow you to update the key policy in the future.');
  const create = (Policy, more = {}) => send(new kms.CreateKeyCommand({ Policy, ...more }));
  await refused(create(locks, { Tags }));
  await refused(create(opens));
  const { KeyMetadata: { KeyId } } = await create(opens, { Tags });
  const put = (Policy) => send(new kms.PutKeyPolicyCommand({ KeyId, Policy }));
  await refused(put(locks));
  await put(opens);
  await put(policy(delegate));
  await send(new kms.UntagResourceCommand({ KeyId, TagKeys: ['team'] }));
  await refused(put(opens));
  await put(locks);
});

test('? in a pattern stands for a character, not for a byte', async () => {
  const { KeyId } = await newKey([{ Effect: 'Deny', Principal: '*', Action: 'kms:Encrypt',
    Resource: '*', Condition: { StringLike: { 'kms:EncryptionContext:name': 'caf?' } } }]);
  const encrypt = (name) => send(new kms.EncryptCommand({ KeyId, Plaintext,
    EncryptionContext: { name } }));
  await denied(encrypt('caf\u00e9'), /explicit deny/);
  await denied(encrypt('cafe'), /explicit deny/);
  await encrypt('caf\u00e9s');
});

test('who may not use a key of another account does not learn whether there is one', async () => {
  const other = '444455556666';
  const at = ['--account', other];
  const eve = server.client({ credentials: await person(server, 'eve', everything, ...at) });
  const none = server.client({ credentials: await person(server, 'none', [{ Effect: 'Deny',
    Action: 'kms:*', Resource: '*' }], ...at) });
  const { Arn } = await newKey();
  const missing = `${Arn.slice(0, -4)}${Arn.endsWith('0000') ? '1111' : '0000'}`;
  await send(new kms.CreateAliasCommand({ AliasName: 'alias/access/secret', TargetKeyId: Arn }));
  const aliases = Arn.replace(/key\/.*/, 'alias/access/');
  for (const as of [eve, none]) {
    const texts = new Set();
    for (const KeyId of [Arn, missing, `${aliases}secret`, `${aliases}missing`]) {
      texts.add((await failure(send(new kms.EncryptCommand({ KeyId, Plaintext }), as))).message);
    }
    assert.equal(texts.size, 1, [...texts].join());
  }
  // A key that its owner has opened to the account is no secret.
  const open = await newKey([{ Effect: 'Allow', Principal: { AWS: other }, Action: 'kms:*',
    Resource: '*' }]);
  await denied(send(new kms.EncryptCommand({ KeyId: open.Arn, Plaintext }), none),
    /with an explicit deny in an identity-based policy/);
  for (const each of [eve, none]) each.destroy();
});

// --- Grants ---------------------------------------------------------------------------------

const grant = (KeyId, more = {}) => send(new kms.CreateGrantCommand({ KeyId,
  GranteePrincipal: userArn('greta'), Operations: ['Encrypt', 'Decrypt'], ...more }));

test('a grant lets its grantee use a key at once, and no longer when it is revoked', async () => {
  greta = server.client({ credentials: await person(server, 'greta') });
  const { KeyId, Arn } = await newKey();
  const encrypt = (more = {}) => send(new kms.EncryptCommand({ KeyId, Plaintext, ...more }), greta);
  await denied(encrypt(), /because no identity-based policy allows the kms:Encrypt action/);
  const { GrantId, GrantToken } = await grant(KeyId, { Name: 'app' });
  assert.match(GrantId, /^[0-9a-f]{64}$/);
  assert.match(GrantToken, /^[A-Za-z0-9+/=]{1,8192}$/);
  await encrypt();
  await encrypt({ GrantTokens: [GrantToken] });
  await denied(send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }), greta));
  const again = await grant(KeyId, { Name: 'app' });
  assert.equal(again.GrantId, GrantId, 'a name and the same content make a retry');
  assert.notEqual(again.GrantToken, GrantToken);
  const other = await grant(KeyId, { Name: 'app', Operations: ['Encrypt'] });
  assert.notEqual(other.GrantId, GrantId);
  const { Grants, Truncated } = await send(new kms.ListGrantsCommand({ KeyId, GrantId }));
  assert.equal(Truncated, false);
  assert.deepEqual(Grants.map(({ CreationDate, ...rest }) => rest), [{ KeyId: Arn, GrantId,
    Name: 'app', GranteePrincipal: userArn('greta'), IssuingAccount: root,
    Operations: ['Encrypt', 'Decrypt'] }]);
  await send(new kms.RevokeGrantCommand({ KeyId, GrantId: other.GrantId }));
  await encrypt();
  await send(new kms.RevokeGrantCommand({ KeyId, GrantId }));
  await denied(encrypt());
  const token = await failure(encrypt({ GrantTokens: [GrantToken] }));
  assert.match(token.name, /InvalidGrantToken|AccessDenied/);
  const gone = await failure(send(new kms.RevokeGrantCommand({ KeyId, GrantId })));
  assert.equal(gone.name, 'NotFoundException');
});

test('grant constraints: equals, subset, and DescribeKey which has no context', async () => {
  const { KeyId } = await newKey();
  const Operations = ['Encrypt', 'DescribeKey'];
  const encrypt = (EncryptionContext) => send(new kms.EncryptCommand({ KeyId, Plaintext,
    EncryptionContext }), greta);
  for (const kind of ['EncryptionContextEquals', 'EncryptionContextSubset']) {
    const twins = await failure(grant(KeyId, { Operations, Constraints: { [kind]: { Team: 'red', team: 'red' } } }));
    assert.equal(twins.name, 'ValidationException');
  }
  const equals = await grant(KeyId, { Operations,
    Constraints: { EncryptionContextEquals: { Team: 'red', Run: '1' } } });
  await encrypt({ team: 'red', run: '1' });
  await denied(encrypt({ Team: 'red' }));
  await denied(encrypt({ Team: 'red', Run: '1', More: 'x' }));
  await denied(encrypt({ Team: 'RED', Run: '1' }));
  await send(new kms.DescribeKeyCommand({ KeyId }), greta);
  await send(new kms.RevokeGrantCommand({ KeyId, GrantId: equals.GrantId }));
  await grant(KeyId, { Operations, Constraints: { EncryptionContextSubset: { Team: 'red' } } });
  await encrypt({ Team: 'red', More: 'x' });
  await denied(encrypt({ More: 'x' }));
  await denied(encrypt({ Team: 'red', team: 'red' }));
  await denied(encrypt({ TEAM: 'blue', Tram: '1', more: 'x', team: 'red' }));
  await denied(encrypt(undefined));
  const { Grants } = await send(new kms.ListGrantsCommand({ KeyId }));
  assert.deepEqual(Grants[0].Constraints, { EncryptionContextSubset: { Team: 'red' } });
  await denied(encrypt({ TEAM: 'blue', run: '2' }));
  await grant(KeyId, { Operations, Constraints: { EncryptionContextSubset: { team: 'blue', Run: '2' } } });
  await encrypt({ TEAM: 'blue', run: '2' });
  await denied(encrypt({ TEAM: 'blue', run: '1' }));
  await encrypt({ TEAM: 'red', run: '1' });
});

test('a Deny of the key policy holds against a grant', async () => {
  const { KeyId } = await newKey([{ Effect: 'Deny', Principal: { AWS: userArn('greta') },
    Action: 'kms:Decrypt', Resource: '*' }]);
  await grant(KeyId);
  const { CiphertextBlob } = await send(new kms.EncryptCommand({ KeyId, Plaintext }), greta);
  await denied(send(new kms.DecryptCommand({ CiphertextBlob }), greta),
    /with an explicit deny in a resource-based policy/);
});

test('a grant is retired by its retiring principal, by its grantee, or by an identity', async () => {
  const { KeyId } = await newKey();
  const ralf = server.client({ credentials: await person(server, 'ralf') });
  const RetiringPrincipal = userArn('ralf');
  const one = await grant(KeyId, { RetiringPrincipal });
  const two = await grant(KeyId, { Operations: ['RetireGrant'] });
  const three = await grant(KeyId);
  const retire = (input, as) => send(new kms.RetireGrantCommand(input), as);
  await putPolicy(server, 'ralf', [{ Effect: 'Allow', Action: 'kms:ListRetirableGrants',
    Resource: '*' }]);
  const list = await send(new kms.ListRetirableGrantsCommand({ RetiringPrincipal }), ralf);
  assert.deepEqual(list.Grants.map((each) => each.GrantId), [one.GrantId]);
  await denied(retire({ KeyId, GrantId: one.GrantId }, greta));
  const dry = await failure(retire({ KeyId, GrantId: one.GrantId, DryRun: true }, ralf));
  assert.equal(dry.name, 'DryRunOperationException');
  await retire({ GrantToken: one.GrantToken }, ralf);
  await denied(retire({ KeyId, GrantId: two.GrantId }, ralf));
  await retire({ KeyId, GrantId: two.GrantId }, greta);
  await denied(retire({ KeyId, GrantId: three.GrantId }, greta));
  await retire({ KeyId, GrantId: three.GrantId });
  assert.deepEqual((await send(new kms.ListGrantsCommand({ KeyId }))).Grants, []);
  for (const input of [{}, { KeyId }, { GrantToken: 'x', KeyId }]) {
    assert.equal((await failure(retire(input, ralf))).name, 'ValidationException');
  }
  const forged = await failure(retire({ GrantToken: 'AAAA' }, ralf));
  assert.equal(forged.name, 'InvalidGrantTokenException');
  ralf.destroy();
});

test('a grantee may pass on what it has, and nothing more', async () => {
  const { KeyId } = await newKey();
  await grant(KeyId, { Operations: ['CreateGrant', 'Encrypt'],
    Constraints: { EncryptionContextSubset: { team: 'red' } } });
  await grant(KeyId, { Operations: ['Decrypt'] });
  const pass = (Operations, Constraints) => send(new kms.CreateGrantCommand({ KeyId, Operations,
    GranteePrincipal: userArn('anna'), Constraints }), greta);
  const narrow = { EncryptionContextSubset: { Team: 'red', run: '1' } };
  await denied(pass(['Encrypt']));
  await denied(pass(['Encrypt', 'Decrypt'], narrow));
  await denied(pass(['Encrypt'], { EncryptionContextSubset: { team: 'blue' } }));
  await pass(['Encrypt'], narrow);
  await pass(['Encrypt'], { EncryptionContextEquals: { team: 'red' } });
});

test('CreateGrant: conditions, refusals and states', async () => {
  const { KeyId } = await newKey([allow('kms:CreateGrant', { 'ForAllValues:StringEquals':
    { 'kms:GrantOperations': ['Encrypt', 'DescribeKey'] }, StringEquals:
    { 'kms:GranteePrincipal': userArn('greta'), 'kms:GrantConstraintType':
      'EncryptionContextSubset' }, Bool: { 'kms:GrantIsForAWSResource': 'false' } }),
  deny('kms:CreateGrant', { Null: { 'kms:RetiringPrincipal': 'false' } })]);
  await putPolicy(server, 'anna', [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]);
  const make = (more) => send(new kms.CreateGrantCommand({ KeyId, Operations: ['Encrypt'],
    GranteePrincipal: userArn('greta'), Constraints: { EncryptionContextSubset: { a: 'b' } },
    ...more }), anna);
  await make({});
  await denied(make({ Operations: ['Encrypt', 'Decrypt'] }));
  await denied(make({ GranteePrincipal: userArn('anna') }));
  await denied(make({ Constraints: undefined }));
  await denied(make({ RetiringPrincipal: userArn('anna') }), /explicit deny/);
  const refused = async (input, name, pattern) => {
    const error = await failure(grant(KeyId, input));
    assert.equal(error.name, name, error.message);
    assert.match(error.message, pattern);
  };
  await refused({ GranteePrincipal: userArn('nobody') }, 'InvalidArnException',
    /^ARN does not refer to a valid principal: arn:aws:iam::.*:user\/nobody$/);
  await refused({ GranteePrincipal: 'greta' }, 'InvalidArnException', /^ARN is not valid: greta$/);
  await refused({ Operations: ['Sign'] }, 'ValidationException', new RegExp(
    '^Operations \\[Sign\\] are not supported when creating a grant for a symmetric KMS key with '
    + 'key usage ENCRYPT_DECRYPT. Valid operations are \\[CreateGrant, RetireGrant, '));
  await refused({ Operations: [] }, 'ValidationException', /operations/);
  await refused({ DryRun: true }, 'DryRunOperationException', /would have succeeded/);
  await send(new kms.DisableKeyCommand({ KeyId }));
  await refused({}, 'DisabledException', /is disabled\.$/);
  const alias = await failure(grant('alias/nothing'));
  assert.equal(alias.name, 'InvalidArnException');
});

test('grants page, survive a crash, and go with their key', async () => {
  const { KeyId } = await newKey();
  const ids = [];
  for (let i = 0; i < 7; i += 1) ids.push((await grant(KeyId)).GrantId);
  assert.equal(new Set(ids).size, 7, 'without a name every call makes a grant');
  const listed = [];
  let Marker;
  do {
    const page = await send(new kms.ListGrantsCommand({ KeyId, Limit: 3, Marker,
      GranteePrincipal: userArn('greta') }));
    assert.ok(page.Grants.length <= 3);
    listed.push(...page.Grants.map((each) => each.GrantId));
    Marker = page.NextMarker;
  } while (Marker);
  assert.deepEqual(listed, [...ids].sort());
  const unknown = await failure(send(new kms.ListGrantsCommand({ KeyId, GrantId: 'x' })));
  assert.equal(unknown.name, 'InvalidGrantIdException');
  await server.kill();
  await server.launch();
  const later = server.client();
  const after = await send(new kms.ListGrantsCommand({ KeyId }), later);
  later.destroy();
  assert.deepEqual(after.Grants.map((each) => each.GrantId), [...ids].sort());
});
