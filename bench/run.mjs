// Measures the server against nginx answering a constant, on the same core in the same run, and
// prints docs/performance.md's table. `make bench` runs it. Needs nginx, wrk and two cores.
//
//   node bench/run.mjs [--seconds 5] [--rounds 3] [--rest 0] [--keys 100000]
//     [--only periodic|always|access|start|generations|fleet]
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { EncryptionContext, account, prepare } from './access.mjs';
import { measureFleet } from './fleet.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const require = createRequire(path.join(root, 'tests/package.json'));
const kms = require('@aws-sdk/client-kms');
const { SignatureV4 } = require('@smithy/signature-v4');
const { Sha256 } = require('@aws-crypto/sha256-js');

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const seconds = option('seconds', 5);
const rounds = option('rounds', 3);
// Idle seconds before each measurement, for a machine that its host slows down under load: at the end
// of a round it has less to give than at the beginning.
const rest = () => execFileSync('sleep', [String(option('rest', 0))]);
const keyturn = process.env.KEYTURN_BIN ?? path.join(root, 'build/release/keyturn');
const work = mkdtempSync(path.join(tmpdir(), 'keyturn-bench-'));
const region = 'us-east-1';
const credentials = { accessKeyId: 'AKIAKEYTURNBENCH0000',
  secretAccessKey: 'bench/only/secret/access/key/0123456789a' };
const running = [];
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

function stop() {
  for (const child of running.splice(0)) child.kill('SIGTERM');
}
process.on('exit', () => {
  stop();
  rmSync(work, { recursive: true, force: true });
});

// startServer pins the server to the core that it shares with nginx, unless other cores are given.
async function startServer(name, args = [], cores = '0') {
  const started = process.hrtime.bigint();
  const child = spawn('taskset', ['-c', cores, keyturn, 'serve', '--dev', '--data-dir',
    path.join(work, name), '--listen', '127.0.0.1:0', '--threads', '1', '--access-key-id',
    credentials.accessKeyId, '--secret-access-key', credentials.secretAccessKey, ...args],
  { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  const exited = new Promise((resolve) => { child.once('exit', resolve); });
  let text = '';
  const url = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('keyturn did not start')));
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const ready = /^ready (\S+)$/m.exec(text);
      if (ready) resolve(ready[1]);
    });
  });
  return { url, child, exited, startMs: Number(process.hrtime.bigint() - started) / 1e6 };
}

function startNginx() {
  const body = JSON.stringify({ CiphertextBlob: 'A'.repeat(212), KeyId: 'k'.repeat(75),
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }).replaceAll('"', '\\"');
  writeFileSync(path.join(work, 'nginx.conf'), `
worker_processes 1; daemon off; pid ${work}/nginx.pid; error_log ${work}/nginx.err;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path ${work}/t1;
  proxy_temp_path ${work}/t2; fastcgi_temp_path ${work}/t3; uwsgi_temp_path ${work}/t4;
  scgi_temp_path ${work}/t5;
  server { listen 127.0.0.1:18099; location / { return 200 "${body}"; } } }`);
  const child = spawn('taskset', ['-c', '0', 'nginx', '-c', path.join(work, 'nginx.conf')],
    { stdio: 'inherit' });
  running.push(child);
  return { url: 'http://127.0.0.1:18099', child };
}

// cpuMicros is the CPU time that a process and its children have used (ticks are 10 ms).
function cpuMicros(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return (Number(fields[11]) + Number(fields[12])) * 1e4
    + (children === '' ? 0 : children.split(' ').reduce((sum, each) => sum + cpuMicros(each), 0));
}

// script writes wrk's script: the same signed requests again and again, for as long as their
// signatures hold (five minutes).
async function script(url, operation, inputs, as = credentials, name = 'all') {
  const { host, hostname, port } = new URL(url);
  const signer = new SignatureV4({ credentials: as, region, service: 'kms', sha256: Sha256,
    applyChecksum: false });
  const requests = [];
  for (const input of inputs) {
    const body = JSON.stringify(input);
    const { headers } = await signer.sign({ method: 'POST', protocol: 'http:', hostname,
      port: Number(port), path: '/', query: {}, body, headers: { host,
        'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}`,
        'user-agent': 'bench' } });
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
    requests.push(`POST / HTTP/1.1\r\n${head}content-length: ${body.length}\r\n\r\n${body}`);
  }
  const file = path.join(work, `${operation}-${name}.lua`);
  writeFileSync(file, `local requests = { ${requests.map((r) => JSON.stringify(r)).join(',\n')} }
local i = 0
function request() i = i % #requests + 1; return requests[i] end
function done(summary, latency)
  io.write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status
    + summary.errors.read + summary.errors.connect + summary.errors.timeout))
end`);
  return file;
}

function wrk({ url, child }, file) {
  const before = cpuMicros(child.pid);
  const text = execFileSync('taskset', ['-c', '1', 'wrk', '-t1', '-c64', `-d${seconds}s`, '-s', file,
    url], { encoding: 'utf8' });
  const [, requests, micros, p50, p99, errors] = /RESULT (\d+) (\d+) (\S+) (\S+) (\d+)/.exec(text)
    .map(Number);
  if (errors > 0) throw new Error(`${errors} answers were errors`);
  return { rate: (requests / micros) * 1e6, p50, p99,
    cpu: (cpuMicros(child.pid) - before) / requests };
}

// trailBytes: what a server's trail has written so far.
function trailBytes(name) {
  const directory = path.join(work, name, 'trail');
  return readdirSync(directory).filter((file) => file.endsWith('.jsonl'))
    .reduce((sum, file) => sum + statSync(path.join(directory, file)).size, 0);
}

function wrkRested(server, file) {
  rest();
  return wrk(server, file);
}

// wrkBesideWriter measures nginx while another program writes to the disk from its core.
function wrkBesideWriter(nginx, file, bytesASecond) {
  rest();
  const written = path.join(work, 'written');
  const writer = spawn('taskset', ['-c', '0', process.execPath, path.join(root, 'bench/writer.mjs'), written,
    String(Math.round(bytesASecond))], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('sleep', ['0.3']);
  const result = wrk(nginx, file);
  writer.kill('SIGTERM');
  execFileSync('sleep', ['0.3']);
  rmSync(written);
  return result;
}

// compare measures nginx, the server, and nginx beside a writer in turn and returns the medians of the
// rounds' ratios.
function compare(nginx, server, file, name) {
  const pairs = [];
  for (let i = 0; i < rounds; i += 1) {
    const yardstick = wrkRested(nginx, file);
    const before = trailBytes(name);
    const ours = wrkRested(server, file);
    const beside = wrkBesideWriter(nginx, file, (trailBytes(name) - before) / seconds);
    pairs.push({ ratio: ours.rate / yardstick.rate, p99: ours.p99 / yardstick.p99,
      besideP99: beside.p99 / yardstick.p99, ours, yardstick });
  }
  return { ratio: median(pairs.map((p) => p.ratio)), p99: median(pairs.map((p) => p.p99)),
    besideP99: median(pairs.map((p) => p.besideP99)),
    rate: median(pairs.map((p) => p.ours.rate)), p50: median(pairs.map((p) => p.ours.p50)),
    cpu: median(pairs.map((p) => p.ours.cpu)), nginxCpu: median(pairs.map((p) => p.yardstick.cpu)) };
}

async function measureServer(label, args) {
  const nginx = startNginx();
  const server = await startServer(label, args);
  const { url } = server;
  const client = new kms.KMSClient({ endpoint: url, region, credentials });
  const { KeyMetadata: { KeyId } } = await client.send(new kms.CreateKeyCommand({}));
  for (const [operation, list] of Object.entries(await inputsOf(client, KeyId))) {
    const result = compare(nginx, server, await script(url, operation, list), label);
    console.log(`| ${operation}, trail ${label} | ${result.ratio.toFixed(2)} | `
      + `${result.p99.toFixed(2)} | ${result.besideP99.toFixed(2)} | ${Math.round(result.rate)} | ${(result.p50 / 1000).toFixed(2)} | `
      + `${result.cpu.toFixed(1)} (${result.nginxCpu.toFixed(1)}) |`);
  }
  stop();
  await new Promise((resolve) => { setTimeout(resolve, 1000); });
}

// inputsOf: what is asked of a key, with ciphertexts made by it.
async function inputsOf(client, KeyId, more = {}) {
  const blobs = [];
  for (let i = 0; i < 32; i += 1) {
    const { CiphertextBlob } = await client.send(new kms.EncryptCommand(
      { KeyId, Plaintext: new Uint8Array(32).fill(i), ...more }));
    blobs.push(Buffer.from(CiphertextBlob).toString('base64'));
  }
  return {
    Encrypt: blobs.map((_, i) => ({ KeyId, Plaintext: Buffer.alloc(32, i).toString('base64'), ...more })),
    Decrypt: blobs.map((CiphertextBlob) => ({ CiphertextBlob, ...more })),
    GenerateDataKey: blobs.map(() => ({ KeyId, KeySpec: 'AES_256', ...more })),
  };
}

// measureAccess: what conditions and grants cost, beside the same calls without them.
async function measureAccess() {
  const nginx = startNginx();
  const server = await startServer('access', ['--account', account]);
  const client = new kms.KMSClient({ endpoint: server.url, region, credentials });
  const cases = await prepare({ keyturn, work, dataDir: path.join(work, 'access'), client, kms, credentials });
  for (const each of cases) each.inputs = await inputsOf(client, each.KeyId, { EncryptionContext });
  console.log('\n| Call, allowed by | CPU us a call | of the default policy | CPU, of nginx | rate, of nginx | p99, of nginx |\n'
    + '|---|---|---|---|---|---|');
  for (const operation of ['Encrypt', 'Decrypt', 'GenerateDataKey']) {
    for (const each of cases) {
      each.file = await script(server.url, operation, each.inputs[operation], each.credentials,
        `${cases.indexOf(each)}`);
      each.runs = [];
    }
    for (let i = 0; i < rounds; i += 1) {
      const yardstick = wrkRested(nginx, cases[0].file);
      for (const each of cases) {
        const ours = wrkRested(server, each.file);
        each.runs.push({ cpu: ours.cpu, ofNginx: ours.cpu / yardstick.cpu, rate: ours.rate / yardstick.rate,
          p99: ours.p99 / yardstick.p99, ofPlain: ours.cpu / (cases[0].runs[i]?.cpu ?? ours.cpu) });
      }
    }
    for (const { label, runs } of cases) {
      const middle = (name) => median(runs.map((each) => each[name]));
      console.log(`| ${operation}, ${label} | ${middle('cpu').toFixed(1)} | ${middle('ofPlain').toFixed(2)} | `
        + `${middle('ofNginx').toFixed(2)} | ${middle('rate').toFixed(2)} | ${middle('p99').toFixed(2)} |`);
    }
  }
  stop();
  await new Promise((resolve) => { setTimeout(resolve, 1000); });
}

const residentKiB = (pid) => Number(/VmRSS:\s+(\d+)/.exec(
  readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

// measureAudit audits every key of a server. The keys are all customer managed and symmetric, which
// is the dearest case: each needs two calls.
function measureAudit(url, keys) {
  const out = path.join(work, 'audit.json');
  const env = { ...process.env, HOME: work, AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey };
  const text = execFileSync('bash', ['-c', 'TIMEFORMAT="TIME %3U %3S %3R"; { time "$@" >/dev/null '
    + '2>/dev/null || [ $? -eq 3 ]; } 2>&1', 'audit', 'taskset', '-c', '1', keyturn, 'audit',
  '--endpoint-url', url, '--region', region, '--format', 'json', '--out', out],
  { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'], shell: false });
  const [, user, system, real] = /TIME (\S+) (\S+) (\S+)/.exec(text).map(Number);
  const report = JSON.parse(readFileSync(out, 'utf8'));
  const calls = Object.values(report.calls).reduce((sum, each) => sum + each.calls, 0);
  return `Audit of ${report.keys.length} of ${keys} keys: ${real.toFixed(1)} s, `
    + `${(((user + system) * 1e6) / report.keys.length).toFixed(0)} us of CPU a key, `
    + `${Math.round(report.keys.length / (user + system))} keys a CPU second, `
    + `${(calls / report.keys.length).toFixed(2)} calls a key.`;
}

// measureStart fills a directory through the API and starts a server on it again.
async function measureStart(keys) {
  const empty = await startServer('empty');
  const base = residentKiB(empty.child.pid);
  empty.child.kill('SIGTERM');
  await empty.exited;
  const filling = await startServer('many');
  const client = new kms.KMSClient({ endpoint: filling.url, region, credentials,
    requestHandler: { httpAgent: { maxSockets: 256 } } });
  let left = keys;
  await Promise.all(Array.from({ length: 256 }, async () => {
    while (left > 0) {
      left -= 1;
      await client.send(new kms.CreateKeyCommand({}));
    }
  }));
  filling.child.kill('SIGTERM');
  await filling.exited;
  const times = { '0': [], '0,1': [] };
  let resident = 0;
  let audit = '';
  for (let i = 0; i < rounds; i += 1) {
    const onTwo = await startServer('many', [], '0,1');
    times['0,1'].push(onTwo.startMs);
    onTwo.child.kill('SIGTERM');
    await onTwo.exited;
    const again = await startServer('many');
    times['0'].push(again.startMs);
    resident = residentKiB(again.child.pid);
    if (i === 0) audit = measureAudit(again.url, keys);
    again.child.kill('SIGTERM');
    await again.exited;
  }
  return [audit, `Start with ${keys} keys: ${median(times['0,1']).toFixed(0)} ms on two cores, `
    + `${median(times['0']).toFixed(0)} ms on one. Memory: `
    + `${(((resident - base) * 1024) / keys).toFixed(0)} bytes a key (${(resident / 1024).toFixed(0)} `
    + `MiB resident, ${(base / 1024).toFixed(0)} MiB with none).`];
}

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1]
  : undefined;
const wanted = (part) => only === undefined || only === part;
if (wanted('periodic') || wanted('always')) console.log('| Call | Rate, of nginx | p99, of nginx | p99 of nginx beside a writer | calls/s | p50 ms | CPU us a call (nginx) |\n'
  + '|---|---|---|---|---|---|---|');
if (wanted('periodic')) await measureServer('periodic', []);
if (wanted('always')) await measureServer('always', ['--trail-sync', 'always']);
if (wanted('access')) await measureAccess();
if (wanted('start')) console.log(`\n${(await measureStart(option('keys', 100000))).join('\n')}`);
if (wanted('generations')) {
  console.log(execFileSync('taskset', ['-c', '1', path.join(path.dirname(keyturn),
    'bench/keyturn_bench_generations')], { encoding: 'utf8' }).trim());
}
if (wanted('fleet')) {
  console.log(`\n${(await measureFleet(keyturn, option('keys', 100000))).join('\n')}`);
}
process.exit(0);
