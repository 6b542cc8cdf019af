// Confirm asks before what is done at once and not undone.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState, type ReactNode } from 'react';

interface Props {
  header: string;
  action: string;
  children: ReactNode;
  onConfirmed: () => Promise<void>;
  onDismiss: () => void;
}

export function Confirm({ header, action, children, onConfirmed, onDismiss }: Props) {
  const [busy, setBusy] = useState(false);
  async function run() {
    setBusy(true);
    await onConfirmed();
    onDismiss();
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
            <Button variant="primary" loading={busy} onClick={() => void run()}>{action}</Button>
          </SpaceBetween>
        </Box>
      }
    >
      {children}
    </Modal>
  );
}
