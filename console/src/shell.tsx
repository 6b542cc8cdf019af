// The frame of every page: navigation, who is signed in, notices, and the session's end.
import AppLayout from '@cloudscape-design/components/app-layout';
import BreadcrumbGroup from '@cloudscape-design/components/breadcrumb-group';
import Flashbar, { type FlashbarProps } from '@cloudscape-design/components/flashbar';
import { I18nProvider } from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import SideNavigation, { type SideNavigationProps } from '@cloudscape-design/components/side-navigation';
import TopNavigation from '@cloudscape-design/components/top-navigation';
import { applyMode, Mode } from '@cloudscape-design/global-styles';
import { lazy, Suspense, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { HashRouter, Navigate, Route, Routes, useLocation, useNavigate } from 'react-router-dom';
import { loadSession, setRegion, signOut, type Session } from './api';
import { ShellContext, type Shell as ShellValue } from './shell-context';

const KeyList = lazy(() => import('./keys/list'));
const KeyDetail = lazy(() => import('./keys/detail'));
const CreateKey = lazy(() => import('./keys/create'));
const Dashboard = lazy(() => import('./rotation/dashboard'));
const EnableRotation = lazy(() => import('./rotation/enable'));
const BackOut = lazy(() => import('./rotation/disable'));
const JobPage = lazy(() => import('./rotation/job'));
const History = lazy(() => import('./rotation/history'));
const Evidence = lazy(() => import('./rotation/evidence'));
const Trail = lazy(() => import('./trail'));
const KeyStores = lazy(() => import('./key-stores'));

const items: SideNavigationProps.Item[] = [
  { type: 'link', text: 'AWS managed keys', href: '#/kms/defaultKeys' },
  { type: 'link', text: 'Customer-managed keys', href: '#/kms/keys' },
  {
    type: 'section',
    text: 'Custom key stores',
    items: [
      { type: 'link', text: 'AWS CloudHSM key stores', href: '#/kms/custom-key-stores' },
      { type: 'link', text: 'External key stores', href: '#/kms/external-key-stores' },
    ],
  },
  { type: 'divider' },
  { type: 'link', text: 'Rotation dashboard', href: '#/kms/rotation' },
  { type: 'link', text: 'Turn on rotation', href: '#/kms/rotation/enable' },
  { type: 'link', text: 'Back out', href: '#/kms/rotation/disable' },
  { type: 'link', text: 'Rotation history', href: '#/kms/rotation/history' },
  { type: 'link', text: 'Rotation evidence', href: '#/kms/rotation/evidence' },
  { type: 'divider' },
  { type: 'link', text: 'Trail', href: '#/kms/trail' },
];

const titles: Record<string, string> = {
  keys: 'Customer-managed keys',
  defaultKeys: 'AWS managed keys',
  'custom-key-stores': 'AWS CloudHSM key stores',
  'external-key-stores': 'External key stores',
  rotation: 'Rotation dashboard',
  'rotation/enable': 'Turn on rotation',
  'rotation/disable': 'Back out',
  'rotation/history': 'Rotation history',
  'rotation/evidence': 'Rotation evidence',
  'rotation/jobs': 'Job',
  trail: 'Trail',
};

// hashPath: of the address, which is ahead of the page that is shown.
const hashPath = () => window.location.hash.slice(1).split('?')[0]!;

interface Props {
  session: Session;
  onSession: (session: Session) => void;
  onSignedOut: (why: string) => void;
}

function Frame({ session, onSession, onSignedOut }: Props) {
  const location = useLocation();
  const { pathname } = location;
  // The page that is open stays until the next one has come; hidden instead, it would be blank, and
  // its charts stumble over the pointer.
  const shown = useDeferredValue(location);
  const navigate = useNavigate();
  const [region, showRegion] = useState(session.Region);
  const chooseRegion = useCallback((name: string) => {
    setRegion(name);
    showRegion(name);
  }, []);
  const [flashes, setFlashes] = useState<(FlashbarProps.MessageDefinition & { path: string })[]>([]);
  const [navigationOpen, setNavigationOpen] = useState(matchMedia('(min-width: 1200px)').matches);
  const content = useRef<HTMLDivElement>(null);
  const nextFlash = useRef(0);

  const notify = useCallback((type: FlashbarProps.Type, text: string) => {
    const id = String(++nextFlash.current);
    const dismiss = () => setFlashes((all) => all.filter((each) => each.id !== id));
    setFlashes((all) => [
      { id, type, path: hashPath(), content: text, dismissible: true, onDismiss: dismiss, ariaRole: type === 'error' ? 'alert' : 'status' },
      ...all.slice(0, 3),
    ]);
  }, []);

  // What was done is told on the page where it was done, and not on another one's top; what went
  // wrong stays until it is dismissed.
  useEffect(() => setFlashes((all) => all.filter((each) => each.type !== 'success' || each.path === pathname)), [pathname]);

  // The idle clock of the server, told before it runs out.
  const lastUse = useRef(Date.now());
  useEffect(() => {
    const used = () => (lastUse.current = Date.now());
    const kinds = ['pointerdown', 'keydown'] as const;
    kinds.forEach((kind) => addEventListener(kind, used));
    let warned = false;
    let asked = Date.now();
    const timer = setInterval(() => {
      const idle = (Date.now() - lastUse.current) / 1000;
      // Who works in the page without calling the server is not idle.
      if (lastUse.current > asked && Date.now() - asked > (session.IdleSeconds * 1000) / 3) {
        asked = Date.now();
        void loadSession().catch(() => onSignedOut('Your session has ended. Sign in again to go on where you were.'));
      }
      const left = session.IdleSeconds - idle;
      if (left <= 0 || Date.now() / 1000 > session.Expires) {
        void loadSession().then(onSession, () => onSignedOut('Your session has ended after a time without use.'));
      }
      if (left < 60 && !warned) notify('warning', 'You will be signed out in a minute unless you go on.');
      warned = left < 60;
    }, 5000);
    return () => {
      clearInterval(timer);
      kinds.forEach((kind) => removeEventListener(kind, used));
    };
  }, [session.IdleSeconds, session.Expires]);

  const section = pathname.split('/')[2] ?? 'keys';
  const page = pathname.split('/').slice(2, 4).join('/');
  const title = titles[page] ?? titles[section] ?? 'Keyturn';
  const key = section === 'keys' ? pathname.split('/')[3] : undefined;
  useEffect(() => {
    document.title = `${key ? `${key === 'create' ? 'Create key' : key} - ` : ''}${title} - Keyturn`;
  }, [key, title]);
  // Readers of the page are taken to its beginning when the route changes, not on the first one.
  const first = useRef(true);
  useEffect(() => {
    if (!first.current) {
      content.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first.current = false;
  }, [shown.pathname.split('/').slice(2, 4).join('/')]);

  const shell = useMemo<ShellValue>(
    () => ({ session, region, chooseRegion, notify, onSession }),
    [session, region, chooseRegion, notify, onSession],
  );
  const regions = [...new Set([region, ...session.Regions, 'us-east-1'])].sort();
  const leave = async (everywhere: boolean) => {
    await signOut(everywhere).catch(() => {});
    onSignedOut(everywhere ? 'You are signed out everywhere.' : 'You are signed out.');
  };
  // Two at most: on a phone three do not fit, and the top navigation leads home anyway.
  const parent = { text: titles[section] ?? title, href: `#/kms/${section}` };
  const below = key
    ? { text: key === 'create' ? 'Create key' : `Key ${key.slice(0, 8)}`, href: `#${pathname}` }
    : titles[page] && page !== section
      ? { text: title, href: `#${pathname}` }
      : undefined;
  const crumbs = below ? [parent, below] : [{ text: 'Keyturn', href: '#/kms/keys' }, parent];
  return (
    <ShellContext.Provider value={shell}>
      <div id="top-navigation" style={{ position: 'sticky', insetBlockStart: 0, zIndex: 1002 }}>
        <TopNavigation
          identity={{ title: 'Keyturn', href: '#/kms/keys' }}
          utilities={[
            {
              type: 'menu-dropdown',
              text: region,
              ariaLabel: 'Region',
              items: regions.map((name) => ({ id: name, text: name })),
              onItemClick: ({ detail }) => {
                chooseRegion(detail.id);
                if (key) navigate('/kms/keys');
              },
            },
            {
              type: 'menu-dropdown',
              text: session.Arn.split('/').pop() ?? session.Arn,
              description: session.Arn,
              iconName: 'user-profile',
              items: [
                { id: 'light', text: 'Light mode' },
                { id: 'dark', text: 'Dark mode' },
                { id: 'sign-out', text: 'Sign out' },
                { id: 'sign-out-everywhere', text: 'Sign out everywhere' },
              ],
              onItemClick: ({ detail }) => {
                if (detail.id === 'light') applyMode(Mode.Light);
                else if (detail.id === 'dark') applyMode(Mode.Dark);
                else void leave(detail.id === 'sign-out-everywhere');
              },
            },
          ]}
        />
      </div>
      <AppLayout
        headerSelector="#top-navigation"
        toolsHide
        ariaLabels={{ navigation: 'Services', navigationClose: 'Close navigation', navigationToggle: 'Open navigation', notifications: 'Notices' }}
        navigationOpen={navigationOpen}
        onNavigationChange={({ detail }) => setNavigationOpen(detail.open)}
        navigation={
          <SideNavigation
            header={{ text: 'Key Management Service', href: '#/kms/keys' }}
            activeHref={`#/kms/${titles[page] ? page : section}`}
            items={items}
            onFollow={() => setNavigationOpen(matchMedia('(min-width: 1200px)').matches)}
          />
        }
        breadcrumbs={<BreadcrumbGroup ariaLabel="Breadcrumbs" items={crumbs} />}
        notifications={<Flashbar items={flashes.map(({ path: _, ...item }) => item)} stackItems />}
        content={
          <div ref={content} tabIndex={-1} style={{ outline: 'none' }} key={region} data-page={shown.pathname + shown.search}>
            <Suspense fallback={null}>
              <Routes location={shown}>
                <Route path="/kms/keys" element={<KeyList key="CUSTOMER" manager="CUSTOMER" />} />
                <Route path="/kms/defaultKeys" element={<KeyList key="AWS" manager="AWS" />} />
                <Route path="/kms/keys/create" element={<CreateKey />} />
                <Route path="/kms/keys/:keyId" element={<KeyDetail />} />
                <Route path="/kms/keys/:keyId/:tab" element={<KeyDetail />} />
                <Route path="/kms/custom-key-stores" element={<KeyStores kind="AWS_CLOUDHSM" />} />
                <Route path="/kms/external-key-stores" element={<KeyStores kind="EXTERNAL_KEY_STORE" />} />
                <Route path="/kms/rotation" element={<Dashboard />} />
                <Route path="/kms/rotation/enable" element={<EnableRotation />} />
                <Route path="/kms/rotation/disable" element={<BackOut />} />
                <Route path="/kms/rotation/history" element={<History />} />
                <Route path="/kms/rotation/evidence" element={<Evidence />} />
                <Route path="/kms/rotation/jobs/:jobId" element={<JobPage />} />
                <Route path="/kms/trail" element={<Trail />} />
                <Route path="*" element={<Navigate to="/kms/keys" replace />} />
              </Routes>
            </Suspense>
          </div>
        }
      />
    </ShellContext.Provider>
  );
}

export default function Shell(props: Props) {
  return (
    <I18nProvider locale="en" messages={[messages]}>
      <HashRouter>
        <Frame {...props} />
      </HashRouter>
    </I18nProvider>
  );
}
