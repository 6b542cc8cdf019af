// The console starts with as little as a person needs to sign in; the rest is loaded after that.
import '#global-styles.css';
import './console.css';
import { applyMode, Mode } from '@cloudscape-design/global-styles';
import { lazy, StrictMode, Suspense, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { loadSession, setRegion, setSignedOut, type Session } from './api';
import { SignIn } from './sign-in';

const Shell = lazy(() => import('./shell'));
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => applyMode(dark.matches ? Mode.Dark : Mode.Light);
follow();
dark.addEventListener('change', follow);

function Console() {
  const [session, setSession] = useState<Session | null | undefined>();
  const [notice, setNotice] = useState('');
  const begin = (opened: Session) => {
    setRegion(opened.Region);
    setNotice('');
    setSession(opened);
  };
  const end = (why: string) => {
    setNotice(why);
    setSession(null);
  };
  useEffect(() => {
    setSignedOut(() => end('Your session has ended. Sign in again to go on where you were.'));
    loadSession().then(begin, () => setSession(null));
  }, []);
  if (session === undefined) return null;
  if (session === null) return <SignIn notice={notice} onSignedIn={begin} />;
  return (
    <Suspense fallback={null}>
      <Shell session={session} onSession={setSession} onSignedOut={end} />
    </Suspense>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Console />
  </StrictMode>,
);
