// What a simulated AWS organization holds: accounts, regions and keys, drawn from a seed, and beside
// each what an audit must say of it. The verdicts are written down here by kind, by hand; nothing of
// the program under test is asked.

export const allRegions = ['ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1',
  'ap-southeast-1', 'ap-southeast-2', 'ca-central-1', 'eu-central-1', 'eu-north-1', 'eu-west-1',
  'eu-west-2', 'eu-west-3', 'sa-east-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'];
// Regions that exist, and that no account here has opted in to.
export const closedRegions = ['af-south-1', 'me-south-1'];
// The rest of the partition's: the program knows them, and EC2 does not speak of them here.
export const otherRegions = ['ap-east-1', 'ap-east-2', 'ap-south-2', 'ap-southeast-3',
  'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7', 'ca-west-1',
  'eu-central-2', 'eu-south-1', 'eu-south-2', 'il-central-1', 'me-central-1', 'mx-central-1'];

// Random is a small generator (mulberry32): the same seed is the same organization.
export class Random {
  constructor(seed) { this.state = seed >>> 0; }
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n) { return Math.floor(this.next() * n); }
  hex(digits) {
    let text = '';
    while (text.length < digits) text += this.below(65536).toString(16).padStart(4, '0');
    return text.slice(0, digits);
  }
  uuid() {
    return `${this.hex(8)}-${this.hex(4)}-4${this.hex(3)}-8${this.hex(3)}-${this.hex(12)}`;
  }
}

// Kinds: how often, what DescribeKey says beyond the usual, the setting (null: GetKeyRotationStatus
// is refused), and the verdict with --max-period 365. Weights are per mille.
export const kinds = [
  { name: 'aws managed', weight: 240, manager: 'AWS', alias: 'aws', period: 365, verdict: 'NOT_APPLICABLE' },
  { name: 'aws managed, no alias', weight: 2, manager: 'AWS', period: 365, verdict: 'NOT_APPLICABLE' },
  { name: 'on', weight: 300, alias: 'some', period: 365, verdict: 'PASS' },
  { name: 'on, 90 days', weight: 100, alias: 'some', period: 90, verdict: 'PASS' },
  { name: 'on, 730 days', weight: 30, period: 730, verdict: 'FAIL_PERIOD', fixable: true },
  { name: 'off', weight: 60, alias: 'some', period: 0, verdict: 'FAIL', fixable: true },
  { name: 'disabled, on', weight: 20, state: 'Disabled', period: 365, verdict: 'SKIPPED' },
  { name: 'disabled, off', weight: 20, state: 'Disabled', period: 0, verdict: 'SKIPPED' },
  { name: 'pending deletion', weight: 30, state: 'PendingDeletion', period: 365, verdict: 'SKIPPED' },
  { name: 'rsa', weight: 60, spec: 'RSA_2048', usage: 'SIGN_VERIFY', period: null, verdict: 'NOT_APPLICABLE' },
  { name: 'ecc', weight: 40, spec: 'ECC_NIST_P256', usage: 'SIGN_VERIFY', period: null, verdict: 'NOT_APPLICABLE' },
  { name: 'hmac', weight: 20, spec: 'HMAC_256', usage: 'GENERATE_VERIFY_MAC', period: 0, verdict: 'NOT_APPLICABLE' },
  { name: 'ml-dsa', weight: 4, spec: 'ML_DSA_65', usage: 'SIGN_VERIFY', period: null, verdict: 'NOT_APPLICABLE' },
  { name: 'imported', weight: 30, origin: 'EXTERNAL', period: 0, verdict: 'NOT_APPLICABLE' },
  { name: 'cloudhsm', weight: 6, origin: 'AWS_CLOUDHSM', period: null, verdict: 'NOT_APPLICABLE' },
  { name: 'external store', weight: 4, origin: 'EXTERNAL_KEY_STORE', state: 'Unavailable', period: null, verdict: 'NOT_APPLICABLE' },
  { name: 'primary, on', weight: 10, multi: true, period: 365, verdict: 'PASS' },
  { name: 'primary, off', weight: 4, multi: true, period: 0, verdict: 'FAIL', fixable: true },
  { name: 'describe denied', weight: 4, denies: 'DescribeKey', period: 365, verdict: 'UNKNOWN' },
  { name: 'status denied', weight: 6, denies: 'GetKeyRotationStatus', period: 365, verdict: 'UNKNOWN' },
  { name: 'gone', weight: 6, gone: true, period: 365, verdict: 'GONE' },
  { name: 'creating', weight: 1, state: 'Creating', settles: 'Enabled', period: 365, verdict: 'PASS' },
  { name: 'flaky', weight: 3, flaky: true, period: 365, verdict: 'PASS' },
];
const totalWeight = kinds.reduce((sum, kind) => sum + kind.weight, 0);

export const arnOf = (key) =>
  `arn:aws:kms:${key.region}:${key.account}:key/${key.id}`;

// isOwned: infrastructure code owns one key in sixteen, as its tags say.
export const isOwned = (key) => key.id.endsWith('7');

function makeKey(random, place, kind) {
  const id = kind.multi ? `mrk-${random.hex(32)}` : random.uuid();
  return { id, account: place.account, region: place.region, kind, verdict: kind.verdict,
    state: kind.state ?? 'Enabled', period: kind.period, primary: kind.multi ? place.region : null,
    alias: kind.alias === 'aws' ? `alias/aws/svc-${place.keys.length}`
      : kind.alias === 'some' && random.below(2) === 0 ? `alias/app/${random.hex(12)}` : null,
    described: 0, staleReads: 0, was: null, writes: [] };
}

function drawKind(random) {
  let at = random.below(totalWeight);
  for (const kind of kinds) {
    at -= kind.weight;
    if (at < 0) return kind;
  }
  return kinds[0];
}

// Account behaviours, by number of the account: what is wrong with some of them. Of each `every`
// accounts one has each of these.
const troubles = ['role denied', 'regions denied' /* ec2:DescribeRegions */,
  'list denied in one region', 'one region dies half-way', 'slow'];
function behaviourOf(n, count, every) {
  if (n === 0) return 'management';
  if (n === count - 1) return 'suspended';
  return troubles[(n % every) - every / 2] ?? 'well';
}

// draw makes the organization: `keys` keys over `accounts` x `regions`, of which `hot` places hold a
// third; `every` is how rare trouble is. A replica of a multi-Region key has its primary's verdict.
export function draw({ seed = 1, accounts = 200, regions = allRegions, keys = 100_000, hot = 12,
  every = 50 }) {
  const random = new Random(seed);
  const organization = { regions, accounts: [], places: new Map(), keyCount: 0 };
  for (let n = 0; n < accounts; n += 1) {
    const id = String(100_000_000_000 + n * 7_919_111);
    const behaviour = behaviourOf(n, accounts, every);
    organization.accounts.push({ id, name: `account ${n}`, behaviour,
      state: behaviour === 'suspended' ? 'SUSPENDED' : 'ACTIVE' });
    for (const region of regions) {
      organization.places.set(`${id}/${region}`, { account: id, region, keys: [], byId: new Map(),
        hot: false, fate: 'scanned', calls: 0, lastCall: -Infinity });
    }
  }
  const list = [...organization.places.values()];
  for (let i = 0; i < hot; i += 1) list[random.below(list.length)].hot = true;
  const hotList = list.filter((place) => place.hot);
  const put = (place, kind) => {
    const key = makeKey(random, place, kind);
    place.keys.push(key);
    place.byId.set(key.id, key);
    organization.keyCount += 1;
    return key;
  };
  while (organization.keyCount < keys) {
    const place = hotList.length > 0 && random.below(3) === 0
      ? hotList[random.below(hotList.length)] : list[random.below(list.length)];
    const kind = drawKind(random);
    // Writes are slow by AWS's quota: few of the keys of a big place are to be changed.
    if (place.hot && kind.fixable && random.below(5) !== 0) continue;
    const key = put(place, kind);
    if (!kind.multi) continue;
    const other = organization.places.get(
      `${place.account}/${regions[random.below(regions.length)]}`);
    if (other === place) continue;
    const replica = { ...key, region: other.region, replica: true, writes: [] };
    other.keys.push(replica);
    other.byId.set(replica.id, replica);
    key.replicaRegion = other.region;
    replica.of = key;
    organization.keyCount += 1;
  }
  for (const account of organization.accounts) setFates(organization, account);
  return organization;
}

// setFates: what must become of each region of an account.
function setFates(organization, account) {
  const places = organization.regions.map((region) =>
    organization.places.get(`${account.id}/${region}`));
  if (account.behaviour === 'suspended') for (const place of places) place.fate = 'account closed';
  if (account.behaviour === 'role denied') for (const place of places) place.fate = 'denied';
  if (account.behaviour === 'list denied in one region') places[0].fate = 'denied';
  if (account.behaviour === 'one region dies half-way') places[1].dies = 8;  // calls until then
}
