// Sign in with an access key. The secret signs one request and is dropped.
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { ApiError, signIn, type Session } from './api';

export const explain = (error: unknown) => {
  if (!(error instanceof ApiError)) return 'This browser cannot sign the request. Open the console by https, or on this machine itself.';
  if (error.code === 'UnrecognizedClientException') return 'There is no such access key, or it is inactive.';
  if (error.code === 'InvalidSignatureException') {
    return error.message.startsWith('Signature expired') || error.message.startsWith('Signature not yet')
      ? 'The clock of this machine and that of the server differ by more than five minutes.'
      : 'The secret access key does not belong to this access key.';
  }
  return error.message;
};

export function SignIn({ notice, onSignedIn }: { notice: string; onSignedIn: (session: Session) => void }) {
  const [accessKeyId, setAccessKeyId] = useState('');
  const [secretAccessKey, setSecret] = useState('');
  const [sessionToken, setToken] = useState('');
  const [region, setRegion] = useState(localStorage.getItem('keyturn-region') ?? 'us-east-1');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const [tried, setTried] = useState(false);
  const missing = !accessKeyId.trim() || !secretAccessKey || !region.trim();

  async function submit() {
    setTried(true);
    if (missing) return;
    setBusy(true);
    setProblem('');
    try {
      const keys = { accessKeyId: accessKeyId.trim(), secretAccessKey, sessionToken: sessionToken.trim() };
      const session = await signIn(keys, region.trim());
      localStorage.setItem('keyturn-region', region.trim());
      setSecret('');
      onSignedIn(session);
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
    }
  }

  return (
    <main style={{ maxWidth: '32rem', margin: '8vh auto', padding: '0 1rem' }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <SpaceBetween size="l">
          <Box textAlign="center" fontSize="display-l" fontWeight="bold" variant="p">
            Keyturn
          </Box>
          {notice && <Alert type="info">{notice}</Alert>}
          {problem && <Alert type="error">{problem}</Alert>}
          <Container header={<Header variant="h1">Sign in</Header>}>
            <Form
              actions={
                <Button variant="primary" loading={busy} loadingText="Signing in">
                  Sign in
                </Button>
              }
            >
              <SpaceBetween size="m">
                <FormField label="Access key ID" errorText={tried && !accessKeyId.trim() && 'Enter an access key ID.'}>
                  <Input value={accessKeyId} onChange={({ detail }) => setAccessKeyId(detail.value)} autoComplete="username" spellcheck={false} autoFocus />
                </FormField>
                <FormField
                  label="Secret access key"
                  description="Signs this sign-in in your browser and is never sent."
                  errorText={tried && !secretAccessKey && 'Enter the secret access key.'}
                >
                  <Input value={secretAccessKey} type="password" onChange={({ detail }) => setSecret(detail.value)} autoComplete="current-password" />
                </FormField>
                <FormField label="Session token - optional" description="Of temporary credentials.">
                  <Input value={sessionToken} type="password" onChange={({ detail }) => setToken(detail.value)} autoComplete="off" />
                </FormField>
                <FormField label="Region" errorText={tried && !region.trim() && 'Enter a region.'}>
                  <Input value={region} onChange={({ detail }) => setRegion(detail.value)} spellcheck={false} />
                </FormField>
              </SpaceBetween>
            </Form>
          </Container>
        </SpaceBetween>
      </form>
    </main>
  );
}
