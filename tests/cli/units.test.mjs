// The systemd units say nothing that systemd does not understand, and are closed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const units = new URL('../../packaging/systemd/', import.meta.url).pathname;

for (const name of readdirSync(units)) {
  test(`${name} is verified and hardened`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'keyturn-units-'));
    try {
      // systemd wants the program to be there.
      const text = readFileSync(join(units, name), 'utf8').replaceAll('/usr/bin/keyturn', process.env.KEYTURN_BIN);
      writeFileSync(join(directory, name), text);
      const verify = spawnSync('systemd-analyze', ['verify', '--man=no', join(directory, name)], { encoding: 'utf8' });
      assert.equal(verify.stderr, '');
      assert.equal(verify.status, 0);
      // Of ten; systemd calls everything below two OK. The threshold is in tenths.
      const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', '--no-pager', join(directory, name)],
        { encoding: 'utf8' });
      assert.equal(security.status, 0, security.stdout.split('\n').slice(-3).join('\n'));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}
