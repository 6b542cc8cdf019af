// A SoftHSM 2 token in a directory of a test's own.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const softhsm = '/usr/lib/softhsm/libsofthsm2.so';
// SoftHSM until a file says that it crashes or hangs (tests/pkcs11/bad_module.cc).
export const badModule = path.join(path.dirname(process.env.KEYTURN_BIN ?? '.'),
  'src/hsm/libpkcs11_bad_module.so');

export class SoftHsm {
  constructor() {
    this.root = mkdtempSync(path.join(tmpdir(), 'keyturn-softhsm-'));
    mkdirSync(path.join(this.root, 'tokens'));
    this.conf = path.join(this.root, 'softhsm2.conf');
    writeFileSync(this.conf, `directories.tokendir = ${this.root}/tokens\n`
      + 'objectstore.backend = file\nlog.level = ERROR\n');
    this.misbehaviour = path.join(this.root, 'misbehaviour');
  }

  get env() { return { SOFTHSM2_CONF: this.conf, KEYTURN_BAD_MODULE_FILE: this.misbehaviour }; }

  run(args) {
    return execFileSync('softhsm2-util', args, { env: { ...process.env, ...this.env },
      encoding: 'utf8' });
  }

  initialize(label, pin) {
    this.run(['--init-token', '--free', '--label', label, '--so-pin', 'so-password', '--pin', pin]);
  }

  // misbehave: "crash encrypt", "hang login" and so on; nothing to behave again.
  misbehave(how = '') { writeFileSync(this.misbehaviour, how); }

  remove() { rmSync(this.root, { recursive: true }); }
}
