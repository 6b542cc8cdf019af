// The keys of a region, from one answer of the server: sorted, filtered, selected, changed.
import { useCollection } from '@cloudscape-design/collection-hooks';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import CollectionPreferences, { type CollectionPreferencesProps } from '@cloudscape-design/components/collection-preferences';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Pagination from '@cloudscape-design/components/pagination';
import PropertyFilter from '@cloudscape-design/components/property-filter';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router-dom';
import { call, get, type ApiError, type Key, type KeyList as Answer } from '../api';
import { useLoaded, usePermissions, utc } from '../hooks';
import { csv } from '../csv';
import { ActionButton, downloadText, ErrorAlert, KeyStatus, keyName, Moment, originText, regionality, rotationText, VerdictMark, verdictText } from '../parts';
import { useShell } from '../shell-context';
import { ConfirmSecret } from './confirm-secret';

type Row = Key & {
  name: string;
  rotation: string;
  period?: number | undefined;
  next?: number | undefined;
  regionality: string;
  tags: string;
  verdictText: string;
};

const toRow = (key: Key): Row => ({
  ...key,
  name: key.Aliases.length > 0 ? keyName(key) : '',
  rotation: rotationText(key),
  period: key.Rotation?.PeriodInDays,
  next: key.Rotation?.NextRotationDate,
  regionality: regionality(key),
  tags: (key.Tags ?? []).map((tag) => `${tag.TagKey}=${tag.TagValue}`).join(', '),
  verdictText: verdictText(key.Verdict),
});

const by = (field: keyof Row) => ({ sortingField: field as string });
const columns: TableProps.ColumnDefinition<Row>[] = [
  {
    id: 'aliases',
    header: 'Aliases',
    minWidth: 120,
    cell: (key) => (key.Aliases.length > 0 ? <Link href={`#/kms/keys/${key.KeyId}`}>{key.name}{key.Aliases.length > 1 && ` (+${key.Aliases.length - 1})`}</Link> : '-'),
    sortingComparator: (a, b) => Number(!a.name) - Number(!b.name) || a.name.localeCompare(b.name) || a.KeyId.localeCompare(b.KeyId),
  },
  { id: 'id', header: 'Key ID', minWidth: 180, cell: (key) => <span style={{ overflowWrap: 'anywhere' }}><Link href={`#/kms/keys/${key.KeyId}`}>{key.KeyId}</Link></span>, isRowHeader: true, ...by('KeyId') },
  { id: 'status', header: 'Status', minWidth: 130, cell: (key) => <KeyStatus state={key.KeyState} />, ...by('KeyState') },
  { id: 'spec', header: 'Key spec', minWidth: 120, cell: (key) => key.KeySpec, ...by('KeySpec') },
  { id: 'usage', header: 'Key usage', cell: (key) => key.KeyUsage, ...by('KeyUsage') },
  { id: 'origin', header: 'Origin', cell: (key) => originText[key.Origin] ?? key.Origin, ...by('Origin') },
  { id: 'regionality', header: 'Regionality', cell: (key) => key.regionality, ...by('regionality') },
  { id: 'rotation', header: 'Automatic rotation', cell: (key) => key.rotation, ...by('rotation') },
  { id: 'period', header: 'Rotation period', cell: (key) => (key.period ? `${key.period} days` : '-'), ...by('period') },
  { id: 'next', header: 'Next rotation', minWidth: 120, cell: (key) => <Moment seconds={key.next} />, ...by('next') },
  { id: 'last', header: 'Last rotation', minWidth: 120, cell: (key) => <Moment seconds={key.LastRotationDate} />, ...by('LastRotationDate') },
  { id: 'verdict', header: 'Compliance', minWidth: 150, cell: (key) => <VerdictMark verdict={key.Verdict} />, ...by('verdictText') },
  { id: 'tags', header: 'Tags', cell: (key) => key.tags || '-', ...by('tags') },
];

const views = [
  { value: '', label: 'All keys' },
  { value: 'off', label: 'Rotation off' },
  { value: 'symmetric', label: 'Key spec SYMMETRIC_DEFAULT' },
  { value: 'pending', label: 'Pending deletion' },
];
const viewTokens: Record<string, { propertyKey: string; operator: string; value: string }[]> = {
  off: [{ propertyKey: 'rotation', operator: '=', value: 'Disabled' }],
  symmetric: [{ propertyKey: 'KeySpec', operator: '=', value: 'SYMMETRIC_DEFAULT' }],
  pending: [{ propertyKey: 'KeyState', operator: '=', value: 'PendingDeletion' }],
};

const visibleDefault: Record<string, string[]> = {
  CUSTOMER: ['aliases', 'id', 'status', 'spec', 'rotation', 'next', 'verdict'],
  AWS: ['aliases', 'id', 'status', 'spec', 'rotation', 'next'],
};

const equality = ['=', '!=', ':', '!:'];
const properties = [
  { key: 'name', propertyLabel: 'Alias', groupValuesLabel: 'Aliases', operators: equality },
  { key: 'KeyId', propertyLabel: 'Key ID', groupValuesLabel: 'Key IDs', operators: equality },
  { key: 'KeyState', propertyLabel: 'Status', groupValuesLabel: 'Statuses', operators: equality },
  { key: 'KeySpec', propertyLabel: 'Key spec', groupValuesLabel: 'Key specs', operators: equality },
  { key: 'KeyUsage', propertyLabel: 'Key usage', groupValuesLabel: 'Key usages', operators: equality },
  { key: 'Origin', propertyLabel: 'Origin', groupValuesLabel: 'Origins', operators: equality },
  { key: 'regionality', propertyLabel: 'Regionality', groupValuesLabel: 'Regionalities', operators: equality },
  { key: 'rotation', propertyLabel: 'Automatic rotation', groupValuesLabel: 'Automatic rotation', operators: equality },
  { key: 'Verdict', propertyLabel: 'Verdict', groupValuesLabel: 'Verdicts', operators: equality },
  { key: 'tags', propertyLabel: 'Tags', groupValuesLabel: 'Tags', operators: equality },
];

function tokensOf(search: URLSearchParams) {
  const view = viewTokens[search.get('view') ?? ''] ?? [];
  const verdict = search.get('verdict');
  return [...view, ...(verdict ? [{ propertyKey: 'Verdict', operator: '=', value: verdict }] : [])];
}

export default function KeyList({ manager }: { manager: 'AWS' | 'CUSTOMER' }) {
  const { region, notify } = useShell();
  const navigate = useNavigate();
  const [search, setSearch] = useSearchParams();
  const may = usePermissions('', region);
  const keys = useLoaded(() => get<Answer>('keys'), [region]);
  const [busy, setBusy] = useState(false);
  const [disabling, setDisabling] = useState(false);
  const [preferences, setPreferences] = useState<CollectionPreferencesProps.Preferences>({
    pageSize: 50,
    contentDisplay: columns.map(({ id }) => ({ id: id!, visible: visibleDefault[manager]!.includes(id!) })),
  });
  const rows = useMemo(
    () => (keys.data?.Keys ?? []).filter((key) => key.KeyManager === manager).map(toRow),
    [keys.data, manager],
  );
  const title = manager === 'AWS' ? 'AWS managed keys' : 'Customer-managed keys';
  const create = (
    <ActionButton variant="primary" reason={may('CreateKey')} onClick={() => navigate('/kms/keys/create')}>
      Create key
    </ActionButton>
  );
  const collection = useCollection(rows, {
    propertyFiltering: {
      filteringProperties: properties,
      defaultQuery: { operation: 'and', tokens: tokensOf(search) },
      empty: (
        <Box textAlign="center" padding="l">
          <SpaceBetween size="s">
            <b>No keys</b>
            {manager === 'CUSTOMER' ? create : <span>AWS managed keys are made by services, not by you.</span>}
          </SpaceBetween>
        </Box>
      ),
      noMatch: (
        <Box textAlign="center" padding="l">
          <SpaceBetween size="s">
            <b>No key matches</b>
            <Button onClick={() => collection.actions.setPropertyFiltering({ operation: 'and', tokens: [] })}>Clear filter</Button>
          </SpaceBetween>
        </Box>
      ),
    },
    pagination: { pageSize: preferences.pageSize ?? 50 },
    sorting: { defaultState: { sortingColumn: columns[0]!, isDescending: false } },
    selection: { trackBy: 'Arn' },
  });
  const selected = collection.collectionProps.selectedItems ?? [];
  // Filters are addresses: a link to another one counts on the page that is open, too.
  const address = search.toString();
  const filtered = useRef(address);
  useEffect(() => {
    if (filtered.current === address) return;
    filtered.current = address;
    collection.actions.setPropertyFiltering({ operation: 'and', tokens: tokensOf(search) });
  }, [address]);

  // deniedAll: when none of the chosen keys may be changed so, the action says it.
  const deniedAll = (operation: string) =>
    selected.length > 0 && selected.every((key) => key.Denied?.includes(operation)) ? `You are not authorized to perform kms:${operation} on these keys.` : undefined;
  const action = (id: string, text: string) => {
    const reason = deniedAll(id);
    return { id, text, disabled: reason !== undefined, ...(reason && { disabledReason: reason }) };
  };

  // change runs a call for each chosen key; keys that are not yours to change are left out.
  async function change(operation: 'EnableKey' | 'DisableKey') {
    const mine = selected.filter((key) => !key.Denied?.includes(operation));
    setBusy(true);
    const problems: ApiError[] = [];
    for (const key of mine) {
      try {
        await call(operation, { KeyId: key.KeyId });
      } catch (error) {
        problems.push(error as ApiError);
      }
    }
    setBusy(false);
    const last = problems.at(-1);
    if (last) notify('error', `${problems.length} of ${selected.length} keys were not changed. ${last.message} Request ID: ${last.requestId}`);
    const done = mine.length - problems.length;
    if (done > 0) notify('success', `${done} ${done === 1 ? 'key' : 'keys'} ${operation === 'EnableKey' ? 'enabled' : 'disabled'}.`);
    collection.actions.setSelectedItems([]);
    await keys.reload();
  }
  const act = (id: string) => {
    const state = { arns: selected.map((key) => key.Arn) };
    if (id === 'EnableKeyRotation') navigate('/kms/rotation/enable', { state });
    else if (id === 'DisableKeyRotation') navigate('/kms/rotation/disable', { state });
    else if (id === 'EnableKey') void change(id);
    else setDisabling(true);
  };

  const download = () =>
    downloadText(
      `keys-${region}.csv`,
      'text/csv',
      csv([
        ['Aliases', 'Key ID', 'ARN', 'Status', 'Key spec', 'Key usage', 'Origin', 'Regionality', 'Automatic rotation', 'Period (days)', 'Next rotation', 'Last rotation', 'Verdict', 'Reason', 'Tags'],
        ...(collection.allPageItems as readonly Row[]).map((key) => [
          key.Aliases.join(' '), key.KeyId, key.Arn, key.KeyState, key.KeySpec, key.KeyUsage, key.Origin, key.regionality,
          key.rotation, key.period, key.next && utc(key.next), key.LastRotationDate && utc(key.LastRotationDate),
          key.Verdict, key.Reason, key.tags,
        ]),
      ]),
    );

  return (
    <SpaceBetween size="l">
      {keys.error && <ErrorAlert error={keys.error} onRetry={() => void keys.reload()} title="The keys could not be listed" />}
      <Table
        {...collection.collectionProps}
        variant="full-page"
        stickyHeader
        wrapLines
        {...(manager === 'CUSTOMER' && { selectionType: 'multi' as const })}
        loading={keys.loading}
        loadingText="Loading keys"
        items={keys.error ? [] : collection.items}
        trackBy="Arn"
        columnDefinitions={columns}
        columnDisplay={preferences.contentDisplay!}
        ariaLabels={{
          tableLabel: title,
          selectionGroupLabel: 'Key selection',
          allItemsSelectionLabel: () => 'Select all keys of this page',
          itemSelectionLabel: (_, key) => `Select ${key.KeyId}`,
        }}
        header={
          <Header
            variant="h1"
            counter={keys.data ? `(${selected.length > 0 ? `${selected.length}/` : ''}${rows.length})` : ''}
            {...(keys.data && keys.data.HiddenKeys > 0 && { description: `${keys.data.HiddenKeys} more ${keys.data.HiddenKeys === 1 ? 'key is' : 'keys are'} not yours to see.` })}
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button iconName="refresh" ariaLabel="Refresh" onClick={() => void keys.reload()} />
                <Button iconName="download" onClick={download} disabled={rows.length === 0}>CSV</Button>
                {manager === 'CUSTOMER' && (
                  <ButtonDropdown
                    loading={busy}
                    disabled={selected.length === 0}
                    {...(selected.length === 0 && { disabledReason: 'Choose keys first.' })}
                    items={[
                      action('EnableKeyRotation', 'Turn on automatic rotation'),
                      action('DisableKeyRotation', 'Turn off automatic rotation'),
                      action('EnableKey', 'Enable'),
                      action('DisableKey', 'Disable'),
                    ]}
                    onItemClick={({ detail }) => act(detail.id)}
                  >
                    Key actions
                  </ButtonDropdown>
                )}
                {manager === 'CUSTOMER' && create}
              </SpaceBetween>
            }
          >
            {title}
          </Header>
        }
        filter={
          <SpaceBetween direction="horizontal" size="xs">
            <PropertyFilter
              {...collection.propertyFilterProps}
              filteringPlaceholder="Filter keys"
              filteringAriaLabel="Filter keys"
              countText={`${collection.filteredItemsCount ?? 0} matches`}
              expandToViewport
              hideOperations
            />
            <Select
              selectedOption={views.find(({ value }) => value === (search.get('view') ?? '')) ?? views[0]!}
              options={views.map(({ value, label }) => ({ value, label }))}
              ariaLabel="View"
              onChange={({ detail }) => {
                const value = detail.selectedOption.value ?? '';
                setSearch(value ? { view: value } : {});
                // Of a view that is chosen already, too: its filter may have been changed by hand.
                collection.actions.setPropertyFiltering({ operation: 'and', tokens: viewTokens[value] ?? [] });
              }}
            />
          </SpaceBetween>
        }
        pagination={<Pagination {...collection.paginationProps} />}
        preferences={
          <CollectionPreferences
            title="Preferences"
            confirmLabel="Confirm"
            cancelLabel="Cancel"
            preferences={preferences}
            onConfirm={({ detail }) => setPreferences(detail)}
            pageSizePreference={{ title: 'Page size', options: [20, 50, 100, 500].map((value) => ({ value, label: `${value} keys` })) }}
            contentDisplayPreference={{ title: 'Columns', options: columns.map(({ id, header }) => ({ id: id!, label: String(header), alwaysVisible: id === 'id' })) }}
          />
        }
      />
      {disabling && (
        <ConfirmSecret
          header="Disable keys"
          action="Disable"
          onDismiss={() => setDisabling(false)}
          onConfirmed={async () => {
            setDisabling(false);
            await change('DisableKey');
          }}
        >
          <span>Nothing can be encrypted or decrypted with these keys until they are enabled again.</span>
        </ConfirmSecret>
      )}
    </SpaceBetween>
  );
}
