// Grants: who may retire them, and whom they may name.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as kms from '@aws-sdk/client-kms';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/nested-clients/sts';
import { Server, account, failure, region } from '../lib/server.mjs';
import { admin, person, withFile } from '../lib/people.mjs';

const partner = '444455556666';
const userArn = (name, of = account) => `arn:aws:iam::${of}:user/${name}`;
const rootArn = (of) => `arn:aws:iam::${of}:root`;
const roleArn = `arn:aws:iam::${account}:role/Worker`;
const statement = (Effect, Action, more = {}) => ({ Effect, Action, Resource: '*', ...more });
const document = (...Statement) => ({ Version: '2012-10-17', Statement });
const all = [statement('Allow', ['kms:*', 'sts:*'])];

let server;
let client;
const people = {};
const open = [];

async function use(name, statements, of = account) {
  const credentials = await person(server, name, statements,
    ...(of === account ? [] : ['--account', of]));
  people[name] = { credentials, client: server.client({ credentials }) };
  open.push(people[name].client);
}

before(async () => {
  server = await Server.start();
  client = server.client();
  open.push(client);
  await use('anna');
  await use('bob', [statement('Deny', 'kms:*')]);
  await use('carl', all);
  await use('eve', all, partner);
  await use('pia', undefined, partner);
  await use('max', [statement('Deny', 'kms:RetireGrant')], partner);
  await withFile(document({ Effect: 'Allow', Principal: { AWS: rootArn(account) },
    Action: 'sts:AssumeRole' }), (file) => admin(server, 'role', 'create', '--name', 'Worker',
    '--policy-file', file));
});
after(async () => {
  for (const each of open) each.destroy();
  await server.stop();
});

// newKey makes a key that the partner may make grants for.
async function newKey() {
  const { KeyMetadata } = await client.send(new kms.CreateKeyCommand({ Policy: JSON.stringify(
    document(statement('Allow', 'kms:*', { Principal: { AWS: rootArn(account) } }),
      statement('Allow', 'kms:CreateGrant', { Principal: { AWS: partner } }))) }));
  return KeyMetadata.Arn;
}
const grant = (KeyId, more = {}, as = client) => as.send(new kms.CreateGrantCommand({ KeyId,
  GranteePrincipal: userArn('anna'), Operations: ['Encrypt', 'RetireGrant'], ...more }));
const retire = (as, { GrantToken }) => as.send(new kms.RetireGrantCommand({ GrantToken }));
async function denied(promise, pattern) {
  const error = await failure(promise);
  assert.equal(error.name, 'AccessDeniedException', error.message);
  assert.match(error.message, pattern);
}
const identityDeny = /with an explicit deny in an identity-based policy$/;
const noIdentity = /because no identity-based policy allows the kms:RetireGrant action$/;
const hidden = /on this resource because the resource does not exist in this Region/;

test('a Deny keeps whom a grant names from retiring it', async () => {
  const KeyId = await newKey();
  const bob = people.bob.client;
  for (const more of [{ RetiringPrincipal: userArn('bob') }, { GranteePrincipal: userArn('bob') }]) {
    await denied(retire(bob, await grant(KeyId, more)), identityDeny);
  }
  const theirs = await grant(KeyId, { RetiringPrincipal: userArn('max', partner) });
  await denied(retire(people.max.client, theirs), /RetireGrant on this resource with an explicit deny/);
  // Who is named needs no policy of its own, in whichever account.
  await retire(people.anna.client, await grant(KeyId));
  await retire(people.pia.client, await grant(KeyId, { RetiringPrincipal: userArn('pia', partner) }));
});

test('a role that a grant names retires it within session policy and boundary', async () => {
  const KeyId = await newKey();
  const sts = new STSClient({ endpoint: server.url, region, credentials: people.carl.credentials });
  open.push(sts);
  const session = async (Policy) => {
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn,
      RoleSessionName: 'job', Policy: Policy && JSON.stringify(document(Policy)) }));
    const as = server.client({ credentials: { accessKeyId: Credentials.AccessKeyId,
      secretAccessKey: Credentials.SecretAccessKey, sessionToken: Credentials.SessionToken } });
    open.push(as);
    return as;
  };
  const plain = await session();
  const narrow = await session(statement('Allow', 'kms:DescribeKey'));
  const silent = /because no session policy allows the kms:RetireGrant action$/;
  for (const more of [{ RetiringPrincipal: roleArn }, { GranteePrincipal: roleArn }]) {
    const made = await grant(KeyId, more);
    await denied(retire(narrow, made), silent);
    await retire(plain, made);
  }
  const itself = { RetiringPrincipal: `arn:aws:sts::${account}:assumed-role/Worker/job` };
  await retire(narrow, await grant(KeyId, itself));
  const denying = await session(statement('Deny', 'kms:*'));
  await denied(retire(denying, await grant(KeyId, itself)),
    /with an explicit deny in a session policy$/);
  await withFile(document(statement('Allow', 'kms:Encrypt')), (file) => admin(server, 'role',
    'put-boundary', '--name', 'Worker', '--policy-file', file));
  await denied(retire(plain, await grant(KeyId, { RetiringPrincipal: roleArn })),
    /because no permissions boundary allows the kms:RetireGrant action$/);
});

test('accounts that have to do with a grant retire it through their identity policies', async () => {
  const KeyId = await newKey();
  const { eve, pia, max, carl, anna } = people;
  const delegated = await grant(KeyId, { RetiringPrincipal: rootArn(partner), Operations: ['Encrypt'] });
  const { Grants } = await eve.client.send(new kms.ListRetirableGrantsCommand(
    { RetiringPrincipal: rootArn(partner) }));
  assert.deepEqual(Grants.map((each) => each.GrantId), [delegated.GrantId]);
  await denied(retire(pia.client, delegated), /RetireGrant on this resource because no identity/);
  await denied(retire(max.client, delegated), /RetireGrant on this resource with an explicit deny/);
  await retire(eve.client, delegated);
  // The account that issued a grant.
  const issued = await grant(KeyId, { Operations: ['Encrypt'] }, eve.client);
  await denied(retire(pia.client, issued), /RetireGrant on this resource because no identity/);
  await eve.client.send(new kms.RetireGrantCommand({ KeyId, GrantId: issued.GrantId }));
  // The account of the key; and one that has nothing to do with the grant.
  const own = await grant(KeyId, { GranteePrincipal: userArn('carl'), Operations: ['Encrypt'] });
  await denied(retire(anna.client, own), noIdentity);
  for (const as of [eve, max]) await denied(retire(as.client, own), hidden);
  await retire(carl.client, own);
});

test('a grantee may be named in the partition of the Region', async () => {
  const at = (options = {}) => {
    const made = server.client({ region: 'cn-north-1', ...options });
    open.push(made);
    return made;
  };
  const [owner, anna] = [at(), at({ credentials: people.anna.credentials })];
  const { KeyMetadata: { KeyId } } = await owner.send(new kms.CreateKeyCommand({}));
  const china = userArn('anna').replace('arn:aws:', 'arn:aws-cn:');
  const made = await grant(KeyId, { GranteePrincipal: china, RetiringPrincipal: china,
    Operations: ['Encrypt'] }, owner);
  await anna.send(new kms.EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
  for (const name of [china, userArn('anna')]) {
    for (const input of [{}, { GrantId: made.GrantId }]) {
      const { Grants } = await owner.send(new kms.ListGrantsCommand({ KeyId,
        GranteePrincipal: name, ...input }));
      assert.deepEqual(Grants.map((each) => each.GranteePrincipal), [china]);
    }
    const { Grants } = await owner.send(new kms.ListRetirableGrantsCommand(
      { RetiringPrincipal: name }));
    assert.deepEqual(Grants.map((each) => each.RetiringPrincipal), [china]);
  }
  await retire(anna, made);
  assert.deepEqual((await owner.send(new kms.ListRetirableGrantsCommand(
    { RetiringPrincipal: china }))).Grants, []);
});

test('principals that nobody can be are refused', async () => {
  const KeyId = await newKey();
  for (const bad of [`arn:foo:iam::${account}:user/anna`,
    `arn:aws:iam:us-east-1:${account}:user/anna`, `arn:aws:iam::${account}:group/anna`,
    `arn:aws:sts::${account}:assumed-role/Worker/a/b`, `arn:aws:sts::${account}:federated-user/`,
    `arn:aws:sts::${account}:user/anna`, account]) {
    for (const more of [{ GranteePrincipal: bad }, { RetiringPrincipal: bad }]) {
      const error = await failure(grant(KeyId, more));
      assert.equal(error.name, 'InvalidArnException', bad);
      assert.equal(error.message, `ARN is not valid: ${bad}`);
    }
  }
});

test('a value of a constraint has up to 384 characters', async () => {
  const KeyId = await newKey();
  for (const kind of ['EncryptionContextEquals', 'EncryptionContextSubset']) {
    const make = (value) => grant(KeyId, { Operations: ['Encrypt'],
      Constraints: { [kind]: { name: value } } });
    await make('\u00e9'.repeat(384));
    assert.equal((await failure(make('v'.repeat(385)))).name, 'ValidationException');
  }
});
