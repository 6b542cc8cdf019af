// Users for a test file: made by `keyturn admin`, each with one policy and a client.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { belongs } from './seen.mjs';
import { run } from './server.mjs';

// admin runs an administrative command and returns its JSON answer.
export async function admin(server, ...args) {
  const done = await run(['admin', ...args, '--data-dir', server.dataDir]);
  if (done.code !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout || '{}');
}

// withFile calls use with the name of a file that has this text.
export async function withFile(text, use) {
  const root = await mkdtemp(path.join(tmpdir(), 'keyturn-file-'));
  const name = path.join(root, 'document');
  await writeFile(name, typeof text === 'string' ? text : JSON.stringify(text));
  try {
    return await use(name);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

export const putPolicy = (server, name, statements, ...more) =>
  withFile({ Version: '2012-10-17', Statement: statements }, (file) =>
    admin(server, 'user', 'put-policy', '--name', name, '--policy-name', 'main', '--policy-file',
      file, ...more));

// person makes a user with a policy of these statements and returns its credentials.
export async function person(server, name, statements, ...more) {
  await admin(server, 'user', 'create', '--name', name, ...more);
  if (statements) await putPolicy(server, name, statements, ...more);
  const key = await admin(server, 'access-key', 'create', '--user', name, ...more);
  const at = more.indexOf('--account');
  if (at >= 0) belongs(key.AccessKeyId, more[at + 1]);
  return { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey };
}
