// The audit that a person would write with AWS's SDK: list, describe each key, ask the rotation status
// of those that are customer managed, symmetric and AWS's own material. 64 calls at once, the SDK's own
// retries. Prints what it did as JSON.
//
//   node bench/sdk_audit.mjs PORT REGION
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(path.join(path.dirname(fileURLToPath(import.meta.url)),
  '../tests/package.json'));
const kms = require('@aws-sdk/client-kms');
const { NodeHttpHandler } = require('@smithy/node-http-handler');

const [, , port, region] = process.argv;
const lookup = (host, options, done) => (options.all
  ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4));
const client = new kms.KMSClient({ region, maxAttempts: 20,
  endpoint: `https://kms.${region}.amazonaws.com:${port}`,
  credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY },
  requestHandler: new NodeHttpHandler({ httpsAgent: new https.Agent({ keepAlive: true,
    maxSockets: 64, ca: readFileSync(process.env.AWS_CA_BUNDLE), lookup }) }) });

let calls = 0;
let retries = 0;
const send = async (command) => {
  let metadata;
  try {
    const output = await client.send(command);
    metadata = output.$metadata;
    return output;
  } catch (error) {
    metadata = error.$metadata;
    return undefined;
  } finally {
    calls += metadata?.attempts ?? 1;
    retries += (metadata?.attempts ?? 1) - 1;
  }
};

const keys = [];
for (let Marker; ;) {
  const page = await send(new kms.ListKeysCommand({ Limit: 1000, Marker }));
  keys.push(...page.Keys.map((key) => key.KeyId));
  if (!page.Truncated) break;
  Marker = page.NextMarker;
}
let next = 0;
let off = 0;
await Promise.all(Array.from({ length: 64 }, async () => {
  while (next < keys.length) {
    const KeyId = keys[next];
    next += 1;
    const described = (await send(new kms.DescribeKeyCommand({ KeyId })))?.KeyMetadata;
    if (described?.KeyManager !== 'CUSTOMER' || described.KeySpec !== 'SYMMETRIC_DEFAULT'
      || described.Origin !== 'AWS_KMS') continue;
    const status = await send(new kms.GetKeyRotationStatusCommand({ KeyId }));
    if (status?.KeyRotationEnabled === false) off += 1;
  }
}));
console.log(JSON.stringify({ keys: keys.length, calls, throttled: retries, off }));
