// Have the conformance suites, together, seen every operation succeed, answer with each error that the
// model declares for it, take each spelling of a key's name or refuse it, and serve or refuse other
// accounts? It runs behind them and reads what they have noted (tests/lib/seen.mjs). What was not seen
// stands here with the reason why it cannot be.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const model = JSON.parse(readFileSync(path.join(here, '../data/kms-model.json'), 'utf8'));
const directory = process.env.KEYTURN_SEEN;
assert.ok(directory, 'KEYTURN_SEEN names no directory: run this by ctest, which runs the suites first');

// seen: operation to its lines, each [outcome, spelling, whose].
const seen = new Map(Object.keys(model.operations).map((name) => [name, []]));
for (const file of readdirSync(here)) {
  const notes = path.join(directory, file.replace('.test.mjs', '.seen'));
  if (!existsSync(notes)) continue;
  for (const line of readFileSync(notes, 'utf8').split('\n').filter(Boolean)) {
    const [operation, ...rest] = line.split('\t');
    seen.get(operation)?.push(rest);
  }
}
const outcomes = (operation) => new Set(seen.get(operation).map(([outcome]) => outcome));

// Errors that every operation may have without declaring them.
const common = ['AccessDeniedException', 'IncompleteSignature', 'IncompleteSignatureException',
  'InvalidClientTokenIdException', 'InvalidSignatureException', 'MissingAuthenticationTokenException',
  'NotAuthorizedException', 'RequestExpired', 'SerializationException', 'ThrottlingException',
  'UnrecognizedClientException', 'ValidationException', 'ExpiredTokenException'];

// Declared errors that no request can have: [error, operations or "others", reason]. "others" are all
// that have not been seen to have it; where operations are named, they must not have been.
const never = [
  ['DependencyTimeoutException', 'others', 'only what waits for a token can wait too long'],
  ['KeyUnavailableException', ['DeriveSharedSecret', 'GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext',
    'GenerateMac', 'GetPublicKey', 'Sign', 'Verify', 'VerifyMac'],
  'of keys in custom key stores only, which are symmetric and make no pairs'],
  ['XksProxyUriEndpointInUseException', ['CreateCustomKeyStore', 'UpdateCustomKeyStore'],
    'stores of the other connectivity would have it: docs/compatibility.md'],
  ['XksProxyVpcEndpointServiceInUseException', ['CreateCustomKeyStore', 'UpdateCustomKeyStore'],
    'there are no VPCs: docs/compatibility.md'],
  ['XksProxyVpcEndpointServiceInvalidConfigurationException', ['CreateCustomKeyStore', 'UpdateCustomKeyStore'],
    'there are no VPCs: docs/compatibility.md'],
  ['InvalidAliasNameException', ['CreateAlias'], 'AWS answers ValidationException for every wrong name'],
  ['InvalidArnException', ['CreateKey'], 'no member is an ARN; in a policy it is MalformedPolicyDocumentException'],
  ['KMSInvalidStateException', ['DeleteAlias', 'GetKeyPolicy', 'GetKeyRotationStatus', 'ListGrants', 'ListKeyPolicies',
    'ListKeyRotations', 'PutKeyPolicy', 'RetireGrant', 'RevokeGrant'],
  'served in every state of a key: tests/data/key_states.json'],
  ['DisabledException', ['GetPublicKey'], 'served for disabled keys: tests/data/key_states.json'],
  ['InvalidKeyUsageException', ['GetPublicKey'], 'kinds of keys without one are UnsupportedOperationException'],
  ['UnsupportedOperationException', ['GetKeyRotationStatus'], 'false for keys that do not rotate: docs/compatibility.md'],
  ['UnsupportedOperationException', ['PutKeyPolicy'], 'AccessDeniedException comes first for AWS managed keys'],
  ['InvalidGrantIdException', ['RetireGrant', 'RevokeGrant'], 'NotFoundException: docs/compatibility.md'],
  ['LimitExceededException', ['EnableKey'], 'there is no quota of enabled keys any more'],
  ['LimitExceededException', ['TagResource'], 'more than 50 tags are TagException'],
  ['TagException', ['UntagResource'], 'no way to it is known'],
];

for (const [operation, { errors }] of Object.entries(model.operations)) {
  test(`${operation}: success, and every error that it declares`, () => {
    const found = outcomes(operation);
    const explained = (code, ...kinds) => never.some(([error, operations]) =>
      error === code && kinds.some((kind) => operations.includes(kind)));
    assert.ok(found.has('success'), 'no success');
    assert.deepEqual(errors.filter((code) => !found.has(code) && !explained(code, operation, 'others')), [],
      'neither seen nor explained');
    assert.deepEqual([...found].filter((code) => explained(code, operation)), [], 'explained as impossible, and seen');
    assert.deepEqual([...found].filter((code) => code !== 'success' && !errors.includes(code)
      && !common.includes(code)), [], 'seen, and not declared');
  });
}

// Which operations take aliases, and which may be called for another account's key, as AWS documents.
const keyless = ['ConnectCustomKeyStore', 'CreateCustomKeyStore', 'CreateKey', 'DeleteAlias',
  'DeleteCustomKeyStore', 'DescribeCustomKeyStores', 'DisconnectCustomKeyStore', 'GenerateRandom',
  'ListKeys', 'ListRetirableGrants', 'UpdateCustomKeyStore'];
const takesAliases = ['Decrypt', 'DeriveSharedSecret', 'DescribeKey', 'Encrypt', 'GenerateDataKey',
  'GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext', 'GenerateDataKeyWithoutPlaintext',
  'GenerateMac', 'GetPublicKey', 'ReEncrypt', 'Sign', 'Verify', 'VerifyMac'];
const crossesAccounts = [...takesAliases, 'CreateGrant', 'GetKeyRotationStatus', 'ListGrants', 'RetireGrant',
  'RevokeGrant'];

for (const operation of Object.keys(model.operations).filter((name) => !keyless.includes(name))) {
  test(`${operation}: each spelling of a key's name, and another account`, () => {
    const had = (wanted, spelling, whose) => seen.get(operation).some(([outcome, as, of]) =>
      (outcome === 'success') === wanted && as === spelling && of === whose);
    for (const spelling of ['key id', 'key ARN']) assert.ok(had(true, spelling, 'own'), spelling);
    for (const spelling of ['alias name', 'alias ARN']) {
      const taken = takesAliases.includes(operation);
      assert.ok(had(taken, spelling, 'own'), `${spelling} ${taken ? 'taken' : 'refused'}`);
      assert.ok(taken || !had(true, spelling, 'own'), `${spelling} was taken`);
    }
    const crosses = crossesAccounts.includes(operation);
    assert.ok(had(crosses, 'key ARN', 'cross'), `another account ${crosses ? 'served' : 'refused'}`);
    assert.ok(crosses || !had(true, 'key ARN', 'cross'), 'another account was served');
  });
}

// What waits for a token must have been seen to wait too long, and to find it busy or gone.
test('tokens have failed under every operation that needs one', () => {
  const uses = ['Decrypt', 'Encrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'ReEncrypt'];
  for (const operation of [...uses, 'CreateKey', 'GenerateRandom']) {
    assert.ok(outcomes(operation).has('DependencyTimeoutException'), operation);
  }
  for (const operation of uses) assert.ok(outcomes(operation).has('KeyUnavailableException'), operation);
});
