// A server on a throwaway directory and a free loopback port, for one test file.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KMSClient } from '@aws-sdk/client-kms';
import { saw } from './seen.mjs';

export const credentials = {
  accessKeyId: 'AKIAKEYTURNTESTS0000',
  secretAccessKey: 'tests/only/secret/access/key/0123456789a',
};
export const account = '111122223333';
export const region = 'us-east-1';

export class Server {
  static async start({ env = {}, args = [], directory, program } = {}) {
    const server = new Server();
    server.root = directory ?? (await mkdtemp(path.join(tmpdir(), 'keyturn-test-')));
    server.keep = directory !== undefined;
    server.env = env;
    server.args = args;
    server.program = program ?? process.env.KEYTURN_BIN;
    await server.launch();
    return server;
  }

  get dataDir() {
    return path.join(this.root, 'data');
  }

  // launch starts the process and waits for its ready line. With samePort, at the address that it had.
  async launch({ samePort = false } = {}) {
    this.process = spawn(
      this.program,
      ['serve', '--dev', '--data-dir', this.dataDir, '--listen', `127.0.0.1:${samePort ? new URL(this.url).port : 0}`, '--threads', '1',
        '--account', account, '--access-key-id', credentials.accessKeyId,
        '--secret-access-key', credentials.secretAccessKey, ...this.args],
      { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.errors = '';
    this.process.stderr.on('data', (chunk) => (this.errors += chunk));
    this.exited = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
    });
    const ready = new Promise((resolve) => {
      let text = '';
      this.process.stdout.on('data', (chunk) => {
        text += chunk;
        const line = /^ready (\S+)$/m.exec(text);
        if (line) resolve(line[1]);
      });
    });
    const outcome = await Promise.race([ready, this.exited]);
    if (typeof outcome !== 'string') throw new Error(`server did not start: ${this.errors}`);
    this.url = outcome;
  }

  client(options = {}) {
    const client = new KMSClient({ endpoint: this.url, region, credentials, maxAttempts: 1, ...options });
    const caller = (options.credentials ?? credentials).accessKeyId;
    client.middlewareStack.add((next, { commandName }) => async (args) => {
      const note = (outcome) =>
        saw(commandName.replace(/Command$/, ''), args.input, caller, account, outcome);
      try {
        const answer = await next(args);
        note('success');
        return answer;
      } catch (error) {
        if (error.$metadata?.httpStatusCode) note(error.name);
        throw error;
      }
    }, { step: 'initialize' });
    return client;
  }

  async kill(signal = 'SIGKILL') {
    this.process.kill(signal);
    return this.exited;
  }

  async stop() {
    const end = await this.kill('SIGTERM');
    if (!this.keep) await rm(this.root, { recursive: true, force: true });
    return end;
  }
}

// run starts the program with arguments and returns what it printed.
export function run(args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.env.KEYTURN_BIN, args, options);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('exit', (code) => resolve({ code, stdout, stderr }));
  });
}

// failure calls a client and returns the error it must end with.
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the call succeeded');
}
