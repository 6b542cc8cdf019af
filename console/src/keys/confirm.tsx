// Confirm asks before what is done at once and not undone. It stays until its owner takes it away: an error is told in it.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState, type ReactNode } from 'react';

export interface ConfirmProps {
  header: string;
  action: string;
  children: ReactNode;
  disabled?: boolean;
  onConfirmed: () => Promise<void>;
  onDismiss: () => void;
}

export function Confirm({ header, action, children, disabled, onConfirmed, onDismiss }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  async function run() {
    setBusy(true);
    await onConfirmed();
    setBusy(false);
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
            <Button variant="primary" loading={busy} disabled={disabled} onClick={() => void run()}>{action}</Button>
          </SpaceBetween>
        </Box>
      }
    >
      {children}
    </Modal>
  );
}
