// Roles and STS: who may become whom, what temporary credentials may do, and when they end.
import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import * as kms from '@aws-sdk/client-kms';
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient }
  from '@aws-sdk/nested-clients/sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { Server, account, credentials, failure, region, run } from '../lib/server.mjs';
import { admin, person, putPolicy, withFile } from '../lib/people.mjs';
import { trailRecords } from '../lib/trail.mjs';

const root = `arn:aws:iam::${account}:root`;
const partner = '444455556666';
const issuer = 'id.example.com/team';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const statement = (Effect, Action, more = {}) => ({ Effect, Action, Resource: '*', ...more });
const document = (...Statement) => ({ Version: '2012-10-17', Statement });
const trust = (Principal, Action, Condition) => document({ Effect: 'Allow', Principal, Action,
  ...(Condition && { Condition }) });
const roleArn = (name, of = account) => `arn:aws:iam::${of}:role/${name}`;
const userArn = (name, of = account) => `arn:aws:iam::${of}:user/${name}`;

let server;
let client;
let anna;
let annaCredentials;
const open = [];

const organisation = {
  accounts: {
    [account]: {
      groups: { crypto: { policies: { use: document(statement('Allow', ['kms:Encrypt',
        'kms:GenerateDataKey'])) } } },
      users: {
        anna: { tags: { team: 'red' }, policies: { assume: document(statement('Allow', 'sts:*')) } },
        gus: { groups: ['crypto'] },
        bert: { policies: { all: document(statement('Allow', 'kms:*')) },
          boundary: document(statement('Allow', ['kms:Describe*', 'kms:CreateKey'])) },
      },
      roles: {
        Ops: { path: '/team/', trust: trust({ AWS: root }, ['sts:AssumeRole', 'sts:TagSession',
          'sts:SetSourceIdentity']), policies: { use: document(statement('Allow', 'kms:*'),
          statement('Allow', 'sts:*')) }, tags: { team: 'blue' }, max_session_seconds: 7200 },
        Second: { trust: trust({ AWS: roleArn('team/Ops') }, ['sts:AssumeRole', 'sts:TagSession']),
          policies: { use: document(statement('Allow', 'kms:DescribeKey')) } },
        Boss: { trust: trust({ AWS: root }, ['sts:AssumeRole', 'sts:TagSession',
          'sts:SetSourceIdentity'], { StringEqualsIfExists: { 'sts:SourceIdentity': 'boss',
          'aws:RequestTag/cost': '2' } }) },
        External: { trust: trust({ AWS: `arn:aws:iam::${partner}:root` }, 'sts:AssumeRole',
          { StringEquals: { 'sts:ExternalId': 'secret-handshake' } }) },
        Web: { trust: trust({ Federated: `arn:aws:iam::${account}:oidc-provider/${issuer}` },
          ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'], { StringEquals:
          { [`${issuer}:sub`]: 'job-7', [`${issuer}:aud`]: 'keyturn' } }),
        policies: { use: document(statement('Allow', 'kms:DescribeKey')) } },
        Vouched: { trust: trust({ Federated: `arn:aws:iam::${account}:oidc-provider/${issuer}` },
          ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity']) },
      },
      identity_providers: { [issuer]: { audiences: ['keyturn', 'other'], key_set: { keys: [
        { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'r1', alg: 'RS256', use: 'sig' },
        { ...ec.publicKey.export({ format: 'jwk' }), kid: 'e1' }] } } },
    },
    [partner]: { users: { pia: { policies: { assume: document(statement('Allow', 'sts:AssumeRole'),
      statement('Allow', 'kms:*')) } } } },
  },
};

const apply = (what, ...flags) => withFile(what, (file) => run(['admin', 'apply', '--data-dir',
  server.dataDir, '-f', file, ...flags]));

const sts = (as) => {
  const made = new STSClient({ endpoint: server.url, region, credentials: as, maxAttempts: 1 });
  open.push(made);
  return made;
};
const toCredentials = ({ Credentials }) => ({ accessKeyId: Credentials.AccessKeyId,
  secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken });
const assume = (as, name, more = {}) => sts(as).send(new AssumeRoleCommand({
  RoleArn: roleArn(name), RoleSessionName: 'monday', ...more }));
const asRole = async (as, name, more) => {
  const made = server.client({ credentials: toCredentials(await assume(as, name, more)) });
  open.push(made);
  return made;
};

// query sends a signed Query request and returns status and text.
async function query(parameters, as, now = new Date(), tamper = (headers) => headers) {
  const url = new URL(server.url);
  const body = new URLSearchParams({ Version: '2011-06-15', ...parameters }).toString();
  const signer = new SignatureV4({ credentials: as, region, service: 'sts', sha256: Sha256 });
  const signed = await signer.sign({ method: 'POST', protocol: url.protocol, hostname: url.hostname,
    port: Number(url.port), path: '/', query: {}, headers: { host: url.host,
      'content-type': 'application/x-www-form-urlencoded' }, body }, { signingDate: now });
  const answer = await fetch(server.url, { method: 'POST', body, headers: tamper(signed.headers) });
  return { status: answer.status, type: answer.headers.get('content-type'),
    text: await answer.text() };
}
const element = (text, name) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];

before(async () => {
  server = await Server.start();
  client = server.client();
  open.push(client);
  const done = await apply(organisation);
  assert.equal(done.code, 0, done.stderr);
  annaCredentials = await admin(server, 'access-key', 'create', '--user', 'anna').then((key) =>
    ({ accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey }));
  anna = annaCredentials;
});
after(async () => {
  for (const each of open) each.destroy();
  await server.stop();
});

test('admin apply: a dry run shows the difference and changes nothing; twice is once', async () => {
  const same = await apply(organisation);
  assert.equal(same.stdout, '0 changes applied\n');
  const changed = structuredClone(organisation);
  changed.accounts[account].users.zoe = { groups: ['crypto'] };
  changed.accounts[account].users.gus.groups = [];
  changed.accounts[account].groups.crypto.policies.more = document(statement('Allow', 'kms:Sign'));
  delete changed.accounts[account].users.bert;
  const dry = await apply(changed, '--dry-run', '--prune');
  assert.equal(dry.stdout, `~ ${account} group crypto: +policy more\n~ ${account} user gus: groups\n`
    + `+ ${account} user zoe\n- ${account} user bert\n4 changes to apply (dry run)\n`);
  assert.equal((await apply(organisation)).stdout, '0 changes applied\n');
  for (const [break_, pattern] of [
    [(o) => { o.accounts[account].users.zoe = { groups: ['nobody'] }; },
      /user zoe: group nobody does not exist/],
    [(o) => { o.accounts[account].roles.Ops.trust = document(statement('Allow', 'sts:*')); },
      /role Ops: Statement\[0\]: A trust policy must not name a resource/],
    [(o) => { o.accounts[account].users.anna.polices = {}; }, /unknown member polices/],
    [(o) => { o.accounts['12'] = {}; }, /account 12 must be 12 digits/],
    [(o) => { o.accounts[account].identity_providers[issuer].key_set = { keys: [] }; },
      /must be a JWKS/],
  ]) {
    const broken = structuredClone(organisation);
    broken.accounts[account].users.first = {};
    break_(broken);
    const refused = await apply(broken);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, pattern);
  }
  const users = await admin(server, 'user', 'list');
  assert.deepEqual(users.Users.map((user) => user.UserName), ['admin', 'anna', 'bert', 'gus']);
  const yaml = await apply('accounts:\n  "111122223333":\n    users:\n      yara:\n        tags: '
    + '{team: "007"}\n');
  assert.equal(yaml.stdout, `+ ${account} user yara\n1 change applied\n`);
});

test('groups give their policies, a boundary takes away', async () => {
  const { KeyMetadata: { KeyId } } = await client.send(new kms.CreateKeyCommand({}));
  const as = async (name) => {
    const key = await admin(server, 'access-key', 'create', '--user', name);
    const made = server.client({ credentials: { accessKeyId: key.AccessKeyId,
      secretAccessKey: key.SecretAccessKey } });
    open.push(made);
    return made;
  };
  const gus = await as('gus');
  await gus.send(new kms.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  assert.equal((await failure(gus.send(new kms.DescribeKeyCommand({ KeyId })))).name,
    'AccessDeniedException');
  const bert = await as('bert');
  await bert.send(new kms.DescribeKeyCommand({ KeyId }));
  const limited = await failure(bert.send(new kms.DisableKeyCommand({ KeyId })));
  assert.match(limited.message,
    /because no permissions boundary allows the kms:DisableKey action$/);
});

test('groups, roles and boundaries one command at a time', async () => {
  const { KeyMetadata: { KeyId } } = await client.send(new kms.CreateKeyCommand({}));
  const dora = await person(server, 'dora', [statement('Allow', 'sts:AssumeRole')]);
  const as = server.client({ credentials: dora });
  open.push(as);
  const describe = (by = as) => by.send(new kms.DescribeKeyCommand({ KeyId }));
  const put = (what, ...args) => withFile(what, (file) => admin(server, ...args, '--policy-file',
    file));
  await admin(server, 'group', 'create', '--name', 'readers');
  await put(document(statement('Allow', 'kms:Describe*')), 'group', 'put-policy', '--name',
    'readers', '--policy-name', 'read');
  assert.equal((await failure(describe())).name, 'AccessDeniedException');
  await admin(server, 'group', 'add-user', '--name', 'readers', '--user', 'dora');
  await describe();
  await put(document(statement('Allow', 'sts:*')), 'user', 'put-boundary', '--name', 'dora');
  assert.match((await failure(describe())).message, /permissions boundary/);
  await admin(server, 'user', 'delete-boundary', '--name', 'dora');
  await describe();
  await admin(server, 'group', 'delete', '--name', 'readers');
  await admin(server, 'group', 'create', '--name', 'readers');
  await put(document(statement('Allow', 'kms:Describe*')), 'group', 'put-policy', '--name',
    'readers', '--policy-name', 'read');
  assert.equal((await failure(describe())).name, 'AccessDeniedException', 'a new group is empty');
  await put(trust({ AWS: root }, 'sts:AssumeRole'), 'role', 'create', '--name', 'Reader');
  await put(document(statement('Allow', 'kms:Describe*')), 'role', 'put-policy', '--name', 'Reader',
    '--policy-name', 'read');
  const reader = await asRole(dora, 'Reader');
  await describe(reader);
  await put(document(statement('Allow', 's3:*')), 'role', 'put-boundary', '--name', 'Reader');
  assert.match((await failure(describe(reader))).message, /permissions boundary/);
  await admin(server, 'role', 'delete-boundary', '--name', 'Reader');
  await put(trust({ AWS: userArn('anna') }, 'sts:AssumeRole'), 'role', 'put-trust', '--name',
    'Reader');
  assert.equal((await failure(assume(dora, 'Reader'))).name, 'AccessDenied');
  await admin(server, 'role', 'delete', '--name', 'Reader');
  assert.equal((await failure(describe(reader))).name, 'UnrecognizedClientException');
  await admin(server, 'user', 'delete', '--name', 'dora');
});

test('GetCallerIdentity tells everybody who they are', async () => {
  const user = await query({ Action: 'GetCallerIdentity' }, anna);
  assert.equal(user.status, 200);
  assert.match(user.type, /^text\/xml/);
  assert.equal(element(user.text, 'Arn'), userArn('anna'));
  assert.equal(element(user.text, 'Account'), account);
  assert.match(element(user.text, 'UserId'), /^AIDA[A-Z2-7]{17}$/);
  const role = await query({ Action: 'GetCallerIdentity' },
    toCredentials(await assume(anna, 'team/Ops')));
  assert.equal(element(role.text, 'Arn'), `arn:aws:sts::${account}:assumed-role/Ops/monday`);
  assert.match(element(role.text, 'UserId'), /^AROA[A-Z2-7]{17}:monday$/);
});

test('AssumeRole: credentials that work, within session policy and duration', async () => {
  const { KeyMetadata: { KeyId } } = await client.send(new kms.CreateKeyCommand({}));
  const given = await assume(anna, 'team/Ops', { DurationSeconds: 900 });
  assert.match(given.Credentials.AccessKeyId, /^ASIA[A-Z2-7]{16}$/);
  assert.equal(given.AssumedRoleUser.Arn, `arn:aws:sts::${account}:assumed-role/Ops/monday`);
  const left = given.Credentials.Expiration - Date.now();
  assert.ok(left > 890_000 && left <= 901_000, String(left));
  const ops = await asRole(anna, 'team/Ops');
  await ops.send(new kms.DescribeKeyCommand({ KeyId }));
  const narrow = await asRole(anna, 'team/Ops', { Policy: JSON.stringify(document(statement('Allow',
    'kms:DescribeKey'))) });
  await narrow.send(new kms.DescribeKeyCommand({ KeyId }));
  const refused = await failure(narrow.send(new kms.DisableKeyCommand({ KeyId })));
  assert.match(refused.message, new RegExp(`^User: arn:aws:sts::${account}:assumed-role/Ops/monday `
    + 'is not authorized to perform: kms:DisableKey on resource: .* because no session policy '
    + 'allows the kms:DisableKey action$'));
  const long = await failure(assume(anna, 'team/Ops', { DurationSeconds: 7201 }));
  assert.equal(long.name, 'ValidationError');
  assert.match(long.message, /exceeds the MaxSessionDuration set for this role/);
  const broken = await failure(assume(anna, 'team/Ops', { Policy: '{' }));
  assert.equal(broken.name, 'MalformedPolicyDocumentException');
});

test('AssumeRole is refused to whom either side does not let', async () => {
  const stranger = await person(server, 'sue');
  for (const [who, name] of [[stranger, 'team/Ops'], [anna, 'Nobody'], [anna, 'Ops'],
    [anna, 'External'], [anna, 'Second']]) {
    const refused = await failure(assume(who, name));
    assert.equal(refused.name, 'AccessDenied', name);
    assert.match(refused.message, new RegExp('^User: arn:aws:iam::.* is not authorized to perform: '
      + `sts:AssumeRole on resource: ${roleArn(name)}$`));
  }
});

test('another account assumes a role with the external id it was told', async () => {
  const key = await admin(server, 'access-key', 'create', '--user', 'pia', '--account', partner);
  const pia = { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
  assert.equal((await failure(assume(pia, 'External'))).name, 'AccessDenied');
  assert.equal((await failure(assume(pia, 'External', { ExternalId: 'guess' }))).name,
    'AccessDenied');
  await assume(pia, 'External', { ExternalId: 'secret-handshake' });
  // And a key of this account, which both sides must allow.
  const Policy = JSON.stringify(document(statement('Allow', 'kms:*', { Principal: { AWS: root } }),
    statement('Allow', ['kms:Encrypt', 'kms:DescribeKey'], { Principal: { AWS: partner } })));
  const { KeyMetadata: { Arn } } = await client.send(new kms.CreateKeyCommand({ Policy }));
  const across = server.client({ credentials: pia });
  open.push(across);
  await across.send(new kms.EncryptCommand({ KeyId: Arn, Plaintext: Buffer.from('x') }));
  const denied = await failure(across.send(new kms.GenerateDataKeyCommand({ KeyId: Arn,
    KeySpec: 'AES_256' })));
  assert.match(denied.message, /kms:GenerateDataKey on this resource because the resource does not /);
  const never = await failure(across.send(new kms.DisableKeyCommand({ KeyId: Arn })));
  assert.equal(never.name, 'AccessDeniedException');
});

test('session tags, transitive tags and source identity in conditions', async () => {
  const { KeyMetadata: { KeyId } } = await client.send(new kms.CreateKeyCommand({ Policy:
    JSON.stringify(document(statement('Allow', 'kms:*', { Principal: { AWS: root } }),
      statement('Deny', 'kms:DescribeKey', { Principal: { AWS: '*' }, Condition: {
        StringEquals: { 'aws:PrincipalTag/Team': 'green' } } }),
      statement('Deny', 'kms:ListGrants', { Principal: { AWS: '*' }, Condition: {
        StringEquals: { 'aws:SourceIdentity': 'anna' } } }))) }));
  const describe = (as) => as.send(new kms.DescribeKeyCommand({ KeyId }));
  await describe(await asRole(anna, 'team/Ops'));
  const tags = { Tags: [{ Key: 'team', Value: 'green' }], TransitiveTagKeys: ['team'] };
  const tagged = await asRole(anna, 'team/Ops', tags);
  assert.match((await failure(describe(tagged))).message, /explicit deny/);
  const chained = toCredentials(await assume(anna, 'team/Ops', tags));
  const second = await asRole(chained, 'Second', { DurationSeconds: 3600 });
  assert.match((await failure(describe(second))).message, /explicit deny/, 'the tag went along');
  const tooLong = await failure(assume(chained, 'Second', { DurationSeconds: 3601 }));
  assert.match(tooLong.message, /role chaining/);
  const source = await asRole(anna, 'team/Ops', { SourceIdentity: 'anna' });
  assert.match((await failure(source.send(new kms.ListGrantsCommand({ KeyId })))).message,
    /explicit deny/);
  const twice = await failure(assume(anna, 'team/Ops', { Tags: [{ Key: 'a', Value: '1' },
    { Key: 'A', Value: '2' }] }));
  assert.match(twice.message, /Duplicate tag keys found/);
});

test('what a session hands on cannot be asked for anew', async () => {
  const first = toCredentials(await assume(anna, 'team/Ops', { SourceIdentity: 'alice',
    Tags: [{ Key: 'cost', Value: '1' }, { Key: 'Team', Value: 'green' }, { Key: 'x', Value: '' }],
    TransitiveTagKeys: ['Cost', 'team'] }));
  const refused = async (more, name, message) => {
    const error = await failure(assume(first, 'Boss', more));
    assert.equal(error.name, name, error.message);
    assert.equal(error.message, message);
  };
  await refused({ SourceIdentity: 'boss' }, 'ValidationError',
    'The source identity is already set for this assume role session');
  const conflict = "One of the specified transitive tag keys can't be set because it conflicts with "
    + 'a transitive tag key from the calling session.';
  for (const Key of ['cost', 'COST', 'tEAM']) {
    await refused({ Tags: [{ Key, Value: '2' }] }, 'InvalidParameterValue', conflict);
  }
  const second = await assume(first, 'team/Ops', { SourceIdentity: 'alice',
    Tags: [{ Key: 'X', Value: 'mine' }] });
  assert.equal(second.SourceIdentity, 'alice');
  // Keys have no case: what was named transitive in other letters went along, and goes on.
  const third = await asRole(toCredentials(second), 'team/Ops');
  const { KeyMetadata: { KeyId } } = await client.send(new kms.CreateKeyCommand({ Policy:
    JSON.stringify(document(statement('Allow', 'kms:*', { Principal: { AWS: root } }),
      statement('Deny', 'kms:DescribeKey', { Principal: { AWS: '*' }, Condition: { StringEquals: {
        'aws:PrincipalTag/team': 'green', 'aws:PrincipalTag/cost': '1',
        'aws:SourceIdentity': 'alice' } } }))) }));
  assert.match((await failure(third.send(new kms.DescribeKeyCommand({ KeyId })))).message,
    /explicit deny/);
});

test('GetSessionToken: the same user, for a while', async () => {
  await putPolicy(server, 'anna', [statement('Allow', ['sts:*', 'kms:CreateKey', 'kms:ListKeys'])]);
  const got = await query({ Action: 'GetSessionToken' }, anna);
  assert.equal(got.status, 200, got.text);
  const session = { accessKeyId: element(got.text, 'AccessKeyId'),
    secretAccessKey: element(got.text, 'SecretAccessKey'),
    sessionToken: element(got.text, 'SessionToken') };
  const as = server.client({ credentials: session });
  open.push(as);
  await as.send(new kms.ListKeysCommand({}));
  const again = await query({ Action: 'GetSessionToken' }, session);
  assert.equal(again.status, 403);
  assert.match(again.text, /Cannot call GetSessionToken with session credentials/);
  const who = await query({ Action: 'GetCallerIdentity' }, session);
  assert.equal(element(who.text, 'Arn'), userArn('anna'));
});

test('a token that was touched, borrowed or left out opens nothing', async () => {
  const good = toCredentials(await assume(anna, 'team/Ops'));
  const other = toCredentials(await assume(anna, 'team/Ops'));
  const list = async (as) => {
    const made = server.client({ credentials: as });
    open.push(made);
    return failure(made.send(new kms.ListKeysCommand({})));
  };
  const bytes = Buffer.from(good.sessionToken, 'base64');
  bytes[bytes.length >> 1] ^= 1;
  for (const bad of [{ ...good, sessionToken: bytes.toString('base64') },
    { ...good, sessionToken: other.sessionToken }, { ...good, sessionToken: undefined },
    { ...good, sessionToken: 'x' }, { ...anna, sessionToken: good.sessionToken }]) {
    assert.equal((await list(bad)).name, 'UnrecognizedClientException');
  }
  assert.equal((await list({ ...good, secretAccessKey: anna.secretAccessKey })).name,
    'InvalidSignatureException');
  // A role that is made anew under the same name does not revive the sessions of the old one.
  const gone = structuredClone(organisation);
  gone.accounts[account].roles = {};
  assert.equal((await apply(gone, '--prune')).code, 0);
  assert.equal((await list(good)).name, 'UnrecognizedClientException');
  assert.equal((await apply(organisation)).code, 0);
  assert.equal((await list(good)).name, 'UnrecognizedClientException');
});

function idToken(claims, { key = rsa.privateKey, kid = 'r1', alg = 'RS256' } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg, kid, typ: 'JWT' })}.${part({ iss: `https://${issuer}`, sub: 'job-7',
    aud: 'keyturn', iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 300, ...claims })}`;
  const sign = createSign('SHA256').update(input);
  const signature = alg === 'ES256' ? sign.sign({ key, dsaEncoding: 'ieee-p1363' }) : sign.sign(key);
  return `${input}.${signature.toString('base64url')}`;
}
const web = (WebIdentityToken, more = {}) => sts(undefined).send(
  new AssumeRoleWithWebIdentityCommand({ RoleArn: roleArn('Web'), RoleSessionName: 'job',
    WebIdentityToken, ...more }));

test('AssumeRoleWithWebIdentity: tokens of the configured issuer, RS256 and ES256', async () => {
  const { KeyMetadata: { KeyId } } = await client.send(new kms.CreateKeyCommand({}));
  for (const token of [idToken({}), idToken({}, { key: ec.privateKey, kid: 'e1', alg: 'ES256' })]) {
    const given = await web(token);
    assert.equal(given.SubjectFromWebIdentityToken, 'job-7');
    assert.equal(given.Audience, 'keyturn');
    assert.equal(given.Provider, `arn:aws:iam::${account}:oidc-provider/${issuer}`);
    const as = server.client({ credentials: toCredentials(given) });
    open.push(as);
    await as.send(new kms.DescribeKeyCommand({ KeyId }));
  }
});

test('AssumeRoleWithWebIdentity: every other token is refused', async () => {
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = Math.floor(Date.now() / 1000);
  const [head, , tail] = idToken({}).split('.');
  const forged = Buffer.from(JSON.stringify({ iss: `https://${issuer}`, sub: 'job-7',
    aud: 'keyturn', exp: now + 300 })).toString('base64url');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  for (const [token, name] of [
    [idToken({}, { key: stranger.privateKey }), 'InvalidIdentityTokenException'],
    [idToken({}, { key: ec.privateKey, kid: 'r1', alg: 'ES256' }), 'InvalidIdentityTokenException'],
    [`${head}.${forged}.${tail}`, 'InvalidIdentityTokenException'],
    [`${none}.${forged}.`, 'InvalidIdentityTokenException'],
    ['x.y.z', 'InvalidIdentityTokenException'],
    ['x', 'InvalidIdentityTokenException'],
    [idToken({ iss: 'https://elsewhere.example.com' }), 'InvalidIdentityTokenException'],
    [idToken({ aud: 'third' }), 'InvalidIdentityTokenException'],
    [idToken({ nbf: now + 600 }), 'InvalidIdentityTokenException'],
    [idToken({ exp: now - 600 }), 'ExpiredTokenException'],
    [idToken({ sub: 'job-8' }), 'AccessDenied'],
    [idToken({ aud: 'other' }), 'AccessDenied'],
  ]) {
    const refused = await failure(web(token));
    assert.equal(refused.name, name, `${refused.message} ${token.slice(0, 40)}`);
  }
  assert.equal((await failure(web(idToken({}), { RoleArn: roleArn('team/Ops') }))).name,
    'AccessDenied');
});

test('AssumeRoleWithWebIdentity: source identity and tags are the token\'s, not its bearer\'s', async () => {
  const unsigned = async (parameters) => {
    const answer = await fetch(server.url, { method: 'POST', body: new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity', RoleArn: roleArn('Vouched'), RoleSessionName: 'job',
      ...parameters }) });
    const text = await answer.text();
    return { code: element(text, 'Code'), source: element(text, 'SourceIdentity'), text,
      record: trailRecords(server.dataDir).find((each) => each.requestID === element(text, 'RequestId')) };
  };
  const claimed = (source, tags) => idToken({ 'https://aws.amazon.com/source_identity': source,
    'https://aws.amazon.com/tags': tags });
  const tags = { principal_tags: { team: ['green'] }, transitive_tag_keys: ['team'] };
  const given = await unsigned({ WebIdentityToken: claimed('carla', tags) });
  assert.equal(given.source, 'carla', given.text);
  assert.equal(given.record.requestParameters.sourceIdentity, 'carla');
  const forged = await unsigned({ WebIdentityToken: idToken({}), SourceIdentity: 'carla', ExternalId: 'handshake',
    'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'red', 'TransitiveTagKeys.member.1': 'team' });
  assert.equal(forged.code, undefined, forged.text);
  assert.equal(forged.source, undefined);
  assert.deepEqual(forged.record.requestParameters, { roleArn: roleArn('Vouched'), roleSessionName: 'job' });
  const overruled = await unsigned({ WebIdentityToken: claimed('carla'), SourceIdentity: 'mallory' });
  assert.equal(overruled.source, 'carla');
  for (const [source, given_] of [['a b', tags], ['', tags], [7, tags],
    [undefined, { ...tags, transitive_tag_keys: ['other'] }]]) {
    const refused = await unsigned({ WebIdentityToken: claimed(source, given_) });
    assert.equal(refused.code, 'ValidationError', refused.text);
  }
  // The trust policy of Web does not let anybody set a source identity.
  assert.equal((await unsigned({ RoleArn: roleArn('Web'), WebIdentityToken: claimed('carla') })).code, 'AccessDenied');
});

test('a form that is not UTF-8 is refused, and neither the answer nor the trail has its bytes', async () => {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  for (const body of ['Action=AssumeRoleWithWebIdentity&RoleSessionName=%ff%fe', 'Action=%c3', 'Action=a&%ff=b']) {
    const answer = await fetch(server.url, { method: 'POST', body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    assert.equal(answer.status, 400);
    assert.equal(element(utf8.decode(await answer.arrayBuffer()), 'Code'), 'MalformedInput');
  }
  const trail = path.join(server.dataDir, 'trail');
  for (const name of readdirSync(trail)) utf8.decode(readFileSync(path.join(trail, name)));
});

test('STS answers bad requests with errors of its own', async () => {
  const codes = async (parameters, as = credentials, ...more) => {
    const answer = await query(parameters, as, ...more);
    return `${answer.status} ${element(answer.text, 'Code')}`;
  };
  assert.equal(await codes({ Action: 'GetFederationToken' }), '400 InvalidAction');
  assert.equal(await codes({}), '400 InvalidAction');
  assert.equal(await codes({ Action: 'AssumeRole' }), '400 ValidationError');
  assert.equal(await codes({ Action: 'AssumeRole', RoleArn: roleArn('Web'), RoleSessionName: 'abc',
    'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/x' }), '400 ValidationError');
  assert.equal(await codes({ Action: 'GetCallerIdentity' },
    { ...credentials, secretAccessKey: 'wrong' }), '403 SignatureDoesNotMatch');
  assert.equal(await codes({ Action: 'GetCallerIdentity' },
    { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' }), '403 InvalidClientTokenId');
  assert.equal(await codes({ Action: 'GetCallerIdentity' }, credentials, new Date(),
    ({ authorization, ...rest }) => rest), '403 MissingAuthenticationToken');
  const twice = await fetch(server.url, { method: 'POST', body: 'Action=a&Action=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  assert.equal(twice.status, 400);
});
