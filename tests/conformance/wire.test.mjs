// Is a request refused as AWS refuses it when its signature, scope, time, header or body is wrong?
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { ListKeysCommand } from '@aws-sdk/client-kms';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { person } from '../lib/people.mjs';
import { Server, credentials, region } from '../lib/server.mjs';
import { trailRecords } from '../lib/trail.mjs';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

// post signs a request and lets change spoil it before it is sent.
async function post({ target = 'TrentService.ListKeys', body = '{}', change = () => {}, date,
  keys = credentials, scope = region, service = 'kms' } = {}) {
  const url = new URL(server.url);
  const signer = new SignatureV4({ credentials: keys, region: scope, service, sha256: Sha256,
    applyChecksum: false });
  const request = await signer.sign({ method: 'POST', protocol: url.protocol, hostname: url.hostname,
    port: Number(url.port), path: '/', query: {}, body,
    headers: { host: url.host, 'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': target } }, { signingDate: date });
  const sent = { headers: request.headers, body };
  change(sent);
  return new Promise((resolve, reject) => {
    const call = http.request(server.url, { method: 'POST', headers: sent.headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => { text += chunk; });
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text,
        json: text ? JSON.parse(text) : undefined }));
    });
    call.on('error', reject);
    call.end(sent.body);
  });
}

test('a well-signed request is answered, with the headers that SDKs look at', async () => {
  const answer = await post();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'application/x-amz-json-1.1');
  assert.match(answer.headers['x-amzn-requestid'], /^[0-9a-f-]{36}$/);
  assert.ok(answer.headers.date);
  assert.equal(answer.headers['cache-control'], 'no-cache, no-store, must-revalidate, private');
});

const refusals = [
  ['no Authorization', { change: (r) => { delete r.headers.authorization; } },
    'MissingAuthenticationTokenException', /^Missing Authentication Token$/],
  ['a part of Authorization missing', { change: (r) => {
    r.headers.authorization = r.headers.authorization.replace(/, Signature=.*/, '');
  } }, 'IncompleteSignatureException', /requires 'Signature' parameter/],
  ['an unknown access key', { keys: { ...credentials, accessKeyId: 'AKIAUNKNOWN000000000' } },
    'UnrecognizedClientException', /^The security token included in the request is invalid\.$/],
  ['a wrong secret', { keys: { ...credentials, secretAccessKey: 'wrong' } },
    'InvalidSignatureException', /^The request signature we calculated does not match/],
  ['a session token that a long-lived key does not have',
    { keys: { ...credentials, sessionToken: 'token' } }, 'UnrecognizedClientException', /invalid/],
  ['another service in the scope', { service: 's3' },
    'InvalidSignatureException', /Credential should be scoped to correct service: 'kms'\./],
  ['a scope that is no region', { scope: 'nowhere' },
    'InvalidSignatureException', /Credential should be scoped to a valid region\./],
  ['a request of ten minutes ago', { date: new Date(Date.now() - 600000) },
    'InvalidSignatureException', /^Signature expired: .* is now earlier than .* - 5 min\.\)$/],
  ['a request of in ten minutes', { date: new Date(Date.now() + 600000) },
    'InvalidSignatureException', /^Signature not yet current: /],
  ['a body changed behind the signature', { change: (r) => { r.body = '{"Limit":1}'; } },
    'InvalidSignatureException', /does not match/],
  ['a signed header changed', { change: (r) => {
    r.headers['x-amz-target'] = 'TrentService.ListAliases';
  } }, 'InvalidSignatureException', /does not match/],
  ['an unsigned x-amz- header added', { change: (r) => { r.headers['x-amz-extra'] = '1'; } },
    'InvalidSignatureException', /./],
];
for (const [what, options, name, message] of refusals) {
  test(`refused: ${what}`, async () => {
    const answer = await post(options);
    assert.equal(answer.status, 400);
    assert.equal(answer.json.__type, name);
    assert.match(answer.json.message, message);
  });
}

test('unknown operations, and bodies that are no JSON object of the right types', async () => {
  assert.equal((await post({ target: 'TrentService.Nothing' })).json.__type,
    'UnknownOperationException');
  for (const body of ['', '[]', '"x"', '{', '{"Limit":"1"}', '{"Limit":1,"Limit":2}', '{} {}',
    '{"Limit":1e0}', '\u0000']) {
    const answer = await post({ body });
    if (body === '') {
      assert.equal(answer.status, 200);
    } else {
      assert.equal(answer.json.__type, 'SerializationException', JSON.stringify(body));
    }
  }
  assert.equal((await post({ body: '{"Later":[1,{"a":null}]}' })).status, 200);
});

test('a list with very many mistakes makes neither its answer nor its record long', async () => {
  const keys = await person(server, 'sloppy');
  const body = JSON.stringify({ KeyId: 'alias/a', GranteePrincipal: 'b', Operations: Array(170_000).fill('') });
  const answer = await post({ target: 'TrentService.CreateGrant', body, keys });
  assert.equal(answer.json.__type, 'ValidationException');
  assert.match(answer.json.message, /^1 validation error detected: Value '\[, , /);
  assert.match(answer.json.message,
    /' at 'operations' failed to satisfy constraint: Member must satisfy constraint: \[Member must satisfy enum value set: \[\w+, /);
  assert.ok(answer.text.length < body.length, `${answer.text.length} bytes`);
  const record = trailRecords(server.dataDir).find((each) => each.userIdentity.accessKeyId === keys.accessKeyId);
  assert.equal(record.errorCode, 'ValidationException');
  assert.equal(record.errorMessage, answer.json.message.slice(0, 1024));
});

test('regions that one caller makes up take nothing from others', async () => {
  const keys = await person(server, 'wanderer');
  const list = async (scope, as = keys) => (await post({ scope, keys: as })).json;
  for (let i = 0; i < 64; ++i) assert.equal((await list(`zz-made-${i}`)).__type, 'AccessDeniedException');
  const oneMore = await list('zz-made-64');
  assert.equal(oneMore.__type, 'InvalidSignatureException');
  assert.match(oneMore.message, /This server does not know the region/);
  for (const known of ['zz-made-0', 'sa-east-1', 'us-gov-west-1']) {
    assert.equal((await list(known)).__type, 'AccessDeniedException', known);
  }
  assert.deepEqual((await list('zz-made-64', credentials)).Keys, []);
});

test('a body above the limit is refused without being read into memory', async () => {
  const answer = await post({ body: `{"Marker":"${'x'.repeat(600 * 1024)}"}` });
  assert.equal(answer.json.__type, 'SerializationException');
  const huge = await new Promise((resolve) => {
    const call = http.request(server.url, { method: 'POST',
      headers: { 'content-length': String(64 << 20) } }, (reply) => {
      reply.resume();
      resolve(reply.statusCode);
    });
    call.on('error', () => resolve('closed'));
    call.write('x');
  });
  assert.ok(huge === 413 || huge === 'closed', String(huge));
  assert.equal((await post()).status, 200);
});

test('health and metrics need no signature; beside the console nothing else is served', async () => {
  const get = async (path) => (await fetch(server.url + path)).status;
  assert.equal(await get('/healthz'), 200);
  assert.equal(await get('/metrics'), 200);
  assert.equal(await get('/keys'), 404);
  assert.equal(await get('/../etc/passwd'), 404);
});

test('with --no-io-uring, a server has no ring and answers', async () => {
  const plain = await Server.start({ args: ['--no-io-uring'] });
  try {
    await plain.client().send(new ListKeysCommand({}));
    const open = readdirSync(`/proc/${plain.process.pid}/fd`)
      .map((fd) => readlinkSync(`/proc/${plain.process.pid}/fd/${fd}`));
    assert.ok(open.some((file) => file.startsWith('socket:')));
    assert.deepEqual(open.filter((file) => file.includes('io_uring')), []);
  } finally {
    await plain.stop();
  }
});
