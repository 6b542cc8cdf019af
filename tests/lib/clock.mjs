// A clock of the server's that a test moves: libfaketime reads it from a file at each look. Only the
// time of day moves; what the server measures (time-outs, limits) does not.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const libraries = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1'];

export class Clock {
  // offset: milliseconds that the server is ahead. A client signs with systemClockOffset: offset.
  offset = 0;

  static async make() {
    const library = libraries.find((file) => existsSync(file));
    assert.ok(library, 'libfaketime is not installed: scripts/test installs it');
    const clock = new Clock();
    clock.root = await mkdtemp(path.join(tmpdir(), 'keyturn-clock-'));
    clock.file = path.join(clock.root, 'clock');
    // env: what the server is started with.
    clock.env = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clock.file, FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    await clock.moveTo(0);
    return clock;
  }

  async moveTo(milliseconds) {
    this.offset = milliseconds;
    await writeFile(`${this.file}.new`, `+${Math.round(milliseconds / 1000)}s\n`);
    await rename(`${this.file}.new`, this.file);
  }

  move = (milliseconds) => this.moveTo(this.offset + milliseconds);
  remove = () => rm(this.root, { recursive: true });
}
