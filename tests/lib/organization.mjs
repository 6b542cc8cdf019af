// A simulated AWS organization behind AWS's own host names: the program reaches it through an HTTPS
// proxy that leads every name to one listener, whose certificates a CA of the test signs. STS,
// Organizations, EC2 and KMS answer as AWS does: with pages, quotas (a token bucket for each account,
// region and operation), denials, lost connections, regions that are not enabled, and reads that are
// older than writes. Beside it production traffic takes from the same quotas, and counts how often it
// is throttled.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { allRegions, arnOf, closedRegions, isOwned, otherRegions } from './organization_model.mjs';

// Requests a second by account, region and operation (KMS Developer Guide, "Request quotas").
export const quotas = { ListKeys: 500, ListAliases: 500, DescribeKey: 2000,
  GetKeyRotationStatus: 1000, ListResourceTags: 2000, EnableKeyRotation: 15, DisableKeyRotation: 5 };

const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');

// Certificates: a CA and one certificate for every name, made once for a directory.
function makeCertificates(dir) {
  const names = [...allRegions, ...closedRegions, ...otherRegions].map((region) => `DNS:*.${region}.amazonaws.com`);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days',
    '2', '-subj', '/CN=organization of a test', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj',
    '/CN=amazonaws.com', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(path.join(dir, 'san'), `subjectAltName=${names.join(',')}\n`);
  openssl('x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key',
    '-CAcreateserial', '-days', '2', '-extfile', 'san', '-out', 'server.pem');
}

class Bucket {
  constructor(rate) { Object.assign(this, { rate, tokens: rate, at: performance.now(), taken: 0 }); }
  // take: false when the quota is used up; taken counts those of the program under test.
  take(ours = true) {
    const now = performance.now();
    this.tokens = Math.min(this.rate, this.tokens + ((now - this.at) * this.rate) / 1000);
    this.at = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    if (ours) this.taken += 1;
    return true;
  }
}

export class Organization {
  // start: verifyEvery checks the signature of one request in so many (of all but KMS's always);
  // production: the share of the quotas that it takes of the places in `hot`.
  static async start(model, { production = 0, verifyEvery = 1, callerAccount } = {}) {
    const self = new Organization();
    Object.assign(self, { model, verifyEvery, counts: {}, throttled: {}, log: [],
      buckets: new Map(), sessions: new Map(), produced: { calls: 0, throttled: 0 },
      problems: [], callerAccount: callerAccount ?? model.accounts[0].id, sockets: new Set(),
      signingKeys: new Map(), sessionPolicies: new Set() });
    self.dir = mkdtempSync(path.join(tmpdir(), 'keyturn-organization-'));
    makeCertificates(self.dir);
    self.caller = { id: 'AKIAORGANIZATION0000', secret: 'caller/of/the/organization/0000000000' };
    self.sessions.set(self.caller.id, { account: self.callerAccount, secret: self.caller.secret });
    self.byAccount = new Map(model.accounts.map((account) => [account.id, account]));
    self.tls = https.createServer({ key: readFileSync(path.join(self.dir, 'server.key')),
      cert: readFileSync(path.join(self.dir, 'server.pem')), keepAliveTimeout: 600_000 },
    (request, response) => self.#read(request, response));
    self.proxy = http.createServer((request, response) => { response.writeHead(405).end(); });
    self.proxy.on('connect', (request, socket) => {
      self.connects = (self.connects ?? 0) + 1;
      self.sockets.add(socket);
      socket.once('close', () => self.sockets.delete(socket));
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      self.tls.emit('connection', socket);
    });
    self.tls.on('tlsClientError', () => {});
    await new Promise((resolve) => { self.proxy.listen(0, '127.0.0.1', resolve); });
    // For clients without a proxy.
    self.direct = self.tls.listen(0, '127.0.0.1');
    await new Promise((resolve) => { self.direct.once('listening', resolve); });
    if (production > 0) self.#produce(production);
    return self;
  }

  async stop() {
    clearInterval(this.producer);
    for (const socket of this.sockets) socket.destroy();
    this.tls.closeAllConnections();
    await new Promise((resolve) => { this.tls.close(resolve); });
    await new Promise((resolve) => { this.proxy.close(resolve); });
    rmSync(this.dir, { recursive: true, force: true });
  }

  // env: how the program finds this organization.
  get env() {
    return { HOME: this.dir, PATH: process.env.PATH, AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: this.caller.id, AWS_SECRET_ACCESS_KEY: this.caller.secret,
      AWS_CA_BUNDLE: path.join(this.dir, 'ca.pem'), AWS_EC2_METADATA_DISABLED: 'true',
      HTTPS_PROXY: `http://127.0.0.1:${this.proxy.address().port}` };
  }

  // --- Production -------------------------------------------------------------------------------

  // produce takes `share` of the read quotas in every hot place while that is audited, in random
  // arrivals.
  #produce(share) {
    const places = [...this.model.places.values()].filter((place) => place.hot);
    let last = performance.now();
    this.producer = setInterval(() => {
      const now = performance.now();
      const seconds = Math.min(0.25, (now - last) / 1000);
      last = now;
      for (const place of places) {
        if (now - place.lastCall > 1000) continue;
        for (const operation of ['DescribeKey', 'GetKeyRotationStatus']) {
          const mean = quotas[operation] * share * seconds;
          // A Poisson number of calls, by its normal approximation.
          const gauss = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
          const calls = Math.max(0, Math.round(mean + Math.sqrt(mean) * gauss));
          for (let i = 0; i < calls; i += 1) {
            this.produced.calls += 1;
            if (!this.#bucket(place.account, place.region, operation).take(false)) {
              this.produced.throttled += 1;
            }
          }
        }
      }
    }, 5);
  }

  #bucket(account, region, operation) {
    const name = `${account}/${region}/${operation}`;
    let bucket = this.buckets.get(name);
    if (bucket === undefined) {
      bucket = new Bucket(quotas[operation] ?? 5);
      this.buckets.set(name, bucket);
    }
    return bucket;
  }

  // --- Requests ---------------------------------------------------------------------------------

  #read(request, response) {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      try {
        this.#serve(request, response, Buffer.concat(chunks).toString());
      } catch (error) {
        this.problems.push(String(error.stack));
        response.writeHead(500).end();
      }
    });
  }

  #serve(request, response, body) {
    const { headers } = request;
    const [service, region] = headers.host.split('.');
    const scope = /Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request/.exec(
      headers.authorization ?? '');
    const session = scope && this.sessions.get(scope[1]);
    if (!session) return this.#refuse(response, service, 'UnrecognizedClientException');
    if (scope[3] !== region || scope[4] !== service) {
      this.problems.push(`${headers.host} was asked with the scope ${scope[3]}/${scope[4]}`);
    }
    this.asked = (this.asked ?? 0) + 1;
    if (service !== 'kms' || this.asked % this.verifyEvery === 0) {
      const wrong = this.#signatureProblem(request, body, session, scope);
      if (wrong) this.problems.push(wrong);
    }
    if (service === 'sts') return this.#sts(response, body, session);
    if (service === 'organizations') return this.#listAccounts(response, body, session);
    if (service === 'ec2') return this.#describeRegions(response, session);
    return this.#kms(request, response, body, session, region);
  }

  #signatureProblem(request, body, session, [, , date, region, service]) {
    const { headers } = request;
    const names = /SignedHeaders=([^,]+)/.exec(headers.authorization)[1].split(';');
    const canonical = ['POST', request.url, '', ...names.map((name) => `${name}:${headers[name]}`),
      '', names.join(';'), sha256(body)].join('\n');
    const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'],
      `${date}/${region}/${service}/aws4_request`, sha256(canonical)].join('\n');
    const cacheName = `${session.secret}/${date}/${region}/${service}`;
    let key = this.signingKeys.get(cacheName);
    if (key === undefined) {
      key = [date, region, service, 'aws4_request'].reduce(hmac, `AWS4${session.secret}`);
      this.signingKeys.set(cacheName, key);
    }
    const right = hmac(key, toSign).toString('hex');
    if (headers.authorization.endsWith(`Signature=${right}`)
      && (headers['x-amz-security-token'] ?? '') === (session.token ?? '')) return null;
    return `a request of ${service} in ${region} is not signed right`;
  }

  #refuse(response, service, code, message = code, status = 400) {
    if (service === 'kms' || service === 'organizations') {
      this.#json(response, { __type: code, message }, status);
    } else {
      const error = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
      response.writeHead(status, { 'content-type': 'text/xml' }).end(service === 'ec2'
        ? `<Response><Errors>${error}</Errors></Response>`
        : `<ErrorResponse>${error}</ErrorResponse>`);
    }
  }

  #json(response, value, status = 200) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1',
      'content-length': Buffer.byteLength(text), 'x-amzn-requestid': `r-${this.asked}` }).end(text);
  }

  #sts(response, body, session) {
    const form = new URLSearchParams(body);
    this.counts[form.get('Action')] = (this.counts[form.get('Action')] ?? 0) + 1;
    if (form.get('Action') === 'GetCallerIdentity') {
      response.writeHead(200).end('<GetCallerIdentityResponse><GetCallerIdentityResult><Account>'
        + `${session.account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`);
      return;
    }
    const [, account, role] = /^arn:aws:iam::(\d{12}):role\/(.+)$/.exec(form.get('RoleArn'));
    const behaviour = this.byAccount.get(account)?.behaviour;
    if (account === this.callerAccount) this.problems.push('a role in the own account was taken on');
    if (this.counts.AssumeRole % 40 === 5) {  // STS has its bad moments
      this.#refuse(response, 'sts', 'ServiceUnavailable', 'try again', 503);
      return;
    }
    if (behaviour === undefined || behaviour === 'role denied' || role !== 'Rotation') {
      this.#refuse(response, 'sts', 'AccessDenied',
        `User is not authorized to perform: sts:AssumeRole on resource: ${form.get('RoleArn')}`, 403);
      return;
    }
    // A role of a profile is taken on as it is.
    const policy = form.get('Policy') === null ? undefined : JSON.parse(form.get('Policy'));
    if (policy !== undefined) this.sessionPolicies.add(form.get('Policy'));
    const id = `ASIA${account}${String(this.counts.AssumeRole).padStart(8, '0')}`;
    const given = { account, secret: sha256(id).slice(0, 40), token: `token-of-${id}`,
      allowed: policy && new Set(policy.Statement.flatMap((statement) => statement.Action)) };
    this.sessions.set(id, given);
    response.writeHead(200).end('<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>'
      + `${id}</AccessKeyId><SecretAccessKey>${given.secret}</SecretAccessKey><SessionToken>`
      + `${given.token}</SessionToken><Expiration>${new Date(Date.now() + 3_600_000).toISOString()}`
      + '</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>');
  }

  // #listAccounts: 20 a page; every third page is empty and goes on, as AWS's may be.
  #listAccounts(response, body, session) {
    if (session.account !== this.callerAccount) {
      this.#refuse(response, 'organizations', 'AccessDeniedException');
      return;
    }
    const token = JSON.parse(body).NextToken ?? '0';
    this.counts.ListAccounts = (this.counts.ListAccounts ?? 0) + 1;
    if (this.counts.ListAccounts === 2) {
      this.#refuse(response, 'organizations', 'TooManyRequestsException');
      return;
    }
    const [start, empty] = token.split('-').map(Number);
    if (start > 0 && start % 60 === 0 && !empty) {
      this.#json(response, { Accounts: [], NextToken: `${start}-1` });
      return;
    }
    const { accounts } = this.model;
    this.#json(response, { Accounts: accounts.slice(start, start + 20).map((account, i) => ({
      Id: account.id, Name: account.name,
      ...(i % 2 === 0 ? { State: account.state, Status: account.state } : { Status: account.state }) })),
    ...(start + 20 < accounts.length && { NextToken: `${start + 20}-0` }) });
  }

  #describeRegions(response, session) {
    if (!this.#may(session, 'ec2:DescribeRegions')
      || this.byAccount.get(session.account).behaviour === 'regions denied') {
      this.#refuse(response, 'ec2', 'UnauthorizedOperation', 'no', 403);
      return;
    }
    const item = (name, status) => `<item><regionName>${name}</regionName><regionEndpoint>ec2.${name}`
      + `.amazonaws.com</regionEndpoint><optInStatus>${status}</optInStatus></item>`;
    response.writeHead(200).end('<?xml version="1.0"?><DescribeRegionsResponse xmlns="http://ec2.'
      + 'amazonaws.com/doc/2016-11-15/"><regionInfo>'
      + this.model.regions.map((name) => item(name, 'opt-in-not-required')).join('')
      + closedRegions.map((name) => item(name, 'not-opted-in')).join('')
      + '</regionInfo></DescribeRegionsResponse>');
  }

  #may(session, action) {
    return session.allowed === undefined || session.allowed.has(action);
  }

  // --- KMS --------------------------------------------------------------------------------------

  #kms(request, response, body, session, region) {
    const operation = request.headers['x-amz-target'].slice('TrentService.'.length);
    const place = this.model.places.get(`${session.account}/${region}`);
    this.counts[operation] = (this.counts[operation] ?? 0) + 1;
    if (place === undefined) {
      this.#refuse(response, 'kms', 'UnrecognizedClientException',
        'The security token included in the request is invalid.');
      return;
    }
    place.calls += 1;
    place.lastCall = performance.now();
    if (place.dies !== undefined && place.calls > place.dies) {
      request.socket.destroy();
      return;
    }
    if (!this.#may(session, `kms:${operation}`)
      || (place.fate === 'denied' && operation === 'ListKeys')) {
      this.#refuse(response, 'kms', 'AccessDeniedException',
        `User is not authorized to perform: kms:${operation}`);
      return;
    }
    if (!this.#bucket(session.account, region, operation).take()) {
      this.throttled[operation] = (this.throttled[operation] ?? 0) + 1;
      this.#refuse(response, 'kms', 'ThrottlingException', 'You have exceeded the rate at which you '
        + 'may call KMS. Reduce the frequency of your calls.');
      return;
    }
    const answer = this.#answer(operation, JSON.parse(body), place, request);
    if (answer === undefined) return;
    const slow = this.byAccount.get(session.account).behaviour === 'slow' && this.asked % 50 === 0;
    const reply = () => (answer.code ? this.#refuse(response, 'kms', answer.code, answer.message,
      answer.status) : this.#json(response, answer));
    if (slow) setTimeout(reply, 150);
    else reply();
  }

  #answer(operation, input, place, request) {
    if (operation === 'ListKeys') {
      return this.#page(place.keys, input, 'Keys', (key) => ({ KeyId: key.id, KeyArn: arnOf(key) }));
    }
    if (operation === 'ListAliases') {
      place.aliases ??= place.keys.filter((key) => key.alias !== null);
      return this.#page(place.aliases, input, 'Aliases', (key) => ({ AliasName: key.alias,
        AliasArn: `arn:aws:kms:${key.region}:${key.account}:${key.alias}`, TargetKeyId: key.id }));
    }
    const key = place.byId.get(input.KeyId.slice(input.KeyId.lastIndexOf('/') + 1));
    if (key === undefined || key.kind.gone) return { code: 'NotFoundException', message: 'no such key' };
    if (key.kind.denies === operation) return { code: 'AccessDeniedException' };
    if (key.kind.manager === 'AWS' && operation === 'GetKeyRotationStatus') {
      this.problems.push('the rotation of an AWS managed key was asked for');
    }
    if (key.kind.flaky && key.flakes !== 3) {
      key.flakes = (key.flakes ?? 0) + 1;
      if (key.flakes === 1) return { code: 'KMSInternalException', status: 500 };
      if (key.flakes === 2) {
        request.socket.destroy();
        return undefined;
      }
      return { code: 'ServiceUnavailableException', status: 503 };
    }
    if (operation === 'DescribeKey') return this.#describe(key);
    if (operation === 'GetKeyRotationStatus') return this.#status(key);
    if (operation === 'ListResourceTags') {
      return { Tags: isOwned(key) ? [{ TagKey: 'ManagedBy', TagValue: 'terraform' }] : [],
        Truncated: false };
    }
    if (operation === 'ListKeyRotations') return { Rotations: [], Truncated: false };
    return this.#write(operation, input, key);
  }

  #page(items, input, member, render) {
    const start = Number(input.Marker ?? 0);
    const end = Math.min(start + Math.min(input.Limit ?? 100, 1000), items.length);
    const more = end < items.length;
    return { [member]: items.slice(start, end).map(render), Truncated: more,
      ...(more && { NextMarker: String(end) }) };
  }

  #describe(key) {
    const { kind } = key;
    key.described += 1;
    const state = kind.settles && key.described > 1 ? kind.settles : key.state;
    let multi = '';
    if (key.primary !== null) {
      const primaryArn = arnOf({ ...key, region: key.primary });
      const replicas = (key.of ?? key).replicaRegion
        ? `{"Arn":"${arnOf({ ...key, region: (key.of ?? key).replicaRegion })}","Region":"${(key.of ?? key).replicaRegion}"}` : '';
      multi = `,"MultiRegionConfiguration":{"MultiRegionKeyType":"${key.replica ? 'REPLICA' : 'PRIMARY'}"`
        + `,"PrimaryKey":{"Arn":"${primaryArn}","Region":"${key.primary}"},"ReplicaKeys":[${replicas}]}`;
    }
    return `{"KeyMetadata":{"AWSAccountId":"${key.account}","KeyId":"${key.id}","Arn":"${arnOf(key)}"`
      + `,"CreationDate":1700000000.5,"Enabled":${state === 'Enabled'},"Description":"key of a test"`
      + `,"KeyUsage":"${kind.usage ?? 'ENCRYPT_DECRYPT'}","KeyState":"${state}","Origin":"${kind.origin ?? 'AWS_KMS'}"`
      + `,"KeyManager":"${kind.manager ?? 'CUSTOMER'}","KeySpec":"${kind.spec ?? 'SYMMETRIC_DEFAULT'}"`
      + `,"CustomerMasterKeySpec":"${kind.spec ?? 'SYMMETRIC_DEFAULT'}","MultiRegion":${key.primary !== null}${multi}}}`;
  }

  // #status: after a write so many reads still show what was.
  #status(key) {
    const truth = key.of ?? key;
    if (truth.period === null) return { code: 'UnsupportedOperationException' };
    let { period } = truth;
    if (truth.staleReads > 0) {
      truth.staleReads -= 1;
      period = truth.was;
    }
    if (key.state === 'PendingDeletion') period = 0;
    return period === 0 ? `{"KeyId":"${arnOf(key)}","KeyRotationEnabled":false}`
      : `{"KeyId":"${arnOf(key)}","KeyRotationEnabled":true,"RotationPeriodInDays":${period}`
        + ',"NextRotationDate":1800000000.25}';
  }

  #write(operation, input, key) {
    if (key.state !== 'Enabled' || key.kind.settles) return { code: 'DisabledException' };
    if (key.replica || key.period === null) return { code: 'UnsupportedOperationException' };
    key.was = key.period;
    if (operation === 'EnableKeyRotation') {
      key.period = input.RotationPeriodInDays ?? (key.period || 365);
    } else if (operation === 'DisableKeyRotation') {
      key.period = 0;
    } else {
      return { code: 'UnknownOperationException' };
    }
    if (this.stale) key.staleReads = key.writes.length % 3;
    key.writes.push(`${operation} ${key.period}`);
    return '';
  }
}
