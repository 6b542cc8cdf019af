// Does a bulk job change what it was asked to, with its owner's rights only, and can it be taken back?
// What it survives: bulk.test.mjs.
import assert from 'node:assert/strict';
import { readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { GetKeyRotationStatusCommand } from '@aws-sdk/client-kms';
import { ConsoleSession } from '../lib/console.mjs';
import { person } from '../lib/people.mjs';
import { Server } from '../lib/server.mjs';

let server;
let session;
before(async () => {
  server = await Server.start();
  session = await ConsoleSession.open(server.url);
});
after(() => server.stop());

const codeOf = (answer) => answer.json?.__type?.split('#').pop();
const everything = [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }];

const ask = (who, input, options) => who.send('POST', 'jobs', { body: JSON.stringify(input), ...options });
const enable = (Keys, more = {}) => ({ Enabled: true, Keys, ...more });
const disable = (Keys, more = {}) => ({ Enabled: false, Justification: 'Change 7', Keys, ...more });
const act = (who, id, what, input = {}) => who.send('POST', `jobs/${id}/${what}`, { body: JSON.stringify(input) });

const stopped = (job) => job.State === 'FINISHED' || job.State === 'CANCELLED';
async function finish(who, input) {
  const made = await ask(who, input);
  assert.equal(made.status, 200, made.bytes.toString());
  await who.jobOnce(made.json.JobId, stopped);
  return who.job(made.json.JobId);
}
const status = async (arn) => (await session.call('GetKeyRotationStatus', { KeyId: arn })).json;
const records = (operation) => session.records(`operation=${operation}`);

test('turning on: reviewed, done, read back, and in the trail with its reason', async () => {
  const keys = await session.makeKeys(5);
  const [on, off, rsa] = [keys[0], keys[1], (await session.makeKeys(1, { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }))[0]];
  await session.call('EnableKeyRotation', { KeyId: on, RotationPeriodInDays: 180 });
  await session.call('DisableKey', { KeyId: off });
  const asked = enable([...keys, rsa, 'arn:aws:kms:us-east-1:111122223333:key/none'], { PeriodInDays: 180, Justification: 'Control 3.8, „jährlich“' });

  const review = (await ask(session, { ...asked, DryRun: true })).json;
  assert.deepEqual(review.Changes.map((each) => each.Arn), keys.slice(2));
  const why = Object.fromEntries(review.LeftAlone.map((each) => [each.Arn, each.Reason]));
  assert.equal(why[on], 'Rotation is on, every 180 days already.');
  assert.equal(why[off], 'The key is Disabled.');
  assert.match(why[rsa], /no automatic rotation exists/);
  assert.equal(Object.keys(why).length, 4);
  assert.equal((await status(keys[2])).KeyRotationEnabled, false, 'a review changes nothing');

  const job = await finish(session, asked);
  assert.equal(job.State, 'FINISHED');
  assert.deepEqual(job.Counts, { Keys: 3, Done: 3, Unchanged: 0, Refused: 0, Failed: 0, Pending: 0, Verified: 3 });
  for (const line of job.Lines) {
    assert.deepEqual([line.Before, line.Wanted, line.Outcome, line.Seen], [{ Enabled: false }, { Enabled: true, PeriodInDays: 180 }, 'DONE', true]);
    const client = await server.client().send(new GetKeyRotationStatusCommand({ KeyId: line.Arn }));
    assert.deepEqual([client.KeyRotationEnabled, client.RotationPeriodInDays], [true, 180]);
    const [record] = (await session.send('GET', `trail?operation=EnableKeyRotation&key-id=${line.KeyId}`)).json.Records;
    assert.deepEqual(record.additionalEventData, { jobId: job.JobId, justification: 'Control 3.8, „jährlich“' });
    assert.equal(record.requestID, line.RequestId);
    assert.equal(record.sessionCredentialFromConsole, 'true');
    assert.equal(record.sourceIPAddress, '127.0.0.1');
  }
  const [created] = await records('CreateRotationJob');
  assert.equal(created.additionalEventData.jobId, job.JobId);
  assert.equal(created.readOnly, false);
});

test('back-out restores what each key had, but for what somebody has changed since', async () => {
  const [never, long, moved] = await session.makeKeys(3);
  await session.call('EnableKeyRotation', { KeyId: long, RotationPeriodInDays: 730 });
  const job = await finish(session, enable([never, long, moved]));
  assert.equal(job.Counts.Done, 3);
  await session.call('EnableKeyRotation', { KeyId: moved, RotationPeriodInDays: 99 });

  const other = await ConsoleSession.open(server.url);
  assert.equal(codeOf(await act(other, job.JobId, 'backout', { Justification: 'x' })), 'AccessDeniedException');
  await other.confirm();
  for (const wrong of [{}, { Justification: ' \n' }, { Justification: 7 }]) {
    assert.equal(codeOf(await act(other, job.JobId, 'backout', wrong)), 'ValidationException');
  }
  assert.equal((await act(other, job.JobId, 'backout', { Justification: 'Clients break' })).status, 200);
  await session.jobOnce(job.JobId, stopped);
  const back = await session.job(job.JobId);
  const lines = Object.fromEntries(back.Lines.map((line) => [line.Arn, line]));
  assert.deepEqual([lines[never].Outcome, lines[never].Wanted, lines[never].Seen], ['DONE', { Enabled: false }, true]);
  assert.deepEqual([lines[long].Outcome, lines[long].Wanted, lines[long].Seen], ['DONE', { Enabled: true, PeriodInDays: 730 }, true]);
  assert.equal(lines[moved].Outcome, 'REFUSED');
  assert.match(lines[moved].Detail, /conflict: rotation is on, every 99 days/);
  assert.equal((await status(never)).KeyRotationEnabled, false);
  assert.equal((await status(long)).RotationPeriodInDays, 730);
  assert.equal((await status(moved)).RotationPeriodInDays, 99);
  const [record] = await records('DisableKeyRotation');
  assert.deepEqual(record.additionalEventData, { jobId: job.JobId, justification: 'Clients break' });
});

test('turning off wants a reason and the secret, and can be taken back', async () => {
  const keys = await session.makeKeys(2);
  await session.call('EnableKeyRotation', { KeyId: keys[0], RotationPeriodInDays: 400 });
  const other = await ConsoleSession.open(server.url);
  assert.equal(codeOf(await ask(other, disable(keys))), 'AccessDeniedException');
  await other.confirm();
  assert.equal(codeOf(await ask(other, disable(keys, { Justification: '' }))), 'ValidationException');
  const job = await finish(other, disable(keys));
  assert.deepEqual([job.Counts.Keys, job.Counts.Done], [1, 1], 'the other key was off already');
  assert.equal((await status(keys[0])).KeyRotationEnabled, false);
  await act(other, job.JobId, 'backout', { Justification: 'It was a mistake' });
  await other.jobOnce(job.JobId, stopped);
  assert.equal((await status(keys[0])).RotationPeriodInDays, 400);
});

test('a job has its owner\'s rights at each call, and is nobody else\'s to see', async () => {
  const keys = await session.makeKeys(3);
  const owner = await person(server, 'owner', [...everything, { Effect: 'Deny', Action: 'kms:EnableKeyRotation', Resource: keys[0] }]);
  const mine = await ConsoleSession.open(server.url, { keys: owner });
  const review = (await ask(mine, enable(keys, { DryRun: true }))).json;
  assert.deepEqual(review.Changes.map((each) => each.Arn), keys.slice(1));
  assert.match(review.LeftAlone[0].Reason, /not authorized to perform: kms:EnableKeyRotation.*explicit deny/);
  assert.deepEqual((await mine.send('GET', 'keys')).json.Keys.find((key) => key.Arn === keys[0]).Denied, ['EnableKeyRotation']);
  const job = await finish(mine, enable(keys));
  assert.equal(job.Counts.Done, 2);
  assert.equal((await status(keys[0])).KeyRotationEnabled, false);

  const stranger = await ConsoleSession.open(server.url, { keys: await person(server, 'stranger', everything) });
  assert.deepEqual((await stranger.send('GET', 'jobs')).json.Jobs, []);
  assert.equal(codeOf(await stranger.send('GET', `jobs/${job.JobId}`)), 'NotFoundException');
  for (const what of ['cancel', 'resume', 'backout']) {
    assert.equal(codeOf(await act(stranger, job.JobId, what, { Justification: 'x' })), 'NotFoundException', what);
  }
  // Who may look up the trail may see the jobs, too, and no more.
  const auditor = await ConsoleSession.open(server.url,
    { keys: await person(server, 'auditor', [{ Effect: 'Allow', Action: 'keyturn:LookupEvents', Resource: '*' }]) });
  for (const who of [auditor, session]) {
    assert.ok((await who.send('GET', 'jobs')).json.Jobs.some((each) => each.JobId === job.JobId));
    await who.confirm();
    for (const what of ['cancel', 'resume', 'backout']) {
      const refused = await act(who, job.JobId, what, { Justification: 'x' });
      assert.equal(codeOf(refused), 'AccessDeniedException', what);
      assert.match(refused.json.Message, /Only who asked for the job/);
    }
  }
  const after_ = await mine.job(job.JobId);
  assert.deepEqual([after_.State, after_.Owner, after_.Steps.length], ['FINISHED', job.Owner, 1]);
});

test('requests that make no sense are refused and leave nothing', async () => {
  const [key] = await session.makeKeys(1);
  const before_ = (await session.send('GET', 'jobs')).json.Jobs.length;
  const wrong = [
    {}, { Enabled: 1, Keys: [key] }, { Enabled: true }, { Enabled: true, Keys: [] }, { Enabled: true, Keys: [7] },
    enable([key], { PeriodInDays: 89 }), enable([key], { PeriodInDays: 2561 }), enable([key], { PeriodInDays: '365' }),
    enable([key], { Justification: 'x'.repeat(2001) }), enable([key], { DryRun: 'no' }), disable([key], { PeriodInDays: 365 }),
    enable(Array.from({ length: 10001 }, (_, i) => String(i))), enable(['arn:aws:kms:us-east-1:999999999999:key/none']),
  ];
  for (const input of wrong) assert.equal(codeOf(await ask(session, input)), 'ValidationException', JSON.stringify(input).slice(0, 100));
  assert.equal(codeOf(await session.send('POST', 'jobs', { body: '{' })), 'SerializationException');
  for (const change of [(h) => delete h['x-keyturn-csrf'], (h) => { h.origin = 'https://evil.example'; }, (h) => delete h.cookie]) {
    assert.ok((await ask(session, enable([key]), { change })).status !== 200);
  }
  for (const name of ['jobs/', 'jobs/x', `jobs/${'0'.repeat(36)}`, 'jobs/../keys', `jobs/00000000-0000-4000-8000-000000000000/erase`]) {
    assert.equal(codeOf(await session.send('POST', name)), 'UnknownOperationException', name);
  }
  assert.equal((await session.send('GET', 'jobs')).json.Jobs.length, before_);
  assert.equal((await status(key)).KeyRotationEnabled, false);
});

test('a job whose record cannot be read changes nothing and says so; put right, it goes on', async () => {
  const owner = await person(server, 'patient', everything);
  const mine = await ConsoleSession.open(server.url, { keys: owner });
  const keys = await mine.makeKeys(2);
  const [{ JobId }] = [(await ask(mine, enable(keys))).json];
  await mine.jobOnce(JobId, stopped);
  const journal = path.join(server.dataDir, 'console-jobs', `${JobId}.journal`);
  await rename(journal, `${journal}.kept`);
  await writeFile(journal, 'no journal\n');
  await mine.confirm();
  await act(mine, JobId, 'backout', { Justification: 'a test' });
  const waiting = await mine.jobOnce(JobId, (job) => job.State === 'WAITING');
  assert.match(waiting.Reason, /record could not be written or read/);
  assert.equal((await status(keys[0])).KeyRotationEnabled, true);
  await rename(`${journal}.kept`, journal);
  const resumed = await act(mine, JobId, 'resume');
  assert.equal(resumed.status, 200, resumed.bytes.toString());
  const done = await mine.jobOnce(JobId, stopped);
  assert.equal(done.Counts.Done, 2);
  assert.equal((await status(keys[0])).KeyRotationEnabled, false);
});

test('what is kept of jobs is readable by its owner only, and whole', async () => {
  const files = await readdir(path.join(server.dataDir, 'console-jobs'));
  const jobs = files.filter((name) => name.endsWith('.job'));
  assert.ok(jobs.length > 0);
  assert.deepEqual(files.filter((name) => name.endsWith('.journal')).map((name) => name.replace('.journal', '.job')).sort(), jobs.sort());
});
