// CSV as RFC 4180 has it, for people who open it in a spreadsheet.
// csv quotes every field; a field that a spreadsheet would run is made text.
export const csv = (rows: (string | number | undefined)[][]) =>
  rows
    .map((row) => row.map((field) => `"${String(field ?? '').replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`).join(','))
    .join('\r\n');
