// History: rotations and compliance over time, and the jobs that changed settings.
import BarChart from '@cloudscape-design/components/bar-chart';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import LineChart from '@cloudscape-design/components/line-chart';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useMemo } from 'react';
import { get, type Job, type KeyList } from '../api';
import { useLoaded } from '../hooks';
import { ErrorAlert } from '../parts';
import { countByMonth, months } from './months';
import { jobColumns } from './parts';

interface Day {
  Date: string;
  Pass: number;
  Fail: number;
  Unknown: number;
  CompliancePercent?: number;
}

const dayMilliseconds = 24 * 3600 * 1000;
const percentText = (percent: number) => `${Math.floor(percent * 10) / 10}%`;
const utcDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });

export default function History() {
  const list = useLoaded(() => get<KeyList>('keys?regions=all'), []);
  // The days are read after the keys, which make today's.
  const days = useLoaded(async () => (list.data ? (await get<{ Days: Day[] }>('history')).Days : []), [list.data]);
  const jobs = useLoaded(async () => (await get<{ Jobs: Job[] }>('jobs')).Jobs, []);
  const bars = useMemo(() => {
    const starts = months(list.data?.Now ?? Date.now() / 1000, -11);
    const all = (list.data?.Keys ?? []).flatMap((key) => key.Rotations ?? []);
    const of = (type: string) => countByMonth(all.filter((each) => (each.RotationType === 'ON_DEMAND') === (type === 'ON_DEMAND')).map((each) => each.RotationDate), starts);
    return { automatic: of('AUTOMATIC'), onDemand: of('ON_DEMAND') };
  }, [list.data]);
  const points = (days.data ?? []).flatMap((day) => (day.CompliancePercent === undefined ? [] : [{ x: new Date(`${day.Date}T00:00:00Z`), y: day.CompliancePercent }]));
  const first = points[0]?.x ?? new Date();
  const last = points.at(-1)?.x ?? new Date();
  // Over a few days a scale of time would have several marks for each.
  const few = last.getTime() - first.getTime() < 8 * dayMilliseconds;
  const top = Math.max(4, ...bars.automatic.map(({ y }, i) => y + bars.onDemand[i]!.y));
  const reload = () => {
    void list.reload();
    void jobs.reload();
  };
  return (
    <ContentLayout header={<Header variant="h1" actions={<Button iconName="refresh" ariaLabel="Refresh" onClick={reload} />}>Rotation history</Header>}>
      <SpaceBetween size="l">
        {list.error && <ErrorAlert error={list.error} onRetry={() => void list.reload()} title="The keys could not be read" />}
        <Container header={<Header variant="h2" description="Of the keys that are there today.">Rotations done</Header>}>
          <BarChart
            stackedBars
            statusType={list.loading ? 'loading' : 'finished'}
            loadingText="Counting"
            ariaLabel="Rotations done by month"
            hideFilter
            height={200}
            xTitle="Month"
            yTitle="Rotations"
            xDomain={bars.automatic.map(({ x }) => x)}
            yDomain={[0, top]}
            series={[
              { title: 'Automatic', type: 'bar', data: bars.automatic, color: '#0972d3' },
              { title: 'On demand', type: 'bar', data: bars.onDemand, color: '#8456ce' },
            ]}
            empty={<Box textAlign="center">None</Box>}
          />
        </Container>
        <Container header={<Header variant="h2" description="One point for each day on which somebody who may see all keys looked.">Compliance</Header>}>
          {days.error ? (
            <ErrorAlert error={days.error} onRetry={() => void days.reload()} title="The history could not be read" />
          ) : points.length === 1 ? (
            <Box>{percentText(points[0]!.y)} on {utcDay.format(first)}. The line begins with the second day.</Box>
          ) : (
            <LineChart
              statusType={list.loading || days.loading ? 'loading' : 'finished'}
              loadingText="Counting"
              ariaLabel="Compliance by day"
              hideFilter
              hideLegend
              height={200}
              xScaleType={few ? 'categorical' : 'time'}
              xTitle="Day"
              yTitle="Compliant keys, %"
              xDomain={few ? points.map(({ x }) => x) : [first, last]}
              yDomain={[0, 100]}
              i18nStrings={{ xTickFormatter: (day) => utcDay.format(day), yTickFormatter: (percent) => `${percent}` }}
              series={[{ title: 'Compliant keys', type: 'line', data: points, color: '#037f0c', valueFormatter: percentText }]}
              empty={<Box textAlign="center">No day is recorded yet</Box>}
            />
          )}
        </Container>
        {jobs.error && <ErrorAlert error={jobs.error} onRetry={() => void jobs.reload()} title="The jobs could not be listed" />}
        <Table
          header={<Header variant="h2" counter={jobs.data ? `(${jobs.data.length})` : ''}>Jobs</Header>}
          loading={jobs.loading}
          loadingText="Loading jobs"
          items={jobs.data ?? []}
          trackBy="JobId"
          columnDefinitions={jobColumns}
          wrapLines
          empty={<Box textAlign="center">No jobs</Box>}
        />
      </SpaceBetween>
    </ContentLayout>
  );
}
