// Custom key stores: listed by the API; what it does not support it says itself.
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Alert from '@cloudscape-design/components/alert';
import { call } from './api';
import { useLoaded } from './hooks';
import { ErrorAlert, Moment } from './parts';
import { useShell } from './shell-context';

interface Store {
  CustomKeyStoreId: string;
  CustomKeyStoreName: string;
  CustomKeyStoreType: string;
  ConnectionState: string;
  ConnectionErrorCode?: string;
  CreationDate?: number;
  CloudHsmClusterId?: string;
  XksProxyConfiguration?: { Connectivity?: string; UriEndpoint?: string; UriPath?: string };
}

const states: Record<string, StatusIndicatorProps.Type> = { CONNECTED: 'success', CONNECTING: 'in-progress', DISCONNECTING: 'in-progress', DISCONNECTED: 'stopped', FAILED: 'error' };

async function load() {
  const stores: Store[] = [];
  let marker: string | undefined;
  do {
    const page = await call<{ CustomKeyStores: Store[]; Truncated?: boolean; NextMarker?: string }>('DescribeCustomKeyStores', marker ? { Marker: marker } : {});
    stores.push(...page.CustomKeyStores);
    marker = page.Truncated ? page.NextMarker : undefined;
  } while (marker);
  return stores;
}

export default function KeyStores({ kind }: { kind: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE' }) {
  const title = kind === 'AWS_CLOUDHSM' ? 'AWS CloudHSM key stores' : 'External key stores';
  const { region } = useShell();
  const stores = useLoaded(load, [kind, region]);
  const mine = (stores.data ?? []).filter((each) => (each.CustomKeyStoreType ?? 'AWS_CLOUDHSM') === kind);
  const unsupported = stores.error?.code === 'UnsupportedOperationException';
  return (
    <SpaceBetween size="l">
      {unsupported && <Alert type="info">{stores.error!.message}</Alert>}
      {stores.error && !unsupported && <ErrorAlert error={stores.error} onRetry={() => void stores.reload()} />}
      <Table
        variant="full-page"
        header={<Header variant="h1" counter={stores.data ? `(${mine.length})` : ''} actions={<Button iconName="refresh" ariaLabel="Refresh" onClick={() => void stores.reload()} />}>{title}</Header>}
        wrapLines
        loading={stores.loading}
        loadingText="Loading key stores"
        items={mine}
        trackBy="CustomKeyStoreId"
        columnDefinitions={[
          { id: 'name', header: 'Custom key store name', minWidth: 150, cell: (each) => each.CustomKeyStoreName, isRowHeader: true },
          { id: 'id', header: 'Custom key store ID', minWidth: 150, cell: (each) => each.CustomKeyStoreId },
          { id: 'state', header: 'Connection state', cell: (each) => <StatusIndicator type={states[each.ConnectionState] ?? 'info'} wrapText={false}>{each.ConnectionState}</StatusIndicator> },
          { id: 'error', header: 'Connection error', minWidth: 150, cell: (each) => each.ConnectionErrorCode ?? '-' },
          kind === 'AWS_CLOUDHSM'
            ? { id: 'cluster', header: 'Cluster ID', cell: (each) => each.CloudHsmClusterId ?? '-' }
            : { id: 'proxy', header: 'Proxy', minWidth: 200, cell: (each) => <span style={{ overflowWrap: 'anywhere' }}>{`${each.XksProxyConfiguration?.UriEndpoint ?? ''}${each.XksProxyConfiguration?.UriPath ?? ''}` || '-'}</span> },
          { id: 'created', header: 'Creation date', minWidth: 130, cell: (each) => <Moment seconds={each.CreationDate} /> },
        ]}
        empty={<Box textAlign="center">No key stores: this server keeps its keys itself.</Box>}
      />
    </SpaceBetween>
  );
}
