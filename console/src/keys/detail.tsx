// One key: general configuration, what can be done to it, and a tab for each side of it.
import Alert from '@cloudscape-design/components/alert';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Spinner from '@cloudscape-design/components/spinner';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { call, type ApiError } from '../api';
import { useLoaded, usePermissions } from '../hooks';
import { ErrorAlert, KeyStatus, Moment, originText, regionality } from '../parts';
import { useShell } from '../shell-context';
import { AliasesTab } from './aliases-tab';
import { ConfirmSecret } from './confirm-secret';
import { CryptographyTab, PublicKeyTab, RegionalityTab } from './facts-tabs';
import { GrantsTab } from './grants-tab';
import { ImportTab } from './import-tab';
import { hasPublicKey, isSymmetric, type KeyMetadata } from './metadata';
import { PolicyTab } from './policy-tab';
import { RotationTab } from './rotation-tab';
import { TagsTab } from './tags-tab';

// loadKey adds what the list calls regionality to DescribeKey's answer.
const loadKey = async (keyId: string) => (await call<{ KeyMetadata: KeyMetadata }>('DescribeKey', { KeyId: keyId })).KeyMetadata;

export default function KeyDetail() {
  const { keyId = '', tab } = useParams();
  const { region, notify } = useShell();
  const navigate = useNavigate();
  const key = useLoaded(() => loadKey(keyId), [keyId, region]);
  // version: of all that the page shows. The tabs and the permissions are loaded with it.
  const [version, setVersion] = useState(0);
  const may = usePermissions(keyId, region, version);
  const [error, setError] = useState<ApiError>();
  const [deleting, setDeleting] = useState(false);
  const [window_, setWindow] = useState('30');

  if (key.error) {
    return (
      <ContentLayout header={<Header variant="h1"><span style={{ overflowWrap: 'anywhere' }}>{keyId}</span></Header>}>
        <ErrorAlert error={key.error} onRetry={() => void key.reload()} title="The key could not be read" />
      </ContentLayout>
    );
  }
  const metadata = key.data;
  if (!metadata) return <Spinner size="large" />;

  const reload = () => void key.reload();
  const refresh = () => {
    setVersion((before) => before + 1);
    return key.reload();
  };

  async function change(operation: string, input: object, done: string) {
    setError(undefined);
    try {
      await call(operation, { KeyId: keyId, ...input });
      notify('success', done);
    } catch (problem) {
      setError(problem as ApiError);
    }
    await refresh();
  }

  const state = metadata.KeyState;
  const managed = metadata.KeyManager === 'AWS' ? 'AWS managed keys are changed by their service only.' : undefined;
  const item = (id: string, text: string, possible: boolean) => {
    const reason = managed ?? may(id) ?? (possible ? undefined : `The key is ${state}.`);
    return { id, text, disabled: reason !== undefined, ...(reason && { disabledReason: reason }) };
  };
  const actions = [
    item('EnableKey', 'Enable', state === 'Disabled'),
    item('DisableKey', 'Disable', state === 'Enabled'),
    item('ScheduleKeyDeletion', 'Schedule key deletion', !state.startsWith('Pending') || state === 'PendingImport'),
    item('CancelKeyDeletion', 'Cancel key deletion', state.startsWith('PendingDeletion')),
  ];
  const act = (id: string) => {
    if (id === 'ScheduleKeyDeletion') setDeleting(true);
    else if (id === 'EnableKey') void change(id, {}, 'The key is enabled.');
    else if (id === 'DisableKey') void change(id, {}, 'The key is disabled. Nothing can be encrypted or decrypted with it.');
    else void change(id, {}, 'The deletion is cancelled. The key is disabled until you enable it.');
  };
  const wrongWindow = /^\d+$/.test(window_) && Number(window_) >= 7 && Number(window_) <= 30 ? '' : 'Enter a number of days from 7 to 30.';

  const tabs = [
    { id: 'keyPolicy', label: 'Key policy', content: <PolicyTab metadata={metadata} may={may} version={version} onChanged={() => void refresh()} /> },
    { id: 'cryptographicConfiguration', label: 'Cryptographic configuration', content: <CryptographyTab metadata={metadata} /> },
    { id: 'tags', label: 'Tags', content: <TagsTab metadata={metadata} may={may} version={version} /> },
    ...(isSymmetric(metadata) && !['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'].includes(metadata.Origin)
      ? [{ id: 'keyRotation', label: 'Key rotation', content: <RotationTab metadata={metadata} may={may} version={version} onChanged={reload} /> }]
      : []),
    ...(metadata.Origin === 'EXTERNAL' ? [{ id: 'keyMaterial', label: 'Key material', content: <ImportTab metadata={metadata} may={may} onChanged={reload} /> }] : []),
    ...(hasPublicKey(metadata) ? [{ id: 'publicKey', label: 'Public key', content: <PublicKeyTab metadata={metadata} /> }] : []),
    ...(metadata.MultiRegion ? [{ id: 'regionality', label: 'Regionality', content: <RegionalityTab metadata={metadata} may={may} onChanged={reload} /> }] : []),
    { id: 'aliases', label: 'Aliases', content: <AliasesTab metadata={metadata} may={may} version={version} /> },
    { id: 'grants', label: 'Grants', content: <GrantsTab metadata={metadata} may={may} version={version} /> },
  ];
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              <Button iconName="refresh" ariaLabel="Refresh" onClick={() => void refresh()} />
              <ButtonDropdown items={actions} onItemClick={({ detail }) => act(detail.id)}>
                Key actions
              </ButtonDropdown>
            </SpaceBetween>
          }
        >
          <span style={{ overflowWrap: 'anywhere' }}>{metadata.KeyId}</span>
        </Header>
      }
    >
      <SpaceBetween size="l">
        {error && <ErrorAlert error={error} title="The change was not made" />}
        {metadata.DeletionDate !== undefined && (
          <Alert type="warning" header="This key is pending deletion">
            It will be deleted on <Moment seconds={metadata.DeletionDate} withTime />. What is encrypted under it can then never be decrypted.
          </Alert>
        )}
        <Container header={<Header variant="h2">General configuration</Header>}>
          <KeyValuePairs
            columns={3}
            minColumnWidth={175}
            items={[
              { label: 'Status', value: <KeyStatus state={state} /> },
              { label: 'Creation date', value: <Moment seconds={metadata.CreationDate} withTime /> },
              { label: 'Regionality', value: regionality({ MultiRegion: metadata.MultiRegion, MultiRegionKeyType: metadata.MultiRegionConfiguration?.MultiRegionKeyType ?? '' }) },
              { label: 'Description', value: metadata.Description || '-' },
              { label: 'Key spec', value: metadata.KeySpec },
              { label: 'Origin', value: originText[metadata.Origin] ?? metadata.Origin },
              { label: 'ARN', value: <span style={{ overflowWrap: 'anywhere' }}>{metadata.Arn}</span> },
              { label: 'Managed by', value: metadata.KeyManager === 'AWS' ? 'AWS' : 'Customer' },
              { label: 'Current key material ID', value: <span style={{ overflowWrap: 'anywhere' }}>{metadata.CurrentKeyMaterialId ?? '-'}</span> },
            ]}
          />
        </Container>
        <Tabs
          activeTabId={tabs.some(({ id }) => id === tab) ? tab! : 'keyPolicy'}
          onChange={({ detail }) => navigate(`/kms/keys/${encodeURIComponent(keyId)}/${detail.activeTabId}`)}
          tabs={tabs}
        />
      </SpaceBetween>
      {deleting && (
        <ConfirmSecret
          header="Schedule key deletion"
          action="Schedule deletion"
          disabled={wrongWindow !== ''}
          onDismiss={() => setDeleting(false)}
          onConfirmed={async () => {
            await change('ScheduleKeyDeletion', { PendingWindowInDays: Number(window_) }, 'The key is scheduled for deletion.');
            setDeleting(false);
          }}
        >
          <span>When the waiting period is over, the key and all its material are destroyed. Everything encrypted under it is lost then.</span>
          <FormField label="Waiting period (in days)" errorText={wrongWindow}>
            <Input value={window_} onChange={({ detail }) => setWindow(detail.value)} inputMode="numeric" />
          </FormField>
        </ConfirmSecret>
      )}
    </ContentLayout>
  );
}
