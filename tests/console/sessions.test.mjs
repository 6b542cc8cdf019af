// Does a console session give its owner everything and an attacker nothing?
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Clock } from '../lib/clock.mjs';
import { ConsoleSession, request, signIn, signed } from '../lib/console.mjs';
import { admin, person } from '../lib/people.mjs';
import { Server, account, credentials } from '../lib/server.mjs';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const minute = 60 * 1000;
const codeOf = (answer) => answer.json?.__type?.split('#').pop();
const events = async (session, query = '') => (await session.send('GET', `trail?${query}`)).json.Records;

test('a signed request opens a session whose cookie scripts and other sites cannot have', async () => {
  const answer = await signIn(server.url);
  assert.equal(answer.status, 200);
  const [cookie] = answer.headers['set-cookie'];
  assert.match(cookie, /^__Host-keyturn=[0-9a-f]{64}; Path=\/; Secure; HttpOnly; SameSite=Strict$/);
  assert.equal(answer.json.AccessKeyId, credentials.accessKeyId);
  assert.match(answer.json.CsrfToken, /^[0-9a-f]{64}$/);
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
  const again = await ConsoleSession.open(server.url);
  const session = await again.send('GET', 'session', { change: (h) => delete h['x-keyturn-csrf'] });
  assert.equal(session.json.CsrfToken, again.csrf);
});

test('every operation goes through the pipeline, and the trail knows that it was the console', async () => {
  const session = await ConsoleSession.open(server.url);
  const { json: { KeyMetadata: { KeyId, Arn } } } = await session.call('CreateKey');
  assert.equal((await session.call('EnableKeyRotation', { KeyId })).status, 200);
  const status = await session.call('GetKeyRotationStatus', { KeyId });
  assert.equal(status.json.KeyRotationEnabled, true);
  assert.equal(codeOf(await session.call('DescribeKey', { KeyId: 'alias/none' })), 'NotFoundException');
  assert.equal(codeOf(await session.call('Nonsense')), 'UnknownOperationException');
  const [last] = await events(session, `key-id=${KeyId}&operation=EnableKeyRotation`);
  assert.equal(last.sessionCredentialFromConsole, 'true');
  assert.equal(last.resources[0].ARN, Arn);
  const [login] = await events(session, 'operation=ConsoleLogin');
  assert.equal(login.eventSource, 'signin.amazonaws.com');
  assert.deepEqual(login.responseElements, { ConsoleLogin: 'Success' });
});

test('what explains a call stays beside what the operation notes in its record', async () => {
  const session = await ConsoleSession.open(server.url);
  const { json: { KeyMetadata: { KeyId } } } = await session.call('CreateKey');
  const headers = { 'x-keyturn-justification': encodeURIComponent('Ticket 7, „dringend“') };
  const made = await session.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }, { headers });
  const [record] = await events(session, `key-id=${KeyId}&operation=GenerateDataKey`);
  assert.deepEqual(record.additionalEventData, { justification: 'Ticket 7, „dringend“',
    keyMaterialId: made.json.KeyMaterialId });
});

test('a query that is not UTF-8 is refused', async () => {
  const session = await ConsoleSession.open(server.url);
  for (const view of ['permissions?key-id=%ff', 'trail?operation=%ff', 'explain?key-id=%ff&operation=Encrypt']) {
    assert.equal(codeOf(await session.send('GET', view)), 'ValidationException', view);
  }
});

test('x-keyturn-region chooses the region', async () => {
  const session = await ConsoleSession.open(server.url);
  const headers = { 'x-keyturn-region': 'eu-west-1' };
  const made = await session.call('CreateKey', {}, { headers });
  assert.match(made.json.KeyMetadata.Arn, /:kms:eu-west-1:/);
  const { json } = await session.send('GET', 'session');
  assert.deepEqual(json.Regions, ['eu-west-1', 'us-east-1']);
  const bad = await session.call('CreateKey', {}, { headers: { 'x-keyturn-region': '../x' } });
  assert.equal(codeOf(bad), 'ValidationException');
});

const attacks = {
  'no CSRF token': (headers) => delete headers['x-keyturn-csrf'],
  'a wrong CSRF token': (headers) => { headers['x-keyturn-csrf'] = '0'.repeat(64); },
  'a foreign Origin': (headers) => { headers.origin = 'https://evil.example'; },
  'an Origin of another port': (headers) => { headers.origin = 'http://127.0.0.1:1'; },
  'the null Origin': (headers) => { headers.origin = 'null'; },
  'no Origin': (headers) => delete headers.origin,
  'another site, as the browser says': (headers) => { headers['sec-fetch-site'] = 'cross-site'; },
  'another subdomain': (headers) => { headers['sec-fetch-site'] = 'same-site'; },
  'no cookie': (headers) => delete headers.cookie,
  'a made-up cookie': (headers) => { headers.cookie = `__Host-keyturn=${'0'.repeat(64)}`; },
  'two cookies': (headers) => { headers.cookie += `; ${headers.cookie}`; },
};
for (const [name, change] of Object.entries(attacks)) {
  test(`a call with ${name} is refused and changes nothing`, async () => {
    const session = await ConsoleSession.open(server.url);
    const before_ = (await session.call('ListKeys')).json.Keys.length;
    const answer = await session.call('CreateKey', {}, { change });
    assert.ok(['AccessDeniedException', 'ExpiredTokenException'].includes(codeOf(answer)), codeOf(answer));
    assert.equal((await session.call('ListKeys')).json.Keys.length, before_);
  });
}

test('the cookie means nothing to the API', async () => {
  const session = await ConsoleSession.open(server.url);
  const answer = await request(server.url, '/', { method: 'POST', body: '{}',
    headers: { cookie: session.cookie, 'x-keyturn-csrf': session.csrf, origin: server.url,
      'x-amz-target': 'TrentService.ListKeys', 'content-type': 'application/x-amz-json-1.1' } });
  assert.equal(codeOf(answer), 'MissingAuthenticationTokenException');
});

test('a signature of the API does not sign in, and one of the console does not call', async () => {
  const other = await Server.start();
  try {
    assert.equal((await signIn(other.url, { service: 'kms' })).status, 400);
    const { headers, body } = await signed(other.url, '/', {});
    const answer = await request(other.url, '/', { method: 'POST', body,
      headers: { ...headers, 'x-amz-target': 'TrentService.ListKeys' } });
    assert.notEqual(answer.status, 200);
  } finally {
    await other.stop();
  }
});

test('a signature signs in once', async () => {
  const { headers, body } = await signed(server.url, '/console/api/sign-in');
  const send = (change = {}) => request(server.url, '/console/api/sign-in',
    { method: 'POST', headers: { ...headers, ...change }, body });
  assert.equal((await send()).status, 200);
  assert.equal(codeOf(await send()), 'InvalidSignatureException');
  const loud = headers.authorization.replace(/Signature=(\w+)/, (_, hex) => `Signature=${hex.toUpperCase()}`);
  assert.equal((await send({ authorization: loud })).json?.CsrfToken, undefined);
});

test('failed sign-ins of an address are slowed down', async () => {
  const other = await Server.start();
  try {
    const keys = { ...credentials, secretAccessKey: 'wrong' };
    for (let i = 0; i < 5; ++i) {
      assert.equal(codeOf(await signIn(other.url, { keys })), 'InvalidSignatureException');
    }
    assert.equal(codeOf(await signIn(other.url, { keys })), 'ThrottlingException');
    assert.equal(codeOf(await signIn(other.url)), 'ThrottlingException');
  } finally {
    await other.stop();
  }
});

// onClock runs check on a server whose time of day it moves.
async function onClock(args, check) {
  const clock = await Clock.make();
  const other = await Server.start({ args, env: clock.env });
  try {
    await check(await ConsoleSession.open(other.url), clock);
  } finally {
    await other.stop();
    await clock.remove();
  }
}

test('a session ends without use, and the background does not count as use', async () => {
  await onClock([], async (session, clock) => {
    await clock.move(14 * minute);
    assert.equal((await session.call('ListKeys')).status, 200);
    await clock.move(10 * minute);
    const background = { headers: { 'x-keyturn-background': '1' } };
    assert.equal((await session.call('ListKeys', {}, background)).status, 200);
    await clock.move(6 * minute);
    assert.equal(codeOf(await session.call('ListKeys')), 'ExpiredTokenException');
  });
});

test('a session ends after its time in all, however it is used', async () => {
  await onClock(['--console-session-seconds', '3600'], async (session, clock) => {
    for (let used = 0; used < 5; ++used) {
      await clock.move(11 * minute);
      assert.equal((await session.call('ListKeys')).status, 200);
    }
    await clock.move(6 * minute);
    assert.equal(codeOf(await session.call('ListKeys')), 'ExpiredTokenException');
  });
});

test('signing out ends the session, signing out everywhere all of the principal', async () => {
  const one = await ConsoleSession.open(server.url);
  const two = await ConsoleSession.open(server.url);
  const three = await ConsoleSession.open(server.url);
  const out = await one.send('POST', 'sign-out');
  assert.match(out.headers['set-cookie'][0], /^__Host-keyturn=;.*Max-Age=0$/);
  assert.equal(codeOf(await one.call('ListKeys')), 'ExpiredTokenException');
  assert.equal((await two.call('ListKeys')).status, 200);
  const all = await two.send('POST', 'sign-out-everywhere');
  assert.ok(all.json.SessionsEnded >= 2);
  assert.equal(codeOf(await three.call('ListKeys')), 'ExpiredTokenException');
});

test('an access key that is made inactive ends its sessions', async () => {
  const keys = await person(server, 'leaver', [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }]);
  const session = await ConsoleSession.open(server.url, { keys });
  assert.equal((await session.call('ListKeys')).status, 200);
  await admin(server, 'access-key', 'delete', '--id', keys.accessKeyId);
  assert.equal(codeOf(await session.call('ListKeys')), 'UnrecognizedClientException');
});

test('deletion asks for the secret again', async () => {
  const session = await ConsoleSession.open(server.url);
  const { json: { KeyMetadata: { KeyId } } } = await session.call('CreateKey');
  const schedule = () => session.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
  assert.equal(codeOf(await schedule()), 'AccessDeniedException');
  const keys = await person(server, 'other', [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }]);
  assert.equal(codeOf(await session.confirm({ keys })), 'AccessDeniedException');
  assert.equal(codeOf(await schedule()), 'AccessDeniedException');
  assert.equal((await session.confirm()).status, 200);
  assert.equal((await schedule()).status, 200);
});

test('one answer lists all keys with the verdicts of the audit', async () => {
  const other = await Server.start();
  try {
    const session = await ConsoleSession.open(other.url);
    const make = async (input) => (await session.call('CreateKey', input)).json.KeyMetadata.KeyId;
    const on = await make({});
    const off = await make({ Tags: [{ TagKey: 'team', TagValue: 'a' }] });
    const rsa = await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    await session.call('EnableKeyRotation', { KeyId: on });
    await session.call('RotateKeyOnDemand', { KeyId: on });
    await session.call('CreateAlias', { AliasName: 'alias/on', TargetKeyId: on });
    const { json } = await session.send('GET', 'keys?regions=all');
    const key = (id) => json.Keys.find((each) => each.KeyId === id);
    assert.equal(key(on).Verdict, 'PASS');
    assert.deepEqual(key(on).Aliases, ['alias/on']);
    assert.equal(key(on).Rotation.Enabled, true);
    assert.equal(key(on).Rotations.length, 1);
    assert.equal(key(off).Verdict, 'FAIL');
    assert.equal(key(off).Remediable, true);
    assert.deepEqual(key(off).Tags, [{ TagKey: 'team', TagValue: 'a' }]);
    assert.equal(key(rsa).Verdict, 'NOT_APPLICABLE');
    assert.equal(json.CompliancePercent, 50);
    assert.equal(json.Totals.PASS, 1);
  } finally {
    await other.stop();
  }
});

test('who may not, sees nothing and is told why', async () => {
  const keys = await person(server, 'reader', [{ Effect: 'Allow', Resource: '*',
    Action: ['kms:ListKeys', 'kms:DescribeKey', 'kms:GetKeyRotationStatus'] }]);
  const session = await ConsoleSession.open(server.url, { keys });
  const { json } = await session.send('GET', 'keys');
  assert.ok(json.Keys.length > 0);
  assert.ok(json.Keys.every((key) => key.Tags === undefined && key.Rotations === undefined));
  const may = await session.send('GET', `permissions?key-id=${json.Keys[0].KeyId}`);
  assert.deepEqual(may.json.DescribeKey, { Allowed: true });
  assert.equal(may.json.EnableKeyRotation.Allowed, false);
  assert.match(may.json.EnableKeyRotation.Reason, /not authorized to perform: kms:EnableKeyRotation/);
  assert.equal(codeOf(await session.send('GET', 'trail')), 'AccessDeniedException');
  const nobody = await person(server, 'nobody', [{ Effect: 'Deny', Action: '*', Resource: '*' }]);
  const denied = await ConsoleSession.open(server.url, { keys: nobody });
  assert.equal(codeOf(await denied.send('GET', 'keys')), 'AccessDeniedException');
});

// A grant that lets its grantee make grants allows those that it covers. What may be done, and why, is asked
// without such a request.
test('whether a grantee may make grants is answered without a grant to make', async () => {
  const admins = await ConsoleSession.open(server.url);
  const { json: { KeyMetadata: { KeyId } } } = await admins.call('CreateKey');
  const keys = await person(server, 'passer', [{ Effect: 'Allow', Action: ['kms:DescribeKey', 'kms:GetKeyPolicy'],
    Resource: '*' }]);
  const GranteePrincipal = `arn:aws:iam::${account}:user/passer`;
  const made = await admins.call('CreateGrant', { KeyId, GranteePrincipal, Operations: ['CreateGrant', 'Decrypt'] });
  assert.equal(made.status, 200);
  const session = await ConsoleSession.open(server.url, { keys });
  const may = await session.send('GET', `permissions?key-id=${KeyId}`);
  assert.equal(may.json.CreateGrant.Allowed, false);
  for (const [asking, user] of [[session, ''], [admins, '&user=passer']]) {
    const { status, json } = await asking.send('GET', `explain?key-id=${KeyId}&operation=CreateGrant${user}`);
    assert.equal(status, 200);
    assert.deepEqual([json.Principal, json.Allowed, json.Grants], [GranteePrincipal, false, 0]);
    const decrypt = await asking.send('GET', `explain?key-id=${KeyId}&operation=Decrypt${user}`);
    assert.deepEqual([decrypt.json.Allowed, decrypt.json.Grants], [true, 1]);
  }
  const passed = await session.call('CreateGrant', { KeyId, GranteePrincipal, Operations: ['Decrypt'] });
  assert.equal(passed.status, 200);
});

test('the trail is read page by page, newest first', async () => {
  const session = await ConsoleSession.open(server.url);
  for (let i = 0; i < 5; ++i) await session.call('ListAliases');
  const first = await session.send('GET', 'trail?operation=ListAliases&limit=3');
  assert.equal(first.json.Records.length, 3);
  const second = await session.send('GET', `trail?operation=ListAliases&limit=2&before=${first.json.Before}`);
  assert.equal(second.json.Records.length, 2);
  const ids = [...first.json.Records, ...second.json.Records].map((record) => record.eventID);
  assert.equal(new Set(ids).size, 5);
  for (const bad of ['before=x', 'limit=0', 'limit=501', 'before=9.9', 'a=%']) {
    assert.equal((await session.send('GET', `trail?${bad}`)).status, 400, bad);
  }
});

test('pages come with the policy of the design, compressed, and cached by their names', async () => {
  const redirect = await request(server.url, '/');
  assert.equal(redirect.headers.location, '/console/');
  const page = await request(server.url, '/console/', { headers: { 'accept-encoding': 'gzip, br' } });
  assert.equal(page.status, 200);
  assert.equal(page.headers['cache-control'], 'no-cache');
  assert.match(page.headers['content-security-policy'], /^default-src 'none';.*require-trusted-types-for 'script'$/);
  assert.equal(page.headers['x-frame-options'], 'DENY');
  const plain = await request(server.url, '/console/');
  const script = /src="([^"]+\.js)"/.exec(plain.bytes.toString())[1];
  const asset = await request(server.url, script, { headers: { 'accept-encoding': 'br' } });
  assert.equal(asset.headers['content-encoding'], 'br');
  assert.match(asset.headers['cache-control'], /immutable/);
  const same = await request(server.url, script,
    { headers: { 'accept-encoding': 'br', 'if-none-match': asset.headers.etag } });
  assert.equal(same.status, 304);
  assert.equal((await request(server.url, '/console/none')).status, 404);
  assert.equal((await request(server.url, '/console/../../etc/passwd')).status, 404);
  assert.equal((await request(server.url, '/console/', { method: 'PUT' })).status, 405);
});

test('without the console there is the API alone', async () => {
  const other = await Server.start({ args: ['--no-console'] });
  try {
    assert.equal((await request(other.url, '/console/')).status, 404);
    assert.equal((await signIn(other.url)).status, 404);
  } finally {
    await other.stop();
  }
});
