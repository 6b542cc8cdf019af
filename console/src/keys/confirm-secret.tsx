// ConfirmSecret asks for the secret access key again, before what nobody else is to do in an open session.
import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { confirm } from '../api';
import { explain } from '../sign-in';
import { useShell } from '../shell-context';
import { Confirm, type ConfirmProps } from './confirm';

export function ConfirmSecret({ header, action, children, disabled, onConfirmed, onDismiss }: ConfirmProps) {
  const { session, onSession } = useShell();
  const [secretAccessKey, setSecret] = useState('');
  const [sessionToken, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const confirmed = session.ConfirmedUntil * 1000 > Date.now();
  const temporary = session.AccessKeyId.startsWith('ASIA');

  async function run() {
    setProblem('');
    try {
      if (!confirmed) onSession(await confirm({ accessKeyId: session.AccessKeyId, secretAccessKey, sessionToken }, session.Region));
      setSecret('');
      await onConfirmed();
    } catch (error) {
      setProblem(explain(error));
    }
  }

  return (
    <Confirm header={header} action={action} disabled={disabled || (!confirmed && !secretAccessKey)} onConfirmed={run} onDismiss={onDismiss}>
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
    </Confirm>
  );
}
