// A tour of the console: a server with something on every page, the pages and dialogs to stop at, and the walk.
// What is tested at these stops (tests/console/pages.test.mjs) is what scripts/screenshots shows.
import { close, signIn } from './browser.mjs';
import { ConsoleSession } from './console.mjs';
import { admin } from './people.mjs';
import { Server, credentials } from './server.mjs';
import { XksProxy, proxyCredential } from './xks_proxy.mjs';

export class Tour {
  // start makes keys in every state, a job, an external key store and an AWS managed key. ids: what
  // they are called here, and their ids.
  static async start() {
    const tour = new Tour();
    tour.proxy = await XksProxy.start();
    tour.server = await Server.start({ args: ['--xks-route', `xks.example.com=${tour.proxy.url}`] });
    tour.session = await ConsoleSession.open(tour.server.url);
    tour.ids = {};
    await tour.#furnish(tour.session, tour.ids);
    return tour;
  }

  async #furnish(session, ids) {
    const make = async (name, input = {}) => {
      ids[name] = (await session.call('CreateKey', input)).json.KeyMetadata.KeyId;
      await session.call('CreateAlias', { AliasName: `alias/${name}`, TargetKeyId: ids[name] });
    };
    await make('rotating', { Description: 'Rotates', Tags: [{ TagKey: 'team', TagValue: 'a' }] });
    await session.call('EnableKeyRotation', { KeyId: ids.rotating, RotationPeriodInDays: 90 });
    await session.call('RotateKeyOnDemand', { KeyId: ids.rotating });
    ids.grant = (await session.call('CreateGrant', { KeyId: ids.rotating, Operations: ['Encrypt'],
      Name: 'billing', GranteePrincipal: 'arn:aws:iam::111122223333:user/admin',
      Constraints: { EncryptionContextSubset: { department: 'it' } } })).json.GrantId;
    await make('still');
    await make('signing', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
    await make('imported', { Origin: 'EXTERNAL' });
    await make('global', { MultiRegion: true });
    await session.call('ReplicateKey', { KeyId: ids.global, ReplicaRegion: 'eu-west-1' });
    await make('leaving');
    await session.confirm();
    await session.call('ScheduleKeyDeletion', { KeyId: ids.leaving, PendingWindowInDays: 7 });
    await admin(this.server, 'aws-managed-key', 'create', '--alias', 'alias/aws/s3');
    const { Arn } = (await session.call('DescribeKey', { KeyId: ids.global })).json.KeyMetadata;
    ids.job = (await session.send('POST', 'jobs', { body: JSON.stringify(
      { Enabled: true, Justification: 'Control 3.8', Keys: [Arn] }) })).json.JobId;
    await session.call('CreateCustomKeyStore', { CustomKeyStoreName: 'outside',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE', XksProxyConnectivity: 'PUBLIC_ENDPOINT',
      XksProxyUriEndpoint: 'https://xks.example.com', XksProxyUriPath: '/kms/xks/v1',
      XksProxyAuthenticationCredential: proxyCredential });
  }

  // walk opens a window (browser.open's options) and calls see(page, stop) at every stop; one before anybody
  // is signed in has no route.
  async walk(browser, window, see) {
    const page = await browser.open(this.server, window);
    for (const stop of signInStops) {
      await page.getByLabel('Access key ID').waitFor();
      await stop.act?.(page);
      await see(page, stop);
    }
    await signIn(page);
    for (const stop of stops(this.ids)) {
      await page.go(stop.route);
      await stop.act?.(page);
      await see(page, stop);
    }
    await close(page);
  }

  // named: a text with the names of keys instead of their ids.
  named = (text) => Object.entries(this.ids).reduce((all, [name, id]) => all.replaceAll(id, name), text);

  async stop() {
    await this.server.stop();
    await this.proxy.stop();
  }
}

const press = (page, name) => page.getByRole('button', { name, exact: true }).first().click();
const next = (page) => press(page, 'Next');
const opens = (name) => async (page) => {
  await press(page, name);
  await page.getByRole('dialog').waitFor();
};
const choose = async (page, item) => {
  await press(page, 'Key actions');
  await page.getByRole('menuitem', { name: item }).click();
};

// signInStops: before anybody is signed in.
const signInStops = [
  { name: 'sign-in' },
  { name: 'sign-in, nothing entered', act: (page) => press(page, 'Sign in') },
  { name: 'sign-in, a wrong secret', act: async (page) => {
    await page.getByLabel('Access key ID').fill(credentials.accessKeyId);
    await page.getByLabel('Secret access key').fill('wrong');
    await press(page, 'Sign in');
    await page.getByText('does not belong to this access key').waitFor();
  } },
];

// stops: every page and tab by its route, and what a click opens there. One that opens something is
// followed by another page or key, which closes it.
function stops(ids) {
  const key = (name, tab) => `/kms/keys/${ids[name]}/${tab}`;
  const routes = [
    '/kms/keys', '/kms/keys?view=off', '/kms/keys?verdict=UNKNOWN', '/kms/defaultKeys', '/kms/keys/create',
    '/kms/custom-key-stores', '/kms/external-key-stores', '/kms/rotation', '/kms/rotation/enable',
    '/kms/rotation/disable', '/kms/rotation/history', '/kms/rotation/evidence',
    `/kms/rotation/jobs/${ids.job}`, '/kms/rotation/jobs/00000000-0000-4000-8000-000000000000',
    '/kms/trail?operation=CreateGrant', '/kms/trail?operation=None',
    ...['keyPolicy', 'cryptographicConfiguration', 'tags', 'keyRotation', 'aliases', 'grants'].map((tab) => key('rotating', tab)),
    key('signing', 'publicKey'), key('imported', 'keyMaterial'), key('imported', 'keyRotation'),
    key('global', 'regionality'), key('leaving', 'keyRotation'),
    '/kms/keys/mrk-00000000000000000000000000000000',
  ];
  const opened = {
    'the menu of the user': ['/kms/keys', async (page) => {
      await press(page, 'admin');
      await page.getByRole('menuitem', { name: 'Sign out', exact: true }).waitFor();
    }],
    'labels of a new key': ['/kms/keys/create', next],
    preferences: ['/kms/keys', opens('Preferences')],
    'period for many keys': ['/kms/rotation/enable', next],
    'review of a new key': ['/kms/keys/create', async (page) => {
      await next(page);
      await next(page);
    }],
    'review for many keys': ['/kms/rotation/enable', async (page) => {
      await next(page);
      await next(page);
      await page.getByRole('heading', { name: /^Keys that will be changed/ }).waitFor();
    }],
    'reason for a back-out': [`/kms/rotation/disable?job=${ids.job}`, () => {}],
    'a record': ['/kms/trail?operation=CreateGrant', async (page) => {
      await page.getByRole('link', { name: 'CreateGrant: show the record' }).first().click();
      await page.getByRole('dialog').waitFor();
    }],
    'keys to turn off': ['/kms/rotation/disable', async (page) => {
      await page.getByRole('radio', { name: 'Turn off rotation of keys' }).check();
      await page.getByRole('table', { name: 'Keys' }).waitFor();
    }],
    'a new tag': [key('still', 'tags'), opens('Add tag')],
    'rotation turned off': [key('rotating', 'keyRotation'), async (page) => {
      await page.getByRole('checkbox', { name: /Automatically rotate/ }).uncheck();
      await opens('Save')(page);
    }],
    'a policy with an error': [key('still', 'keyPolicy'), async (page) => {
      await press(page, 'Edit');
      await page.getByLabel('Policy document').fill('{');
      await page.getByText('This is not JSON').first().waitFor();
    }],
    'rotate now': [key('rotating', 'keyRotation'), opens('Rotate now')],
    'a decision explained': [key('still', 'keyPolicy'), async (page) => {
      await press(page, 'Explain');
      await page.getByRole('table', { name: 'Statements' }).waitFor();
    }],
    'a new grant': [key('rotating', 'grants'), opens('Create grant')],
    'a new alias': [key('still', 'aliases'), opens('Create alias')],
    'a grant revoked': [key('rotating', 'grants'), async (page) => {
      await page.getByRole('button', { name: /^Revoke grant billing/ }).click();
      await page.getByRole('dialog').waitFor();
    }],
    'an alias deleted': [key('still', 'aliases'), opens('Delete alias/still')],
    'deletion asks for the secret': [key('rotating', 'tags'), async (page) => {
      await press(page, 'Key actions');
      await page.getByRole('menuitem', { name: 'Schedule key deletion' }).click();
      await page.getByRole('dialog').waitFor();
    }],
  };
  return [...routes.map((route) => ({ name: route, route })),
    ...Object.entries(opened).map(([name, [route, act]]) => ({ name, route, act }))];
}
