// Recorded runs of a server, for the suites that look at what they prove and what they say. Three
// audits with changes between them, and the evidence of a whole cycle of changes; then the server is
// gone: whatever is asked of the records is asked offline.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as kms from '@aws-sdk/client-kms';
import { Server, credentials, region, run } from './server.mjs';
import { trailRecords } from './trail.mjs';

export const signing = (name) => new URL(`../data/signing/${name}`, import.meta.url).pathname;
export const reports = ['audit.json', 'audit.csv', 'audit.html', 'audit.xml', 'audit.sarif', 'audit.ndjson',
  'audit.oscal.json', 'audit.asff.ndjson', 'audit.prom', 'audit.txt'];

export class Recorded {
  static async make() {
    const recorded = new Recorded();
    recorded.dir = mkdtempSync(path.join(tmpdir(), 'keyturn-recorded-'));
    recorded.server = await Server.start();
    recorded.env = { PATH: process.env.PATH, HOME: recorded.dir, AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
    try {
      await recorded.live();
    } catch (error) {
      await recorded.server.stop();
      recorded.remove();
      throw error;
    }
    return recorded;
  }

  file(name) { return path.join(this.dir, name); }
  read(name) { return readFileSync(this.file(name), 'utf8'); }
  json(name) { return JSON.parse(this.read(name)); }
  // records of a bundle, parsed.
  records(bundle) { return this.read(`${bundle}/records.ndjson`).trimEnd().split('\n').map(JSON.parse); }
  keyturn(...args) { return run(args, { env: this.env, cwd: this.dir }); }
  verify(bundle, ...args) { return this.keyturn('evidence', 'verify', this.file(bundle), ...args); }
  remove() { rmSync(this.dir, { recursive: true, force: true }); }

  // copy makes one that may be spoiled.
  copy(bundle) {
    this.copies = (this.copies ?? 0) + 1;
    const name = `copy-${this.copies}`;
    cpSync(this.file(bundle), this.file(name), { recursive: true });
    return name;
  }

  async live() {
    const { server } = this;
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'auditor', '-f', this.file('id')]);
    writeFileSync(this.file('auditors'), `auditor@example.com ${this.read('id.pub')}`);
    await this.fill();
    writeFileSync(this.file('exceptions.yaml'), 'version: 1\nexceptions:\n  - id: legacy\n    match: { alias: alias/legacy }\n'
      + '    owner: payments\n    approver: security\n    ticket: SEC-1\n    reason: retired in spring\n'
      + '    expires: 2099-12-31\n');
    this.target = ['--endpoint-url', server.url, '--region', region];
    const signed = ['--sign-key', this.file('id'), '--sign-cert', signing('signer.pem'),
      '--sign-cert-key', signing('signer.key')];
    await this.audit('first', 3, ...signed, '--exceptions', this.file('exceptions.yaml'),
      ...reports.flatMap((name) => ['--out', this.file(name)]));
    await this.change();
    await this.audit('second', 3);
    await this.step(0, 'plan', ...this.target, '--out', this.file('plan'));
    await this.step(0, 'apply', this.file('plan'), '--auto-approve', '--journal', this.file('journal'),
      '--record', this.file('applied'), '--sign-key', this.file('id'));
    await this.step(0, 'verify', '--journal', this.file('journal'), '--record', this.file('verified'));
    await this.audit('third', 0);
    await this.step(0, 'backout', '--journal', this.file('journal'), '--auto-approve', '--reason', 'a test',
      '--record', this.file('restored'));
    await server.kill('SIGTERM');
    this.trail = trailRecords(server.dataDir);
    await server.stop();
  }

  async step(code, ...args) {
    const done = await this.keyturn(...args);
    assert.equal(done.code, code, `${args[0]}: ${done.stdout}${done.stderr}`);
    return done;
  }

  audit(bundle, code, ...args) {
    return this.step(code, 'audit', ...this.target, '--record', this.file(bundle), ...args);
  }

  // fill: keys of every kind, and names of those that change later.
  async fill() {
    const fleet = spawn(process.execPath, [new URL('fleet.mjs', import.meta.url).pathname, region, '30'],
      { env: { ...this.env, AWS_ENDPOINT_URL_KMS: this.server.url }, stdio: 'ignore' });
    assert.equal(await new Promise((resolve) => { fleet.on('exit', resolve); }), 0);
    const client = this.server.client();
    this.keys = {};
    const make = async (name, rotates) => {
      const { KeyMetadata } = await client.send(new kms.CreateKeyCommand({ Description: name }));
      this.keys[name] = KeyMetadata.Arn;
      await client.send(new kms.CreateAliasCommand({ AliasName: `alias/${name}`, TargetKeyId: KeyMetadata.Arn }));
      if (rotates) await client.send(new kms.EnableKeyRotationCommand({ KeyId: KeyMetadata.Arn }));
    };
    await make('legacy', false);
    await make('mended', false);
    await make('neglected', true);
    await make('slower', true);
    this.make = make;
  }

  // change is what the second audit has to find.
  async change() {
    const client = this.server.client();
    await client.send(new kms.EnableKeyRotationCommand({ KeyId: this.keys.mended }));
    await client.send(new kms.DisableKeyRotationCommand({ KeyId: this.keys.neglected }));
    await client.send(new kms.EnableKeyRotationCommand({ KeyId: this.keys.slower, RotationPeriodInDays: 180 }));
    await this.make('new-and-failing', false);
    await this.make('new-and-fine', true);
  }
}

// list: names in a directory, sorted.
export const list = (directory) => (existsSync(directory) ? readdirSync(directory).sort() : []);
