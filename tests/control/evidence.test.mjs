// Does a bundle prove what was concluded from what, to somebody who has only the files? And can
// anything in it be changed unseen? The digests are computed here again, stock tools check the
// signatures, and the server's own trail must know each answer.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Recorded, list, signing } from '../lib/recorded.mjs';
import { credentials, run } from '../lib/server.mjs';

let recorded;
before(async () => { recorded = await Recorded.make(); });
after(() => recorded.remove());

const files = ['audit.json', 'exceptions.yaml', 'manifest.json', 'manifest.json.p7s', 'manifest.json.sig',
  'records.ndjson'];
const bundles = ['first', 'second', 'third', 'applied', 'verified', 'restored'];
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256'));
const spoil = (name, change) => writeFileSync(recorded.file(name), change(readFileSync(recorded.file(name))));
// forge makes links and manifest fit again: what somebody can do who has the files and no key.
function forge(bundle, records, change = () => {}) {
  const manifest = recorded.json(`${bundle}/manifest.json`);
  let link = sha256(`keyturn-evidence-v1\n${manifest.run_id}\n`).digest();
  const links = [];
  const lines = records.map(({ link: old, ...record }) => {
    const text = JSON.stringify(record).slice(0, -1);
    link = sha256(link, text).digest();
    links.push(link.toString('hex'));
    return `${text},"link":"${links.at(-1)}"}\n`;
  });
  writeFileSync(recorded.file(`${bundle}/records.ndjson`), lines.join(''));
  change(bundle);
  Object.assign(manifest.records, { count: lines.length, first_link: links[0], head: links.at(-1),
    calls: records.filter((record) => record.kind === 'call').length });
  for (const file of manifest.files) {
    const bytes = readFileSync(recorded.file(`${bundle}/${file.name}`));
    Object.assign(file, { bytes: bytes.length, sha256: sha256(bytes).digest('hex') });
  }
  writeFileSync(recorded.file(`${bundle}/manifest.json`), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const signature of ['manifest.json.sig', 'manifest.json.p7s']) {
    rmSync(recorded.file(`${bundle}/${signature}`), { force: true });
  }
}

test('a bundle is complete, private, and verified offline', async () => {
  assert.deepEqual(list(recorded.file('first')), files);
  assert.equal(statSync(recorded.file('first')).mode & 0o777, 0o700);
  for (const name of files) assert.equal(statSync(recorded.file(`first/${name}`)).mode & 0o777, 0o600, name);
  assert.equal(recorded.read('first/audit.json'), recorded.read('audit.json'));
  assert.equal(recorded.read('first/exceptions.yaml'), recorded.read('exceptions.yaml'));
  const { code, stdout, stderr } = await recorded.verify('first', '--allowed-signers',
    recorded.file('auditors'), '--ca', signing('ca.pem'));
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^intact: audit of /);
  assert.match(stdout, /called as arn:aws:iam::111122223333:/);
  assert.match(stdout, /signed: by auditor@example\.com, ssh-ed25519 SHA256:/);
  assert.match(stdout, /signed: by CN=Auditor,O=Example/);
  assert.match(stdout, new RegExp(`all ${recorded.json('audit.json').totals.listed} keys follow from`));
});

test('links and digests are what the format says, computed here again', () => {
  for (const bundle of bundles) {
    const manifest = recorded.json(`${bundle}/manifest.json`);
    let link = sha256(`keyturn-evidence-v1\n${manifest.run_id}\n`).digest();
    for (const line of recorded.read(`${bundle}/records.ndjson`).trimEnd().split('\n')) {
      const record = JSON.parse(line);
      link = sha256(link, line.slice(0, line.lastIndexOf(',"link":"'))).digest();
      assert.equal(record.link, link.toString('hex'));
      if (record.kind === 'call') assert.equal(record.body_sha256, sha256(record.body).digest('hex'));
    }
    assert.equal(manifest.records.head, link.toString('hex'));
    for (const file of manifest.files) {
      assert.equal(file.sha256, sha256(readFileSync(recorded.file(`${bundle}/${file.name}`))).digest('hex'));
    }
  }
});

test('every answer is in the server\'s trail under the same request id, and no secret is kept', () => {
  const events = new Map(recorded.trail.map((event) => [event.requestID, event]));
  for (const bundle of bundles) {
    const calls = recorded.records(bundle).filter((record) => record.kind === 'call');
    assert.ok(calls.length > 0);
    for (const call of calls) {
      const event = events.get(call.request_id);
      assert.equal(event?.eventName, call.operation, call.request_id);
      assert.equal(event.awsRegion, call.region);
    }
    for (const name of list(recorded.file(bundle))) {
      const text = readFileSync(recorded.file(`${bundle}/${name}`), 'latin1');
      assert.doesNotMatch(text, /AWS4-HMAC|Authorization|X-Amz-Security-Token/i, name);
      assert.ok(!text.includes(credentials.secretAccessKey) && !text.includes('PRIVATE KEY'), name);
    }
  }
});

test('the commands of the format\'s page check the signatures', () => {
  // As the page shows them, with the names of this test.
  const page = readFileSync(new URL('../../docs/formats/evidence.md', import.meta.url), 'utf8');
  const shown = page.split('## By hand')[1].split('\n').filter((line) => line.startsWith('    ')).map((line) => line.trim()
    .replace('allowed_signers', '../auditors').replace('you@example.com', 'auditor@example.com')
    .replace('ca.pem', signing('ca.pem')).replace('~/.ssh/id_ed25519', '../id'));
  const sh = (command, bundle) => spawnSync('bash', ['-c', `set -o pipefail; ${command}`],
    { cwd: recorded.file(bundle), encoding: 'utf8' });
  const checks = shown.filter((command) => !command.includes('-Y sign'));
  assert.deepEqual(checks.map((command) => command.split(' ')[0]), ['ssh-keygen', 'openssl', 'jq', 'jq']);
  const spoilt = recorded.copy('first');
  spoil(`${spoilt}/manifest.json`, (bytes) => bytes.toString().replace('"audit"', '"audlt"'));
  for (const command of checks) {
    const good = sh(command, 'first');
    assert.equal(good.status, 0, `${command}: ${good.stderr}`);
    if (!command.startsWith('jq')) assert.notEqual(sh(command, spoilt).status, 0, command);
  }
  const changed = recorded.copy('first');
  spoil(`${changed}/audit.json`, (bytes) => `${bytes} `);
  assert.notEqual(sh(checks[2], changed).status, 0);
  // And what ssh-keygen signs afterwards is taken here.
  const later = recorded.copy('second');
  assert.equal(sh(shown.find((command) => command.includes('-Y sign')), later).status, 0);
  assert.match(execFileSync(process.env.KEYTURN_BIN, ['evidence', 'verify', recorded.file(later),
    '--allowed-signers', recorded.file('auditors')], { encoding: 'utf8' }), /signed: by auditor@example\.com/);
});

test('a byte changed in any file is found, and the file is named', async () => {
  for (const bundle of ['first', 'applied']) {
    for (const name of list(recorded.file(bundle))) {
      for (const part of [0, 0.37, 0.74]) {
        const copy = recorded.copy(bundle);
        spoil(`${copy}/${name}`, (bytes) => {
          bytes[Math.floor(bytes.length * part)] ^= 0x01;
          return bytes;
        });
        const { code, stderr } = await recorded.verify(copy);
        assert.equal(code, 1, `${bundle}/${name} at ${part}`);
        assert.ok(stderr.includes(name), `${name} at ${part}: ${stderr}`);
      }
    }
  }
});

test('a file removed, added, or of another run is found', async () => {
  for (const name of ['audit.json', 'exceptions.yaml', 'records.ndjson']) {
    const copy = recorded.copy('first');
    rmSync(recorded.file(`${copy}/${name}`));
    const { code, stderr } = await recorded.verify(copy);
    assert.equal(code, 1, name);
    assert.ok(stderr.includes(name), stderr);
  }
  const more = recorded.copy('first');
  writeFileSync(recorded.file(`${more}/notes.txt`), 'x');
  const added = await recorded.verify(more);
  assert.equal(added.code, 1);
  assert.match(added.stderr, /notes\.txt: is not in the manifest/);
  for (const name of ['audit.json', 'records.ndjson', 'manifest.json']) {
    const copy = recorded.copy('second');
    writeFileSync(recorded.file(`${copy}/${name}`), recorded.read(`third/${name}`));
    assert.equal((await recorded.verify(copy)).code, 1, name);
  }
});

test('a forged answer or verdict does not hold, even where digests and links are made to fit', async () => {
  const { neglected } = recorded.keys;
  const answer = recorded.copy('second');
  forge(answer, recorded.records(answer).map((record) => {
    if (record.operation !== 'GetKeyRotationStatus' || !record.request.includes(neglected.split('/')[1])) return record;
    const body = JSON.stringify({ ...JSON.parse(record.body), KeyRotationEnabled: true, RotationPeriodInDays: 365 });
    return { ...record, body, body_sha256: sha256(body).digest('hex') };
  }));
  const forged = await recorded.verify(answer);
  assert.equal(forged.code, 1);
  assert.match(forged.stderr, /audit\.json: does not follow from the recorded answers/);
  assert.ok(forged.stderr.includes(neglected), forged.stderr);
  const verdict = recorded.copy('second');
  forge(verdict, recorded.records(verdict), () => spoil(`${verdict}/audit.json`, (bytes) => {
    const run = JSON.parse(bytes);
    const key = run.keys.find((each) => each.arn === neglected);
    Object.assign(key, { verdict: 'PASS', raw_verdict: 'PASS' });
    run.totals.by_verdict.FAIL -= 1;
    run.totals.by_verdict.PASS += 1;
    return JSON.stringify(run);
  }));
  assert.equal((await recorded.verify(verdict)).code, 1);
  // Made up throughout it is intact: then only the signature tells.
  const again = recorded.copy('first');
  forge(again, recorded.records(again));
  const unsigned = await recorded.verify(again);
  assert.equal(unsigned.code, 0, unsigned.stderr);
  assert.match(unsigned.stdout, /not signed: whoever could write these files/);
  for (const trust of [['--allowed-signers', recorded.file('auditors')], ['--ca', signing('ca.pem')]]) {
    assert.equal((await recorded.verify(again, ...trust)).code, 1, trust[0]);
  }
});

test('whoever may not sign is not believed', async () => {
  writeFileSync(recorded.file('others'), `other@example.com ${readFileSync(signing('ed25519.pub'), 'utf8')}`);
  for (const trust of [['--allowed-signers', recorded.file('others')], ['--ca', signing('other-ca.pem')]]) {
    const { code, stderr } = await recorded.verify('first', ...trust);
    assert.equal(code, 1, trust[0]);
    assert.match(stderr, /manifest\.json\.(sig|p7s)/);
  }
});

test('changes are recorded with their answers, and the journal must fit them', async () => {
  for (const bundle of ['applied', 'verified', 'restored']) {
    const { code, stdout, stderr } = await recorded.verify(bundle);
    assert.equal(code, 0, stderr);
    const writes = recorded.records(bundle).filter((record) => /^(En|Dis)ableKeyRotation$/.test(record.operation));
    assert.ok(bundle === 'verified' ? writes.length === 0 : writes.length > 5);
    assert.ok(stdout.includes(`changes: ${writes.length} with their answers`), stdout);
  }
  const copy = recorded.copy('restored');
  const records = recorded.records(copy);
  const gone = records.findIndex((record) => record.operation === 'DisableKeyRotation');
  const { request_id: id } = records[gone];
  records.splice(gone, 1);
  records.forEach((record, i) => { record.seq = i; });
  records.at(-1).calls -= 1;
  forge(copy, records);
  const { code, stderr } = await recorded.verify(copy);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`journal\\.jsonl: tells of request ${id}`));
});

test('a run that did not finish is no evidence of a whole one: exit code 4', async () => {
  const copy = recorded.copy('second');
  rmSync(recorded.file(`${copy}/manifest.json`));
  spoil(`${copy}/records.ndjson`, (bytes) => bytes.subarray(0, bytes.length - 40));
  const { code, stderr } = await recorded.verify(copy);
  assert.equal(code, 4);
  assert.match(stderr, /did not finish, or goes on: manifest\.json is missing/);
});

test('what cannot be recorded or signed is refused before the first call, and leaves nothing', async () => {
  // Nothing listens at the endpoint any more: a call would be a region that is not scanned.
  const refused = async (words, ...args) => {
    const { code, stderr } = await recorded.keyturn('audit', ...recorded.target, ...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
  };
  const record = ['--record', recorded.file('none')];
  await refused(/second: is there already/, '--record', recorded.file('second'));
  await refused(/passphrase/, ...record, '--sign-key', signing('ed25519-passphrase'));
  await refused(/ssh-rsa; only ssh-ed25519/, ...record, '--sign-key', signing('rsa'));
  await refused(/does not belong to the certificate/, ...record, '--sign-cert', signing('ca.pem'),
    '--sign-cert-key', signing('signer.key'));
  await refused(/--sign-cert needs --sign-cert-key/, ...record, '--sign-cert', signing('signer.pem'));
  await refused(/--record/, '--sign-key', recorded.file('id'));
  await refused(/does not go with --cache or --state/, ...record, '--state', recorded.file('state'));
  assert.deepEqual(list(recorded.file('none')), []);
  const used = await recorded.keyturn('apply', recorded.file('plan'), '--auto-approve', '--journal',
    recorded.file('journal'), ...record);
  assert.equal(used.code, 1, used.stderr);
  assert.match(used.stderr, /journal/);
  assert.deepEqual(list(recorded.file('none')), []);
  const nothing = await run(['evidence', 'verify', recorded.file('nowhere')]);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /nowhere: is no evidence bundle/);
});
