// Does the control find its credentials where AWS's tools do? The roles are a real server's; the
// metadata services, the sign-in portal and the process are small ones of this file.
import assert from 'node:assert/strict';
import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { Server, account, credentials, region, run } from '../lib/server.mjs';
import { person, withFile } from '../lib/people.mjs';

const issuer = 'id.example.com/team';
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const roleArn = (name) => `arn:aws:iam::${account}:role/${name}`;
const document = (...Statement) => ({ Version: '2012-10-17', Statement });
const allow = (Action) => ({ Effect: 'Allow', Action, Resource: '*' });
const trusting = (Principal, Action, Condition) => document({ Effect: 'Allow', Principal, Action,
  ...(Condition && { Condition }) });

let server;
let caller;
let home;
let services;
let answers;
let seen;

before(async () => {
  server = await Server.start();
  home = await mkdtemp(path.join(tmpdir(), 'keyturn-home-'));
  await server.client().send(new kms.CreateKeyCommand({}));
  const use = { use: document(allow(['kms:List*', 'kms:DescribeKey', 'kms:GetKeyRotationStatus'])) };
  const organisation = { accounts: { [account]: { roles: {
    Audit: { trust: trusting({ AWS: `arn:aws:iam::${account}:root` }, 'sts:AssumeRole'),
      policies: { ...use, on: document(allow('sts:AssumeRole')) } },
    Admin: { trust: trusting({ AWS: `arn:aws:iam::${account}:root` }, 'sts:AssumeRole'),
      policies: { use: document(allow('kms:*')) } },
    Second: { trust: trusting({ AWS: roleArn('Audit') }, 'sts:AssumeRole',
      { StringEquals: { 'sts:ExternalId': 'handshake' } }), policies: use },
    Web: { trust: trusting({ Federated: `arn:aws:iam::${account}:oidc-provider/${issuer}` },
      'sts:AssumeRoleWithWebIdentity'), policies: use },
  }, identity_providers: { [issuer]: { audiences: ['keyturn'], key_set: { keys: [
    { ...pair.publicKey.export({ format: 'jwk' }), kid: 'r1', alg: 'RS256', use: 'sig' }] } } } } } };
  const done = await withFile(organisation, (file) => run(['admin', 'apply', '--data-dir',
    server.dataDir, '-f', file]));
  assert.equal(done.code, 0, done.stderr);
  caller = await person(server, 'carla', [allow('sts:AssumeRole')]);
  services = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const answer = answers[`${request.method} ${request.url}`];
    const [status, body] = answer ? answer(request) : [404, ''];
    response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
  });
  await new Promise((resolve) => { services.listen(0, '127.0.0.1', resolve); });
});
after(async () => {
  services.close();
  await server.stop();
  await rm(home, { recursive: true, force: true });
});

const serviceUrl = () => `http://127.0.0.1:${services.address().port}`;
const keys = (given) => `aws_access_key_id = ${given.accessKeyId}\n`
  + `aws_secret_access_key = ${given.secretAccessKey}\n`;
const expiration = (hours) => new Date(Date.now() + hours * 3600e3).toISOString();
const metadata = (more = {}) => JSON.stringify({ AccessKeyId: credentials.accessKeyId,
  SecretAccessKey: credentials.secretAccessKey, Expiration: expiration(6), ...more });

// audit runs the control with files and variables of a case, and returns what it printed.
async function audit({ config = '', shared = '', variables = {}, args = [], serve = {} }) {
  await mkdir(path.join(home, '.aws'), { recursive: true });
  await writeFile(path.join(home, '.aws', 'config'), config);
  await writeFile(path.join(home, '.aws', 'credentials'), shared);
  answers = serve;
  seen = [];
  const env = { PATH: process.env.PATH, HOME: home, AWS_REGION: region,
    AWS_ENDPOINT_URL: server.url, AWS_EC2_METADATA_DISABLED: 'true', ...variables };
  return run(['audit', '--region', region, '--format', 'json', ...args], { env });
}

async function works(given) {
  const { code, stdout, stderr } = await audit(given);
  assert.equal(code, 3, stderr);  // the key does not rotate: a finding
  assert.equal(JSON.parse(stdout).totals.listed, 1);
}

async function says(pattern, given) {
  const { code, stderr } = await audit(given);
  assert.equal(code, 1, stderr);
  assert.match(stderr, pattern);
  for (const secret of [credentials.secretAccessKey, caller.secretAccessKey]) {
    assert.ok(!stderr.includes(secret), 'a secret was printed');
  }
}

test('a role through source_profile, and a role through that role', async () => {
  const config = `[profile audit]\nrole_arn = ${roleArn('Audit')}\nsource_profile = carla\n`
    + `[profile second]\nrole_arn = ${roleArn('Second')}\nsource_profile = audit\n`
    + 'external_id = handshake\nduration_seconds = 900\nrole_session_name = nightly\n';
  const shared = `[carla]\n${keys(caller)}`;
  await works({ config, shared, args: ['--profile', 'audit'] });
  await works({ config, shared, variables: { AWS_PROFILE: 'second' } });
  await says(/STS does not give the role .*Second: AccessDenied/, { shared, args: ['--profile',
    'second'], config: config.replace('handshake', 'wrong') });
  await says(/leads back to itself/, { shared, args: ['--profile', 'audit'],
    config: config.replace('source_profile = carla', 'source_profile = second') });
  await says(/source_profile 'nobody' does not exist/, { shared, args: ['--profile', 'audit'],
    config: config.replace('source_profile = carla', 'source_profile = nobody') });
  await says(/exactly one of source_profile and credential_source/, { shared,
    args: ['--profile', 'audit'],
    config: config.replace('source_profile = carla', '') });
  await says(/needs a code of the MFA device arn:aws:iam::1:mfa\/me/, { shared,
    args: ['--profile', 'audit'],
    config: config.replace('source_profile = carla',
      'source_profile = carla\nmfa_serial = arn:aws:iam::1:mfa/me') });
});

test('--role-arn: with the credentials found; an audit may only read', async () => {
  const shared = `[carla]\n${keys(caller)}`;
  const as = (name, ...more) => ['--profile', 'carla', '--role-arn', roleArn(name), ...more];
  await works({ shared, args: as('Audit') });
  await says(/STS does not give the role .*Nobody: AccessDenied/, { shared, args: as('Nobody') });
  const { code, stderr } = await audit({ shared, args: ['--external-id', 'x'] });
  assert.equal(code, 1);
  assert.match(stderr, /--external-id goes with --role-arn or --role-name/);

  const file = (name) => path.join(home, name);
  const env = { PATH: process.env.PATH, HOME: home, AWS_ENDPOINT_URL: server.url,
    AWS_EC2_METADATA_DISABLED: 'true' };
  const keyturn = (...args) => run(args, { env });
  const planned = await keyturn('plan', '--region', region, '--out', file('plan'), ...as('Admin'));
  assert.equal(planned.code, 0, planned.stderr);
  const applied = await keyturn('apply', file('plan'), '--auto-approve', '--journal', file('journal'),
    ...as('Admin'));
  assert.equal(applied.code, 0, applied.stderr);
  const back = await keyturn('backout', '--journal', file('journal'), '--auto-approve', '--reason',
    'a test', ...as('Admin'));
  assert.equal(back.code, 0, back.stderr);
});

test('a role whose caller is in the environment', async () => {
  const config = `[profile env]\nrole_arn = ${roleArn('Audit')}\ncredential_source = Environment\n`;
  const variables = { AWS_ACCESS_KEY_ID: caller.accessKeyId,
    AWS_SECRET_ACCESS_KEY: caller.secretAccessKey };
  await works({ config, variables, args: ['--profile', 'env'] });
  await says(/AWS_ACCESS_KEY_ID is not set/, { config, args: ['--profile', 'env'] });
  await says(/credential_source is 'Moon'/, { config: config.replace('Environment', 'Moon'),
    args: ['--profile', 'env'] });
});

test('a web identity: of the environment, of a profile', async () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const head = `${part({ alg: 'RS256', kid: 'r1', typ: 'JWT' })}.${part({ iss: `https://${issuer}`,
    sub: 'job-7', aud: 'keyturn', iat: now, exp: now + 600 })}`;
  const token = `${head}.${createSign('sha256').update(head).sign(pair.privateKey, 'base64url')}`;
  const file = path.join(home, 'token');
  await writeFile(file, `${token}\n`);
  await works({ variables: { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: roleArn('Web'),
    AWS_ROLE_SESSION_NAME: 'job' } });
  const config = `[profile web]\nrole_arn = ${roleArn('Web')}\nweb_identity_token_file = ${file}\n`;
  await works({ config, args: ['--profile', 'web'] });
  await says(/needs the role: AWS_ROLE_ARN/, { variables: { AWS_WEB_IDENTITY_TOKEN_FILE: file } });
  await writeFile(file, `${head}.AAAA`);
  const { code, stderr } = await audit({ config, args: ['--profile', 'web'] });
  assert.equal(code, 1);
  assert.match(stderr, /STS does not give the role .*InvalidIdentityToken/);
  assert.ok(!stderr.includes(head), 'the token was printed');
  await says(/web identity: cannot read .*gone/, { args: ['--profile', 'web'],
    config: config.replace(file, `${file}-gone`) });
});

test('a process: its words, its answer, its failures', async () => {
  const script = path.join(home, 'give keys');
  const config = `[profile p]\ncredential_process = "${script}" --as 'two words' plain\n`;
  const put = async (text) => {
    await writeFile(script, `#!/bin/sh\n${text}\n`);
    await chmod(script, 0o755);
  };
  const given = metadata({ Version: 1 });
  await put(`[ "$2" = 'two words' ] && [ "$3" = plain ] && echo '${given}'`);
  await works({ config, args: ['--profile', 'p'] });
  await put('exit 7');
  await says(/credential_process .*: it ended with 7/, { config, args: ['--profile', 'p'] });
  await put('echo hello');
  await says(/its answer is no JSON/, { config, args: ['--profile', 'p'] });
  await put(`echo '${metadata()}'`);
  await says(/its answer has no Version 1/, { config, args: ['--profile', 'p'] });
  await put('head -c 300000 /dev/zero');
  await says(/it gave no whole answer/, { config, args: ['--profile', 'p'] });
  await says(/a quote is not closed/, { config: '[profile p]\ncredential_process = "x\n',
    args: ['--profile', 'p'] });
});

test('IAM Identity Center, with the sign-in of the AWS CLI', async () => {
  const config = '[profile team]\nsso_session = corp\nsso_account_id = 111122223333\n'
    + 'sso_role_name = Audit\n[sso-session corp]\nsso_region = eu-west-1\n'
    + 'sso_start_url = https://corp.example/start\n';
  const cache = path.join(home, '.aws', 'sso', 'cache');
  await mkdir(cache, { recursive: true });
  const file = path.join(cache, `${createHash('sha1').update('corp').digest('hex')}.json`);
  const signIn = (hours) => writeFile(file, JSON.stringify({ accessToken: 'sign-in-token',
    expiresAt: expiration(hours) }, null, 2));
  const url = 'GET /federation/credentials?role_name=Audit&account_id=111122223333';
  const serve = { [url]: (request) => (request.headers['x-amz-sso_bearer_token'] === 'sign-in-token'
    ? [200, JSON.stringify({ roleCredentials: { accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey, sessionToken: '',
      expiration: Date.now() + 3600e3 } })] : [401, '']) };
  const given = { config, serve, args: ['--profile', 'team'],
    variables: { AWS_ENDPOINT_URL_SSO: serviceUrl() } };
  await says(/there is no sign-in .*aws sso login --profile team/, given);
  await signIn(1);
  await works(given);
  await signIn(-1);
  await says(/the sign-in .*has expired; run: aws sso login --profile team/, given);
  await signIn(1);
  await says(/does not know the sign-in any more/, { ...given, serve: { [url]: () => [401, ''] } });
  await says(/gives no credentials for Audit in 111122223333: HTTP 403/,
    { ...given, serve: { [url]: () => [403, ''] } });
  await says(/there is no \[sso-session corp\]/, { ...given,
    config: config.replace('[sso-session corp]', '[sso-session other]') });
});

test('a container: its address, its token', async () => {
  const token = path.join(home, 'container-token');
  await writeFile(token, 'Bearer of-the-container\n');
  const serve = { 'GET /v2/creds': (request) => (request.headers.authorization
    === 'Bearer of-the-container' ? [200, metadata()] : [401, '']) };
  const variables = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${serviceUrl()}/v2/creds`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token };
  await works({ variables, serve });
  const proxied = await audit({ serve, variables: { ...variables, http_proxy: 'http://127.0.0.1:9' } });
  assert.notEqual(proxied.code, 3, 'KMS itself is behind a proxy that is not there');
  assert.deepEqual(seen, ['GET /v2/creds'], 'the container is asked without the proxy');
  await says(/container credentials at .*: HTTP 401/, { serve, variables: { ...variables,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '', AWS_CONTAINER_AUTHORIZATION_TOKEN: 'other' } });
  assert.equal(seen.length, 3, 'three tries');
  await says(/names evil\.example/, { variables: { ...variables,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://evil.example/creds' } });
});

test('an instance: both versions of the metadata service', async () => {
  const path2 = '/latest/meta-data/iam/security-credentials/';
  const variables = { AWS_EC2_METADATA_DISABLED: '',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: serviceUrl() };
  const withToken = (body) => (request) => (
    request.headers['x-aws-ec2-metadata-token'] === 'session-7' ? [200, body] : [401, '']);
  const second = { 'PUT /latest/api/token': (request) => (
    request.headers['x-aws-ec2-metadata-token-ttl-seconds'] === '21600' ? [200, 'session-7']
      : [400, '']),
  [`GET ${path2}`]: withToken('web-role\n'),
  [`GET ${path2}web-role`]: withToken(metadata({ Code: 'Success' })) };
  await works({ variables, serve: second });
  const first = { [`GET ${path2}`]: () => [200, 'web-role'],
    [`GET ${path2}web-role`]: () => [200, metadata()] };
  await works({ variables, serve: first });
  await says(/gives no token: HTTP 404/, { serve: first,
    variables: { ...variables, AWS_EC2_METADATA_V1_DISABLED: 'true' } });
  await says(/no credentials: neither .*AWS_EC2_METADATA_DISABLED/, {});
});

test('an order: variables, then the profile; --profile leaves the variables out', async () => {
  const shared = `[good]\n${keys(credentials)}[bad]\naws_access_key_id = AKIAWRONG\n`
    + 'aws_secret_access_key = wrong\n';
  const variables = { AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
  await works({ shared, variables: { ...variables, AWS_PROFILE: 'bad' } });
  await works({ shared, args: ['--profile', 'good'], variables: { AWS_ACCESS_KEY_ID: 'AKIAWRONG',
    AWS_SECRET_ACCESS_KEY: 'wrong' } });
  await says(/login_session/, { args: ['--profile', 'l'],
    config: '[profile l]\nlogin_session = arn:aws:iam::1:user/x\n' });
});
