// What the pages about many keys share: choosing keys, reviewing a change, and jobs in a table.
import { useCollection } from '@cloudscape-design/collection-hooks';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import TextFilter from '@cloudscape-design/components/text-filter';
import { settingText, type Job, type JobPlan, type Key } from '../api';
import { keyName, Moment, VerdictMark } from '../parts';

const pageSize = 25;
const plural = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;
export const keysText = (count: number) => plural(count, 'key');
export const shortName = (line: { Aliases: string[]; KeyId: string }) => line.Aliases[0]?.slice('alias/'.length) ?? line.KeyId;

interface PickerProps {
  keys: Key[];
  operation: 'EnableKeyRotation' | 'DisableKeyRotation';
  selected: Key[];
  onSelect: (keys: Key[]) => void;
  loading: boolean;
  empty: string;
}

const ownerText = (key: Key) => (key.CodeOwner ? `Owned by ${key.CodeOwner}: change it there, or its next run may undo this.` : '-');

// KeyPicker: keys that the caller may not change cannot be chosen, and say so.
export function KeyPicker({ keys, operation, selected, onSelect, loading, empty }: PickerProps) {
  const denied = (key: Key) => key.Denied?.includes(operation) ?? false;
  const collection = useCollection(keys, {
    filtering: {
      filteringFunction: (key, text) =>
        [key.KeyId, key.Region, ...key.Aliases, ...(key.Tags ?? []).map((tag) => `${tag.TagKey}=${tag.TagValue}`)].some((each) => each.toLowerCase().includes(text.toLowerCase())),
      empty: <Box textAlign="center">{empty}</Box>,
      noMatch: <Box textAlign="center">No key matches</Box>,
    },
    pagination: { pageSize },
    sorting: {},
  });
  const free = (collection.allPageItems as readonly Key[]).filter((key) => !denied(key));
  const all = free.length > 0 && free.length === selected.length;
  return (
    <Table
      {...collection.collectionProps}
      header={
        <Header
          variant="h2"
          counter={`(${selected.length}/${keys.length})`}
          description={keys.some(denied) ? `You are not authorized to perform kms:${operation} on some of these keys.` : undefined}
          actions={<Link onFollow={() => onSelect(all ? [] : free)}>{all ? 'Choose none' : `Choose all ${keysText(free.length)}`}</Link>}
        >
          Keys
        </Header>
      }
      loading={loading}
      loadingText="Loading keys"
      items={collection.items}
      trackBy="Arn"
      selectionType="multi"
      selectedItems={selected}
      onSelectionChange={({ detail }) => onSelect(detail.selectedItems)}
      isItemDisabled={denied}
      ariaLabels={{
        tableLabel: 'Keys',
        selectionGroupLabel: 'Key selection',
        allItemsSelectionLabel: () => 'Select all keys of this page',
        itemSelectionLabel: (_, key) => `Select ${key.KeyId}`,
      }}
      filter={<TextFilter {...collection.filterProps} filteringPlaceholder="Find by alias, key ID, region or tag" filteringAriaLabel="Find keys" />}
      pagination={<Pagination {...collection.paginationProps} />}
      columnDefinitions={[
        { id: 'name', header: 'Key', isRowHeader: true, minWidth: 180, cell: (key) => keyName(key), sortingComparator: (a, b) => keyName(a).localeCompare(keyName(b)) },
        { id: 'region', header: 'Region', minWidth: 120, cell: (key) => key.Region, sortingField: 'Region' },
        { id: 'now', header: 'Automatic rotation', minWidth: 160, cell: (key) => (key.Rotation ? settingText(key.Rotation) : '-') },
        { id: 'verdict', header: 'Compliance', minWidth: 150, cell: (key) => <VerdictMark verdict={key.Verdict} />, sortingField: 'Verdict' },
        { id: 'note', header: 'Note', minWidth: 140, cell: (key) => (denied(key) ? `You are not authorized to perform kms:${operation}.` : ownerText(key)) },
      ]}
      wrapLines
    />
  );
}

// PlanReview: what would be done, and what would be left alone, as the server says.
export function PlanReview({ plan }: { plan: JobPlan }) {
  const changes = useCollection(plan.Changes, { pagination: { pageSize } });
  const left = useCollection(plan.LeftAlone, { pagination: { pageSize } });
  return (
    <SpaceBetween size="l">
      {plan.Changes.length === 0 && <Alert type="warning">None of the keys can be changed.</Alert>}
      <Table
        {...changes.collectionProps}
        header={<Header variant="h2" counter={`(${plan.Changes.length})`}>Keys that will be changed</Header>}
        items={changes.items}
        trackBy="Arn"
        pagination={plan.Changes.length > pageSize && <Pagination {...changes.paginationProps} />}
        columnDefinitions={[
          { id: 'key', header: 'Key', isRowHeader: true, minWidth: 180, cell: (each) => shortName(each) },
          { id: 'region', header: 'Region', minWidth: 120, cell: (each) => each.Region },
          { id: 'before', header: 'Now', minWidth: 150, cell: (each) => settingText(each.Before) },
          { id: 'wanted', header: 'Afterwards', minWidth: 150, cell: (each) => settingText(each.Wanted) },
        ]}
        empty={<Box textAlign="center">No keys</Box>}
      />
      {plan.LeftAlone.length > 0 && (
        <ExpandableSection defaultExpanded headerText={`Left alone (${plan.LeftAlone.length})`} headingTagOverride="h2">
          <Table
            {...left.collectionProps}
            variant="embedded"
            items={left.items}
            trackBy="Arn"
            wrapLines
            ariaLabels={{ tableLabel: 'Left alone' }}
            pagination={plan.LeftAlone.length > pageSize && <Pagination {...left.paginationProps} />}
            columnDefinitions={[
              { id: 'key', header: 'Key', isRowHeader: true, cell: (each) => each.Arn.split('/').pop() },
              { id: 'why', header: 'Reason', cell: (each) => each.Reason },
            ]}
          />
        </ExpandableSection>
      )}
    </SpaceBetween>
  );
}

export function jobTitle(job: Job): string {
  const what = job.Wanted.Enabled ? `Turn on, every ${job.Wanted.PeriodInDays} days` : 'Turn off';
  return job.Phase === 'BACKOUT' ? `Taking back: ${what.toLowerCase()}` : what;
}

export function JobStatus({ job }: { job: Job }) {
  const { Done, Failed, Pending, Refused, Unchanged, Verified } = job.Counts;
  const unseen = Done + Unchanged - Verified;
  let [type, text]: [StatusIndicatorProps.Type, string] = ['success', 'Finished'];
  if (job.State === 'QUEUED') [type, text] = ['pending', 'Waiting for its turn'];
  if (job.State === 'RUNNING') [type, text] = ['in-progress', 'At work'];
  if (job.State === 'WAITING') [type, text] = ['warning', 'Waiting'];
  if (job.State === 'CANCELLED') [type, text] = ['stopped', `Cancelled, ${keysText(Pending)} not reached`];
  if (job.State === 'FINISHED' && unseen > 0) [type, text] = ['warning', `Finished, ${keysText(unseen)} not read back as wanted`];
  if (job.State === 'FINISHED' && Failed + Refused > 0) [type, text] = ['warning', `Finished, ${keysText(Failed + Refused)} not changed`];
  return <StatusIndicator type={type}>{text}</StatusIndicator>;
}

export const jobColumns = [
  { id: 'job', header: 'Job', isRowHeader: true, minWidth: 200, cell: (job: Job) => <Link href={`#/kms/rotation/jobs/${job.JobId}`}>{jobTitle(job)}</Link> },
  { id: 'created', header: 'Asked for', minWidth: 150, cell: (job: Job) => <Moment seconds={job.Created} withTime /> },
  { id: 'by', header: 'By', minWidth: 100, cell: (job: Job) => job.Owner.split('/').pop() },
  { id: 'status', header: 'Status', minWidth: 170, cell: (job: Job) => <JobStatus job={job} /> },
  { id: 'changed', header: 'Changed', minWidth: 120, cell: (job: Job) => `${job.Counts.Done} of ${job.Counts.Keys}` },
];
