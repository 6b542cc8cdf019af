// Manual pages and completions against --help: nothing that the program takes is missing, roff has
// no errors, and each shell completes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const keyturn = process.env.KEYTURN_BIN;
const run = (args) => execFileSync(keyturn, args, { encoding: 'utf8', env: { PATH: process.env.PATH, COLUMNS: '100' } });

// readHelp is the oracle: what a person reads of a command.
function readHelp(words) {
  const text = run([...words, '--help']);
  const section = (name) => text.split(`\n${name}:\n`)[1]?.split('\n\n')[0].split('\n') ?? [];
  const names = (lines) => lines.filter((l) => /^ {2}\S/.test(l)).map((l) => l.trim().split(/\s/)[0]);
  return {
    words,
    options: names(section('Options')).flatMap((n) => n.split(',')),
    commands: names(section('Subcommands')),
    choices: section('Options').map((l) => l.match(/^ {2}(--\S+) [A-Z]+.*?\s{2,}((?:[a-z]+, )+[a-z]+ or [a-z]+)/))
      .filter(Boolean).map((m) => ({ option: m[1], words: m[2].split(/, | or /) })),
  };
}

function all(words = []) {
  const help = readHelp(words);
  return [help, ...help.commands.flatMap((c) => all([...words, c]))];
}

let commands;
let directory;
before(() => {
  commands = all();
  directory = mkdtempSync(join(tmpdir(), 'keyturn-documentation-'));
  for (const shell of ['bash', 'zsh', 'fish']) writeFileSync(join(directory, shell), run(['completion', shell]));
  run(['man', '--out', join(directory, 'man')]);
});
after(() => rmSync(directory, { recursive: true, force: true }));

test('the oracle sees the program', () => {
  assert.ok(commands.length > 40, `${commands.length} commands`);
  assert.ok(commands.some((c) => c.choices.length > 0));
  assert.ok(commands.find((c) => c.words.join(' ') === 'audit').options.includes('--region'));
});

// completeAll asks bash once for many lines: `words` is the line, the last word being completed.
function completeAll(lines) {
  const script = [`source ${join(directory, 'bash')}`];
  for (const words of lines) {
    const quoted = ['keyturn', ...words].map((w) => `'${w}'`).join(' ');
    script.push(`COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; COMPREPLY=(); _keyturn`,
      'printf "%s " "${COMPREPLY[@]}"; echo');
  }
  const out = execFileSync('bash', ['--norc', '-c', script.join('\n')], { encoding: 'utf8' });
  return out.split('\n').slice(0, lines.length).map((l) => l.trim().split(' ').filter(Boolean));
}

test('bash completes every command, option and choice', () => {
  const lines = [];
  const expected = [];
  for (const command of commands) {
    lines.push([...command.words, '']);
    expected.push(command.commands);
    lines.push([...command.words, '-']);
    expected.push(command.options);
    for (const { option, words } of command.choices) {
      lines.push([...command.words, option, '']);
      expected.push(words);
      lines.push([...command.words, option, words[0].slice(0, 2)]);
      expected.push(words.filter((w) => w.startsWith(words[0].slice(0, 2))));
      lines.push([...command.words, option, '=', '']);
      expected.push(words);
    }
  }
  const answers = completeAll(lines);
  lines.forEach((line, i) => assert.deepEqual(answers[i].sort(), expected[i].slice().sort(), line.join(' ')));
});

test('bash goes on after a flag', () => {
  const apply = commands.find((c) => c.words.join(' ') === 'apply');
  assert.deepEqual(completeAll([['apply', '--resume', '--']])[0].sort(),
    apply.options.filter((o) => o.startsWith('--')).sort());
});

test('bash leaves names of files to the shell', () => {
  assert.deepEqual(completeAll([['audit', '--out', ''], ['apply', '']]), [[], []]);
  assert.match(execFileSync('bash', ['--norc', '-c', `source ${join(directory, 'bash')}; complete -p keyturn`], { encoding: 'utf8' }),
    /-o default.*-F _keyturn/);
});

test('zsh completes', () => {
  // Outside a line editor the functions that show completions are replaced by ones that print.
  const script = `
    source =(print 'compdef() { registered=$2 }'; cat ${join(directory, 'zsh')})
    print registered $registered
    _describe() { print -l describe "\${(@P)@[-1]}" }
    compadd() { shift; print compadd "$@" }
    _files() { print files "$@" }
    _message() { print message "$@" }
    ask() { words=(keyturn "$@"); CURRENT=\${#words}; _keyturn }
    ask audit --; print end
    ask policy ''; print end
    ask apply --format ''; print end
    ask serve --data-dir ''; print end
    ask verify --journal ''`;
  const result = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8' });
  assert.equal(result.stderr, '');
  const [audit, policy, format, directories, files] = result.stdout.replace('registered keyturn\n', '').split('end\n');
  const wanted = commands.find((c) => c.words.join(' ') === 'audit').options;
  for (const option of wanted) assert.ok(audit.split('\n').some((l) => l.startsWith(`${option}:`)), option);
  for (const name of ['audit', 'remediate', 'explain']) assert.match(policy, new RegExp(`^${name}:`, 'm'));
  assert.equal(format, 'compadd table json\n');
  assert.equal(directories, 'files -/\n');
  assert.equal(files, 'files\n');
});

test('fish completes', () => {
  const ask = (line) => execFileSync('fish', ['--no-config', '-c', `source ${join(directory, 'fish')}; complete -C ${JSON.stringify(line)}`],
    { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: directory } }).split('\n').filter(Boolean).map((l) => l.split('\t')[0]);
  assert.deepEqual(ask('keyturn ').sort(), commands[0].commands.slice().sort());
  const policy = commands.find((c) => c.words.join(' ') === 'policy');
  assert.deepEqual(ask('keyturn policy ').sort(), policy.commands.slice().sort());
  assert.deepEqual(ask('keyturn apply --format ').sort(), ['json', 'table']);
  const audit = commands.find((c) => c.words.join(' ') === 'audit');
  assert.deepEqual(ask('keyturn audit --').sort(), audit.options.filter((o) => o.startsWith('--')).sort());
});

test('every command has a manual page without a warning', () => {
  const pages = readdirSync(join(directory, 'man')).map((p) => join(directory, 'man', p));
  assert.deepEqual(readdirSync(join(directory, 'man')).sort(),
    commands.map((c) => ['keyturn', ...c.words].join('-') + '.1').sort());
  const lint = spawnSync('mandoc', ['-Tlint', '-W', 'warning', ...pages], { encoding: 'utf8' });
  // A page is of a version and not of a day.
  const said = lint.stdout.split('\n').filter((l) => l !== '' && !l.includes('missing date'));
  assert.deepEqual(said, []);
  const text = execFileSync('mandoc', ['-Tutf8', join(directory, 'man', 'keyturn-audit.1')], { encoding: 'utf8' })
    .replace(/.\x08/g, '');
  for (const option of commands.find((c) => c.words.join(' ') === 'audit').options) {
    assert.ok(text.includes(option), option);
  }
  assert.match(text, /EXAMPLES\n +keyturn audit --region eu-central-1,us-east-1\n/);
  assert.match(text, /EXIT STATUS\n +Exit codes: 0 compliant/);
});

test('man refuses a command that is none', () => {
  const result = spawnSync(keyturn, ['man', 'polcy'], { encoding: 'utf8' });
  assert.equal(result.status, 1);
  assert.match(result.stderr, /there is no command 'polcy'/);
});
