// Measures what conditions and grants cost: the same signed calls, by a caller whom the default key
// policy and an identity policy allow, by one whom the last of many conditional statements of the
// key's policy allows, and by one whom only the last of the key's grants allows, after all
// statements were judged in vain. Part of bench/run.mjs (--only access).
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

// What a careful policy has, and what hardly any has.
const sizes = [{ statements: 10, grants: 3 }, { statements: 100, grants: 24 }];
export const account = '111122223333';
const user = (name) => `arn:aws:iam::${account}:user/${name}`;
const cryptography = ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey'];
// What every request says of itself.
export const EncryptionContext = { tenant: 'bench', purpose: 'measure' };

// conditions: all reach the callers and their operations, so that each has to be judged; each is short
// of holding in one place.
function conditions(number) {
  const forms = [
    { Effect: 'Allow', Condition: { StringEquals: { 'kms:EncryptionContext:tenant': `tenant-${number}` } } },
    { Effect: 'Allow', Condition: { StringEquals: { 'aws:PrincipalTag/team': `team-${number}` } } },
    { Effect: 'Deny', Condition: { NotIpAddress: { 'aws:SourceIp': [`10.${number}.0.0/16`, '127.0.0.0/8'] } } },
    { Effect: 'Allow', Condition: { StringLike: { 'kms:EncryptionContext:purpose': ['${aws:username}-*', `p${number}-*`] } } },
    { Effect: 'Allow', Condition: { StringEquals: { 'kms:EncryptionContext:tenant': 'bench' },
      ArnLike: { 'aws:PrincipalArn': user(`other-${number}*`) } } },
  ];
  return { Principal: { AWS: '*' }, Action: cryptography, Resource: '*', ...forms[number % forms.length] };
}

function policy(statements) {
  const list = Array.from({ length: statements - 1 }, (_, number) => conditions(number));
  list.push({ Effect: 'Allow', Principal: { AWS: user('conditional') }, Action: cryptography, Resource: '*',
    Condition: { StringEquals: { 'kms:EncryptionContext:tenant': 'bench', 'aws:PrincipalTag/team': 'bench' },
      IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } });
  return JSON.stringify({ Version: '2012-10-17', Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'kms:*', Resource: '*' },
    ...list] });
}

// prepare makes the callers and keys and returns the cases: { label, KeyId, credentials }.
export async function prepare({ keyturn, work, dataDir, client, kms, credentials }) {
  const admin = (...args) => execFileSync(keyturn, ['admin', ...args, '--data-dir', dataDir], { encoding: 'utf8' });
  const file = path.join(work, 'people.json');
  const tags = { team: 'bench' };
  writeFileSync(file, JSON.stringify({ accounts: { [account]: { users: { conditional: { tags }, grantee: {} } } } }));
  admin('apply', '-f', file);
  const keyOf = (name) => {
    const made = JSON.parse(admin('access-key', 'create', '--user', name));
    return { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey };
  };
  const create = async (input) => (await client.send(new kms.CreateKeyCommand(input))).KeyMetadata.KeyId;
  const cases = [{ label: 'the default policy', KeyId: await create({}), credentials }];
  const callers = { conditional: keyOf('conditional'), grantee: keyOf('grantee') };
  for (const { statements, grants } of sizes) {
    const KeyId = await create({ Policy: policy(statements) });
    for (let i = 1; i <= grants; i += 1) {
      const pairs = { tenant: i === grants ? 'bench' : `tenant-${i}` };
      await client.send(new kms.CreateGrantCommand({ KeyId, GranteePrincipal: user('grantee'),
        Operations: ['Encrypt', 'Decrypt', 'GenerateDataKey'], Name: `grant-${i}`,
        Constraints: i % 2 ? { EncryptionContextEquals: { ...pairs, purpose: 'measure' } }
          : { EncryptionContextSubset: pairs } }));
    }
    cases.push({ label: `${statements} conditional statements`, KeyId, credentials: callers.conditional },
      { label: `the same and ${grants} grants`, KeyId, credentials: callers.grantee });
  }
  return cases;
}
