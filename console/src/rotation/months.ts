// Months in UTC, as the charts count by them.
const name = new Intl.DateTimeFormat(undefined, { month: 'short', year: '2-digit', timeZone: 'UTC' });

// months: the first days of `count`, of which the first is `from` months after that of now (seconds).
export function months(now: number, from: number, count = 12): Date[] {
  const start = new Date(now * 1000);
  return Array.from({ length: count }, (_, i) => new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + from + i, 1)));
}

// countByMonth counts dates (seconds) in the months that begin at starts.
export function countByMonth(dates: number[], starts: Date[]) {
  const last = starts[starts.length - 1]!;
  const after = new Date(Date.UTC(last.getUTCFullYear(), last.getUTCMonth() + 1, 1));
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? after;
    return { x: name.format(start), y: dates.filter((each) => each * 1000 >= start.getTime() && each * 1000 < end.getTime()).length };
  });
}
