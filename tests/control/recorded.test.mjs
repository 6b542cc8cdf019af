// Do recorded runs say again what they said, in every format, and truly what changed between them?
// The server is gone; what the oracle knows is what was done to its keys.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Recorded, reports } from '../lib/recorded.mjs';

let recorded;
before(async () => { recorded = await Recorded.make(); });
after(() => recorded.remove());
const again = (...args) => recorded.keyturn('report', ...args);

test('report --from a bundle writes the bytes that the audit wrote, in every format', async () => {
  const outs = reports.map((name) => recorded.file(`again-${name}`));
  const { code, stderr } = await again('--from', recorded.file('first'), ...outs.flatMap((out) => ['--out', out]));
  assert.equal(code, 0, stderr);
  for (const name of reports) {
    const text = recorded.read(name);
    assert.ok(text.length > 100, name);
    assert.equal(recorded.read(`again-${name}`), text, name);
  }
  assert.match(recorded.read('audit.html'), /retired in spring/);
});

test('report --from an audit\'s JSON is the same as from its bundle', async () => {
  const formats = ['table', 'json', 'csv', 'junit', 'sarif', 'ocsf', 'oscal', 'asff', 'prometheus', 'html'];
  for (const format of formats) {
    const one = await again('--from', recorded.file('second/audit.json'), '--format', format);
    const two = await again('--from', recorded.file('second'), '--format', format);
    assert.equal(one.code, 0, one.stderr);
    assert.ok(one.stdout.length > 100);
    assert.equal(one.stdout, two.stdout, format);
  }
  const html = await again('--from', recorded.file('third'), '--journal', recorded.file('journal'), '--format', 'html');
  assert.match(html.stdout, /a test/);
});

test('diff says what was changed, and nothing else', async () => {
  const { keys } = recorded;
  const { code, stdout } = await recorded.keyturn('diff', recorded.file('first'), recorded.file('second'),
    '--format', 'json');
  assert.equal(code, 3);
  const diff = JSON.parse(stdout);
  const found = Object.fromEntries(diff.changes.map(({ arn, kind, before: was, after: is }) => [arn, `${kind}: ${was} -> ${is}`]));
  assert.deepEqual(found, {
    [keys.legacy]: 'worse: EXCEPTED -> FAIL',  // the second audit was not given the exceptions
    [keys.neglected]: 'worse: PASS -> FAIL',
    [keys['new-and-failing']]: 'worse: null -> FAIL',
    [keys.mended]: 'better: FAIL -> PASS',
    [keys.slower]: 'period: 365 days -> 180 days',
    [keys['new-and-fine']]: 'new: null -> PASS',
  });
  assert.equal(diff.regression, true);
  assert.equal(diff.totals.unchanged, recorded.json('audit.json').totals.listed - 4);
  const table = await recorded.keyturn('diff', recorded.file('first'), recorded.file('second'));
  assert.equal(table.code, 3);
  assert.match(table.stdout, /something got worse/);
  for (const name of ['mended', 'neglected', 'slower', 'new-and-fine']) {
    assert.ok(table.stdout.includes(`alias/${name}`), table.stdout);
  }
});

test('diff is no regression where things got better, or nothing happened', async () => {
  const better = await recorded.keyturn('diff', recorded.file('second'), recorded.file('third'), '--format', 'json');
  assert.equal(better.code, 0);
  const { changes } = JSON.parse(better.stdout);
  assert.ok(changes.length > 10 && changes.every((line) => line.kind === 'better'));
  const same = await recorded.keyturn('diff', recorded.file('first'), recorded.file('first/audit.json'));
  assert.equal(same.code, 0);
  assert.match(same.stdout, /Nothing changed in \d+ keys/);
});

test('a trend over several runs: one point each, in order of time, whatever order they come in', async () => {
  const runs = ['first', 'second', 'third'].map((name) => recorded.file(name));
  const csv = await again('--trend', ...runs);
  assert.equal(csv.code, 0, csv.stderr);
  const rows = csv.stdout.trimEnd().split('\r\n').map((row) => row.split(','));
  const column = (name) => rows.slice(1).map((row) => row[rows[0].indexOf(name)]);
  const told = ['first', 'second', 'third'].map((name) => recorded.json(`${name}/audit.json`));
  assert.deepEqual(column('run_id'), told.map((run) => run.run_id));
  assert.deepEqual(column('FAIL').map(Number), told.map((run) => run.totals.by_verdict.FAIL));
  assert.deepEqual(column('listed').map(Number), told.map((run) => run.totals.listed));
  assert.equal((await again('--trend', runs[2], runs[0], runs[1])).stdout, csv.stdout);
  const json = JSON.parse((await again('--trend', ...runs, '--format', 'json')).stdout);
  assert.deepEqual(json.runs.map((run) => run.by_verdict), told.map((run) => run.totals.by_verdict));
  const page = await again('--trend', ...runs, '--out', recorded.file('trend.html'));
  assert.equal(page.code, 0, page.stderr);
  const html = recorded.read('trend.html');
  for (const run of told) assert.ok(html.includes(run.run_id.slice(0, 8)));
  assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//);
});

test('what is no recorded run is refused, naming the file and the member', async () => {
  const refused = async (words, ...args) => {
    const { code, stdout, stderr } = await recorded.keyturn(...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
    assert.equal(stdout, '');
  };
  const bad = (name, change) => {
    const run = JSON.parse(readFileSync(recorded.file('first/audit.json')));
    change(run);
    writeFileSync(recorded.file(name), JSON.stringify(run));
    return recorded.file(name);
  };
  writeFileSync(recorded.file('torn.json'), recorded.read('audit.json').slice(0, -300));
  await refused(/torn\.json/, 'report', '--from', recorded.file('torn.json'));
  await refused(/nowhere/, 'report', '--from', recorded.file('nowhere'));
  await refused(/other\.json.*format/, 'report', '--from', bad('other.json', (run) => { run.format = 'x'; }));
  await refused(/newer\.json.*newer/, 'diff', recorded.file('first'),
    bad('newer.json', (run) => { run.format = 'keyturn.audit.v9'; }));
  await refused(/verdict\.json.*verdict/, 'report', '--from',
    bad('verdict.json', (run) => { run.keys[0].verdict = 'MAYBE'; }));
  await refused(/totals\.json.*totals/, 'report', '--trend', recorded.file('first'),
    bad('totals.json', (run) => { run.totals.by_verdict.PASS += 1; }));
  await refused(/given twice/, 'report', '--trend', recorded.file('first'), recorded.file('first/audit.json'));
  await refused(/a trend is html, csv or json/, 'report', '--trend', recorded.file('first'), '--format', 'sarif');
  await refused(/--from RUN is required/, 'report');
});
