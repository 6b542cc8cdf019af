// Measures an audit of many keys over TLS, paced by AWS's quotas as the simulated organization
// enforces them, beside a loop with AWS's own SDK against the same endpoint in the same run. Part of
// `make bench` (bench/run.mjs --only fleet).
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const regions = ['eu-central-1', 'us-east-1'];
const share = 0.3;
// Applications take this part of the same quotas all the while.
const production = 0.55;

// timed runs a command and tells its CPU and real seconds and its peak of memory.
async function timed(command, args, env) {
  const child = spawn('bash', ['-c', 'TIMEFORMAT="TIME %3U %3S %3R"; time "$@"', 'timed', command,
    ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  let peakKiB = 0;
  child.stdout.on('data', (chunk) => { stdout += chunk; });
  child.stderr.on('data', (chunk) => { stderr += chunk; });
  const look = setInterval(() => {
    try {
      const pid = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
      peakKiB = Math.max(peakKiB, Number(/VmHWM:\s+(\d+)/.exec(
        readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0));
    } catch { /* not begun, or ended */ }
  }, 50);
  const code = await new Promise((resolve) => { child.once('close', resolve); });
  clearInterval(look);
  const [, user, system, real] = /TIME (\S+) (\S+) (\S+)/.exec(stderr).map(Number);
  return { code, stdout, stderr, cpu: user + system, real, peakKiB };
}

export async function measureFleet(keyturn, keys) {
  const { draw } = await import(path.join(here, '../tests/lib/organization_model.mjs'));
  const { Organization, quotas } = await import(path.join(here, '../tests/lib/organization.mjs'));
  const dir = mkdtempSync(path.join(tmpdir(), 'keyturn-bench-fleet-'));
  const model = draw({ seed: 7, accounts: 1, regions, keys, hot: 0 });
  for (const place of model.places.values()) place.hot = true;
  const organization = await Organization.start(model, { production, verifyEvery: 1000 });
  const lines = [];
  try {
    const out = path.join(dir, 'audit.json');
    const ours = await timed(keyturn, ['audit', '--region', regions.join(','), '--quota-share',
      String(share), '--format', 'json', '--out', out], organization.env);
    const report = JSON.parse(readFileSync(out, 'utf8'));
    const count = report.keys.length;
    const calls = Object.values(report.calls).reduce((sum, each) => sum + each.calls, 0);
    const throttled = Object.values(report.calls).reduce((sum, each) => sum + each.throttled, 0);
    // What the share of the busiest quota allows.
    let allowed = 0;
    for (const [name, bucket] of organization.buckets) {
      allowed = Math.max(allowed, bucket.taken / (quotas[name.split('/')[2]] * share));
    }
    lines.push(`Audit of ${count} keys in ${regions.length} regions over TLS: ${ours.real.toFixed(1)} s, `
      + `${(ours.real / allowed).toFixed(3)} of the ${allowed.toFixed(1)} s that ${share} of the quotas allows; `
      + `${(calls / count).toFixed(3)} calls and ${((ours.cpu * 1e6) / count).toFixed(0)} us of CPU a key; `
      + `${throttled} calls throttled; ${(ours.peakKiB / 1024).toFixed(0)} MiB at most.`);
    const { produced } = organization;
    lines.push(`Applications that take ${production} of the same quotas beside it: ${produced.calls} calls, `
      + `${((100 * produced.throttled) / produced.calls).toFixed(3)} % throttled.`);
    clearInterval(organization.producer);
    const sdk = await timed(process.execPath, [path.join(here, 'sdk_audit.mjs'),
      String(organization.direct.address().port), regions[0]], { ...organization.env,
      NODE_PATH: path.join(here, '../tests/node_modules') });
    const said = JSON.parse(sdk.stdout);
    lines.push(`@aws-sdk/client-kms, one region of it (${said.keys} keys): ${sdk.real.toFixed(1)} s, `
      + `${(said.calls / said.keys).toFixed(3)} calls and ${((sdk.cpu * 1e6) / said.keys).toFixed(0)} us of CPU a key; `
      + `${said.throttled} calls throttled.`);
    if (organization.problems.length > 0) throw new Error(organization.problems[0]);
  } finally {
    await organization.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  return lines;
}
