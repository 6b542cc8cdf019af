// ConfirmSecret asks for the secret access key again, before what nobody else is to do in an open session.
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState, type ReactNode } from 'react';
import { confirm } from '../api';
import { explain } from '../sign-in';
import { useShell } from '../shell-context';

interface Props {
  header: string;
  action: string;
  children: ReactNode;
  disabled?: boolean;
  onConfirmed: () => Promise<void>;
  onDismiss: () => void;
}

export function ConfirmSecret({ header, action, children, disabled, onConfirmed, onDismiss }: Props) {
  const { session, onSession } = useShell();
  const [secretAccessKey, setSecret] = useState('');
  const [sessionToken, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const confirmed = session.ConfirmedUntil * 1000 > Date.now();
  const temporary = session.AccessKeyId.startsWith('ASIA');

  async function run() {
    setBusy(true);
    setProblem('');
    try {
      if (!confirmed) onSession(await confirm({ accessKeyId: session.AccessKeyId, secretAccessKey, sessionToken }, session.Region));
      setSecret('');
      await onConfirmed();
    } catch (error) {
      setProblem(explain(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Modal
      visible
      onDismiss={onDismiss}
      header={header}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onDismiss}>Cancel</Button>
            <Button variant="primary" loading={busy} disabled={disabled || (!confirmed && !secretAccessKey)} onClick={() => void run()}>
              {action}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {problem && <Alert type="error">{problem}</Alert>}
        {children}
        {!confirmed && (
          <FormField label="Secret access key" description={`Of ${session.AccessKeyId}. It is asked again so that nobody else does this in your session.`}>
            <Input type="password" value={secretAccessKey} onChange={({ detail }) => setSecret(detail.value)} autoComplete="off" />
          </FormField>
        )}
        {!confirmed && temporary && (
          <FormField label="Session token">
            <Input type="password" value={sessionToken} onChange={({ detail }) => setToken(detail.value)} autoComplete="off" />
          </FormField>
        )}
      </SpaceBetween>
    </Modal>
  );
}
