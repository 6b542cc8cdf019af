// Custom key stores: listed by the API; what it does not support it says itself.
import Box from '@cloudscape-design/components/box';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Alert from '@cloudscape-design/components/alert';
import { call } from './api';
import { useLoaded } from './hooks';
import { ErrorAlert } from './parts';

interface Store {
  CustomKeyStoreId: string;
  CustomKeyStoreName: string;
  CustomKeyStoreType: string;
  ConnectionState: string;
}

export default function KeyStores({ kind }: { kind: 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE' }) {
  const title = kind === 'AWS_CLOUDHSM' ? 'AWS CloudHSM key stores' : 'External key stores';
  const stores = useLoaded(() => call<{ CustomKeyStores: Store[] }>('DescribeCustomKeyStores'), [kind]);
  const unsupported = stores.error?.code === 'UnsupportedOperationException';
  return (
    <SpaceBetween size="l">
      {unsupported && <Alert type="info">{stores.error!.message}</Alert>}
      {stores.error && !unsupported && <ErrorAlert error={stores.error} onRetry={() => void stores.reload()} />}
      <Table
        variant="full-page"
        header={<Header variant="h1" counter="">{title}</Header>}
        loading={stores.loading}
        loadingText="Loading key stores"
        items={(stores.data?.CustomKeyStores ?? []).filter((each) => each.CustomKeyStoreType === kind)}
        columnDefinitions={[
          { id: 'name', header: 'Custom key store name', cell: (each) => each.CustomKeyStoreName, isRowHeader: true },
          { id: 'id', header: 'Custom key store ID', cell: (each) => each.CustomKeyStoreId },
          { id: 'state', header: 'Connection state', cell: (each) => each.ConnectionState },
        ]}
        empty={<Box textAlign="center">No key stores: this server keeps its keys itself.</Box>}
      />
    </SpaceBetween>
  );
}
