// What the suites have seen the program answer, for tests/conformance/coverage.test.mjs: one line for
// each combination of operation, outcome ("success" or the error's name), spelling of the key's name
// and whose key it is. Written to a file of the suite's own in KEYTURN_SEEN, which CTest sets.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const directory = process.env.KEYTURN_SEEN;
const suite = path.basename(process.argv[1] ?? 'suite', '.test.mjs');
const file = directory && path.join(directory, `${suite}.seen`);
const lines = new Set();
const accounts = new Map();

if (directory) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(file, '');
}

// belongs tells whose credentials these are, where they are not the usual account's.
export const belongs = (accessKeyId, account) => accounts.set(accessKeyId, account);

// The members that name a key, one an operation; the first that a request has counts.
const members = ['KeyId', 'TargetKeyId', 'DestinationKeyId', 'SourceKeyId'];

export function spellingOf(name) {
  if (typeof name !== 'string') return 'none';
  const what = name.includes('alias/') ? 'alias' : 'key';
  return name.startsWith('arn:') ? `${what} ARN` : `${what} ${what === 'key' ? 'id' : 'name'}`;
}

// saw notes one answer.
export function saw(operation, input, accessKeyId, usual, outcome) {
  if (!file) return;
  const name = input?.[members.find((each) => input[each] !== undefined)];
  const owner = typeof name === 'string' ? /^arn:[^:]+:kms:[^:]*:(\d{12}):/.exec(name)?.[1] : undefined;
  const own = owner === undefined || owner === (accounts.get(accessKeyId) ?? usual);
  const line = [operation, outcome, spellingOf(name), own ? 'own' : 'cross'].join('\t');
  if (lines.has(line)) return;
  lines.add(line);
  appendFileSync(file, `${line}\n`);
}
