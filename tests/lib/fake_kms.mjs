// A KMS endpoint whose truth the tests know: it answers what an audit and a change ask, pages as it
// is told, and fails on purpose. It keeps nothing from the clients: every call is in `calls`.
import http from 'node:http';
import { account } from './server.mjs';

let nextId = 0;

// key makes one key's truth. `metadata` overrides DescribeKey's members; `rotation` is what
// GetKeyRotationStatus says, or null where AWS refuses to say it.
export function key(region, metadata = {}, rotation = { on: false }, aliases = []) {
  nextId += 1;
  const tail = nextId.toString(16).padStart(12, '0');
  const KeyId = metadata.MultiRegion ? `mrk-${tail.padStart(32, '0')}`
    : `00000000-0000-4000-8000-${tail}`;
  const Arn = `arn:aws:kms:${region}:${account}:key/${KeyId}`;
  return { region, KeyId, Arn, rotation, aliases, metadata: { AWSAccountId: account, KeyId, Arn,
    CreationDate: 1_600_000_000, Enabled: (metadata.KeyState ?? 'Enabled') === 'Enabled',
    Description: '', KeyUsage: 'ENCRYPT_DECRYPT', KeyState: 'Enabled', Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER', KeySpec: 'SYMMETRIC_DEFAULT', MultiRegion: false, ...metadata } };
}

export const refusal = (code, message = code, status = 400) => ({ status, code, message });

export class FakeKms {
  // fault(operation, input, n, region) decides the nth call of an operation (from 1): undefined to
  // answer, a refusal(), 'drop' to close the connection, or { raw: text } for any body.
  // date: of its clock, as answers have it; undefined: the right one.
  static async start({ keys, fault = () => undefined, pageSize = 1000, date }) {
    const fake = new FakeKms();
    Object.assign(fake, { keys, fault, pageSize, date, calls: [], counts: {} });
    fake.server = http.createServer((request, response) => fake.#serve(request, response));
    await new Promise((resolve) => { fake.server.listen(0, '127.0.0.1', resolve); });
    fake.url = `http://127.0.0.1:${fake.server.address().port}`;
    return fake;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => { this.server.close(resolve); });
  }

  count(operation) {
    return this.calls.filter((call) => call.operation === operation).length;
  }

  async #serve(request, response) {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.headers['x-amz-target'] === undefined) {
      this.#sts(response, new URLSearchParams(text));
      return;
    }
    const operation = request.headers['x-amz-target'].replace('TrentService.', '');
    const [, , region] = /Credential=([^,]*)/.exec(request.headers.authorization)[1].split('/');
    const input = JSON.parse(text || '{}');
    this.counts[operation] = (this.counts[operation] ?? 0) + 1;
    this.calls.push({ operation, region, input });
    let answer = this.fault(operation, input, this.counts[operation], region)
      ?? this.#answer(operation, input, region);
    if (answer === 'drop') {
      request.socket.destroy();
      return;
    }
    const requestId = `fake-${this.calls.length}`;
    if (answer.code) {
      answer = { status: answer.status,
        raw: JSON.stringify({ __type: answer.code, message: answer.message }) };
    }
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': requestId, ...(this.date && { date: this.date }) });
    response.end(answer.raw ?? JSON.stringify(answer));
  }

  // #sts: a server of one's own answers STS at the URL of its KMS.
  #sts(response, form) {
    this.counts[form.get('Action')] = (this.counts[form.get('Action')] ?? 0) + 1;
    if (form.get('Action') !== 'GetCallerIdentity') {
      response.writeHead(400).end('<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>');
      return;
    }
    response.writeHead(200).end('<GetCallerIdentityResponse><GetCallerIdentityResult><Account>'
      + `${account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`);
  }

  #answer(operation, input, region) {
    const mine = this.keys.filter((each) => each.region === region);
    const found = mine.find((each) => each.KeyId === input.KeyId || each.Arn === input.KeyId);
    switch (operation) {
      case 'ListKeys':
        return this.#page(mine.map(({ KeyId, Arn }) => ({ KeyId, KeyArn: Arn })), 'Keys', input);
      case 'ListAliases':
        return this.#page(mine.flatMap(({ KeyId, aliases }) => aliases.map((AliasName) => ({
          AliasName, AliasArn: `arn:aws:kms:${region}:${account}:${AliasName}`,
          TargetKeyId: KeyId }))), 'Aliases', input);
      case 'DescribeKey':
        return found ? { KeyMetadata: found.metadata } : refusal('NotFoundException');
      case 'GetKeyRotationStatus':
        if (!found) return refusal('NotFoundException');
        if (found.rotation === null) return refusal('UnsupportedOperationException');
        return { KeyId: found.Arn, KeyRotationEnabled: found.rotation.on,
          ...(found.rotation.on && { RotationPeriodInDays: found.rotation.period ?? 365 }) };
      // What a test has put on a key: tags as { name: value }, rotations as [{ date, type }].
      case 'ListResourceTags':
        return this.#page(Object.entries(found?.tags ?? {}).map(([TagKey, TagValue]) =>
          ({ TagKey, TagValue })), 'Tags', input);
      case 'ListKeyRotations':
        return this.#page((found?.rotations ?? []).map(({ date, type }) => ({ KeyId: found.KeyId,
          RotationDate: date, RotationType: type })), 'Rotations', input);
      case 'EnableKeyRotation':
      case 'DisableKeyRotation':
        if (!found) return refusal('NotFoundException');
        if (found.metadata.KeySpec !== 'SYMMETRIC_DEFAULT') {
          return refusal('UnsupportedOperationException', '');
        }
        found.rotation = operation === 'EnableKeyRotation'
          ? { on: true, period: input.RotationPeriodInDays ?? 365 } : { on: false };
        return { raw: '' };
      default:
        return refusal('UnknownOperationException', '', 404);
    }
  }

  #page(items, member, { Marker = '0', Limit = 100 }) {
    const start = Number(Marker);
    const end = Math.min(start + Math.min(Limit, this.pageSize), items.length);
    return { [member]: items.slice(start, end), Truncated: end < items.length,
      ...(end < items.length && { NextMarker: String(end) }) };
  }
}
