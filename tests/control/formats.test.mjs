// Do the reports for other tools fit the schemas that those tools read? The reports are the golden
// files, which have a key of every verdict, regions that were not scanned, and hostile names.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { oscalSchema } from './oscal_schema.mjs';

const require = createRequire(import.meta.url);
const golden = (name) => readFile(
  fileURLToPath(new URL(`../golden/report/${name}`, import.meta.url)), 'utf8');
const lines = (text) => text.trimEnd().split('\n').map((line) => JSON.parse(line));
const audit = JSON.parse(await golden('audit.json'));
const verdictOf = new Map(audit.keys.map((key) => [key.arn, key.verdict]));
const unscanned = audit.regions.filter((region) => region.status !== 'scanned');

function run(command, args, { env, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env });
    let output = '';
    child.stdout.on('data', (chunk) => { output += chunk; });
    child.stderr.on('data', (chunk) => { output += chunk; });
    child.on('error', reject);
    child.on('exit', (code) => resolve({ code, output }));
    child.stdin.end(input);
  });
}

test('SARIF 2.1.0 fits the schema of the format', async () => {
  const ajv = new Ajv({ schemaId: 'auto' });
  ajv.addMetaSchema(require('ajv/lib/refs/json-schema-draft-04.json'));
  const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
  const validate = ajv.compile(schema);
  const report = JSON.parse(await golden('audit.sarif'));
  assert.ok(validate(report), JSON.stringify(validate.errors));
  assert.equal(validate({ ...report, version: '2.0.0' }), false);
  assert.equal(report.runs[0].results.length, audit.keys.length);
});

test('OSCAL fits the reference, every link leads somewhere, and unknown is never satisfied', async () => {
  const ajv = new Ajv();
  const validate = ajv.compile(oscalSchema);
  const report = JSON.parse(await golden('audit.oscal.json'));
  assert.ok(validate(report), JSON.stringify(validate.errors));
  const body = report['assessment-results'];
  const [result] = body.results;

  const defined = [];
  const collect = (value) => {
    if (value === null || typeof value !== 'object') return;
    if (typeof value.uuid === 'string') defined.push(value.uuid);
    Object.values(value).forEach(collect);
  };
  collect(body);
  assert.equal(new Set(defined).size, defined.length, 'an identifier is used twice');
  const known = new Set(defined);
  assert.ok(known.has(body['import-ap'].href.slice(1)));
  for (const observation of result.observations) {
    assert.ok(known.has(observation.subjects[0]['subject-uuid']));
  }
  for (const one of [...result.findings, ...result.risks]) {
    for (const link of one['related-observations'] ?? []) assert.ok(known.has(link['observation-uuid']));
    for (const link of one['related-risks'] ?? []) assert.ok(known.has(link['risk-uuid']));
  }

  assert.equal(result.observations.length, audit.keys.length);
  assert.equal(result.findings.length, audit.regions.length);
  for (const finding of result.findings) {
    const region = finding.props.find((prop) => prop.name === 'region').value;
    const here = audit.regions.find((each) => each.region === region);
    const bad = ['FAIL', 'FAIL_PERIOD', 'UNKNOWN', 'EXCEPTED'].some((each) => here.by_verdict[each] > 0);
    const expected = here.status === 'scanned' && !bad ? 'satisfied' : 'not-satisfied';
    assert.equal(finding.target.status.state, expected, region);
  }
});

test('ASFF is what AWS\'s own command line takes, within the limits of BatchImportFindings', async () => {
  const text = await golden('audit.asff.ndjson');
  const requests = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => { body += chunk; });
    request.on('end', () => {
      requests.push(JSON.parse(body));
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ FailedCount: 0, SuccessCount: 1, FailedFindings: [] }));
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  // By a file, as docs/control.md does it: the command line reads its input twice.
  const dir = await mkdtemp(path.join(tmpdir(), 'keyturn-asff-'));
  const send = (line) => run('bash', ['-c', 'cat > "$2" && aws securityhub batch-import-findings '
    + '--cli-input-json "file://$2" --region us-east-1 --endpoint-url "$1"', 'bash',
  `http://127.0.0.1:${server.address().port}`, path.join(dir, 'batch.json')], { input: line, env: { ...process.env, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'x', AWS_PAGER: '' } });
  try {
    for (const line of text.trimEnd().split('\n')) {
      const { code, output } = await send(line);
      assert.equal(code, 0, output);
    }
    // The command line would have said so: names and types of the API's model are checked.
    assert.notEqual((await send('{"Findings":[{"Verdict":"FAIL"}]}')).code, 0);
  } finally {
    server.close();
    await rm(dir, { recursive: true, force: true });
  }
  assert.deepEqual(requests, lines(text));

  const seen = new Map();
  for (const { Findings } of requests) {
    assert.ok(Findings.length >= 1 && Findings.length <= 100);
    assert.ok(Buffer.byteLength(JSON.stringify(Findings)) <= 6_000_000);
    const { AwsAccountId, ProductArn } = Findings[0];
    for (const finding of Findings) {
      assert.ok(Buffer.byteLength(JSON.stringify(finding)) <= 240_000);
      assert.equal(finding.AwsAccountId, AwsAccountId);
      assert.equal(finding.ProductArn, ProductArn);
      assert.match(ProductArn, /^arn:aws:securityhub:[a-z0-9-]+:(\d{12}):product\/\1\/default$/);
      assert.ok(finding.Title.length <= 256 && finding.Description.length <= 1024);
      assert.ok(finding.Id.length <= 512 && !seen.has(finding.Id));
      assert.ok((finding.Remediation?.Recommendation.Text ?? '').length <= 512);
      assert.ok(Object.values(finding.ProductFields).every((each) => each.length <= 2048));
      assert.ok(['PASSED', 'WARNING', 'FAILED', 'NOT_AVAILABLE'].includes(finding.Compliance.Status));
      assert.ok(['NEW', 'NOTIFIED', 'RESOLVED', 'SUPPRESSED'].includes(finding.Workflow.Status));
      assert.ok(finding.UpdatedAt >= finding.CreatedAt);
      seen.set(finding.Id, finding);
      const verdict = verdictOf.get(finding.Resources[0].Id);
      assert.equal(finding.Compliance.Status === 'PASSED', verdict === 'PASS');
    }
  }
  assert.equal(seen.size, audit.keys.length + unscanned.filter((each) => each.account).length);
});

test('OCSF has what class 2003 of schema 1.6.0 requires', async () => {
  // Required attributes and enumerations: https://schema.ocsf.io/1.6.0/classes/compliance_finding
  // with the cloud profile. The schema is in no package registry.
  const findings = lines(await golden('audit.ocsf.ndjson'));
  assert.equal(findings.length, audit.keys.length);
  const allowed = new Set(['activity_id', 'activity_name', 'category_uid', 'category_name', 'class_uid',
    'class_name', 'cloud', 'compliance', 'finding_info', 'message', 'metadata', 'remediation', 'resources',
    'severity', 'severity_id', 'status', 'status_id', 'time', 'type_uid', 'type_name']);
  const enumeration = (ids, id) => assert.ok([0, ...ids, 99].includes(id), `${id} is not in the list`);
  for (const finding of findings) {
    for (const name of Object.keys(finding)) assert.ok(allowed.has(name), name);
    assert.equal(finding.class_uid, 2003);
    assert.equal(finding.category_uid, 2);
    enumeration([1, 2, 3], finding.activity_id);
    assert.equal(finding.type_uid, finding.class_uid * 100 + finding.activity_id);
    enumeration([1, 2, 3, 4, 5, 6], finding.severity_id);
    enumeration([1, 2, 3, 4, 5, 6], finding.status_id);
    assert.ok(Number.isInteger(finding.time) && finding.time > 1e12, 'milliseconds since the epoch');
    assert.equal(finding.metadata.version, '1.6.0');
    assert.deepEqual(finding.metadata.profiles, ['cloud']);
    assert.ok(finding.metadata.product.name && finding.metadata.product.vendor_name);
    assert.ok(finding.finding_info.uid && finding.finding_info.title);
    enumeration([1, 2, 3], finding.compliance.status_id);
    assert.ok(finding.compliance.standards.length > 0 && finding.compliance.control);
    assert.equal(finding.cloud.provider, 'AWS');
    assert.equal(finding.cloud.account.type_id, 10);
    assert.ok(finding.resources.every((each) => each.uid && each.type));
    assert.equal(finding.compliance.status_id === 1, verdictOf.get(finding.resources[0].uid) === 'PASS');
  }
});

test('JUnit is well-formed and its counts are those of its cases', async () => {
  // What Jenkins' and GitLab's readers ask for: testsuites > testsuite > testcase, with a name and
  // a classname, and at most one of failure, error and skipped. The common XSD is in no package
  // registry.
  const file = fileURLToPath(new URL('../golden/report/audit.junit.xml', import.meta.url));
  const { code, output } = await run('xmllint', ['--noout', file]);
  assert.equal(code, 0, output);
  const count = async (xpath) => {
    const found = await run('xmllint', ['--xpath', xpath, file]);
    assert.equal(found.code, 0, found.output);
    return Number(found.output);
  };
  assert.equal(await count('count(/testsuites)'), 1);
  assert.equal(await count('count(/testsuites/*[not(self::testsuite)])'), 0);
  assert.equal(await count('count(//testsuite/*[not(self::testcase)])'), 0);
  assert.equal(await count('count(//testcase/*[not(self::failure or self::error or self::skipped)])'), 0);
  assert.equal(await count('count(//testcase[count(*) > 1])'), 0);
  assert.equal(await count('count(//testcase[not(@name) or not(@classname)])'), 0);
  assert.equal(await count('count(//failure[not(@message) or not(@type)])'), 0);
  assert.equal(await count('count(//testcase)'), audit.keys.length + unscanned.length);
  for (const [attribute, element] of [['failures', 'failure'], ['errors', 'error'], ['skipped', 'skipped']]) {
    assert.equal(await count(`count(//testsuite[@${attribute} != count(.//${element})])`), 0, attribute);
    assert.equal(await count(`sum(//testsuite/@${attribute}) - /testsuites/@${attribute}`), 0);
  }
  assert.equal(await count('count(//testsuite[@tests != count(testcase)])'), 0);
});
