// How a page lies on the screen: what is cut off or overlaps, and where its parts are, to compare
// with how they lay when somebody last looked. Boxes instead of pixels: the console brings its own
// font, but machines draw it differently.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

// Names that are made anew with each run; what is looked at may have cut a digest short.
const volatile = [[/mrk-[0-9a-f]{32}/g, '<id>'], [/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>'], [/[0-9a-f]{32,64}/g, '<digest>']];

// inPage runs in the browser.
function inPage() {
  const visible = (element) => {
    if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) return false;
    const { width, height } = element.getBoundingClientRect();
    return width > 2 && height > 2;
  };
  // What is there for screen readers only is clipped on purpose.
  const hiddenOnPurpose = (element) => {
    for (let each = element; each && each !== document.body; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.clip !== 'auto' || style.clipPath !== 'none' || (each.offsetWidth <= 1 && each.offsetHeight <= 1)) return true;
    }
    return false;
  };
  const scrolls = (element) => ['auto', 'scroll'].includes(getComputedStyle(element).overflowX)
    && element.scrollWidth > element.clientWidth + 1;
  const inScroller = (element) => {
    for (let each = element.parentElement; each && each !== document.body; each = each.parentElement) if (scrolls(each)) return true;
    return false;
  };
  const name = (element) => (element.getAttribute('aria-label') ?? element.innerText ?? '').trim().replace(/\s+/g, ' ').slice(0, 60);
  const problems = [];
  if (document.documentElement.scrollWidth > innerWidth) problems.push(`the page is ${document.documentElement.scrollWidth} wide`);

  for (const element of document.querySelectorAll('body *')) {
    if (element.children.length > 0 || !element.textContent.trim() || !visible(element) || hiddenOnPurpose(element)) continue;
    const { left, right } = element.getBoundingClientRect();
    // What lies wholly to the left is put there to be measured.
    if (right < 0) continue;
    if ((left < -1 || right > innerWidth + 1) && !inScroller(element)) problems.push(`beyond the edge: ${name(element)}`);
    for (let each = element; each && each.id !== 'root'; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.textOverflow === 'ellipsis' && each.scrollWidth > each.clientWidth + 1 && !each.title) problems.push(`cut off: ${name(each)}`);
      if (scrolls(each)) break;
      if (['hidden', 'clip'].includes(style.overflowX) && each !== element) {
        const frame = each.getBoundingClientRect();
        if (frame.width > 2 && right > frame.right + 2) problems.push(`cut off: ${name(element)}`);
        break;
      }
    }
  }

  const controls = [...document.querySelectorAll('button, a[href], input, textarea, select, [role=tab]')]
    .filter((each) => visible(each) && !hiddenOnPurpose(each) && !inScroller(each));
  const boxes = controls.map((each) => each.getBoundingClientRect());
  // What stays on the screen lies over what moves below it.
  const stuck = (element) => {
    for (let each = element; each && each !== document.body; each = each.parentElement) if (['fixed', 'sticky'].includes(getComputedStyle(each).position)) return true;
    return false;
  };
  const fixed = controls.map(stuck);
  for (let i = 0; i < controls.length; ++i) {
    for (let j = i + 1; j < controls.length; ++j) {
      if (fixed[i] || fixed[j] || controls[i].contains(controls[j]) || controls[j].contains(controls[i])) continue;
      const wide = Math.min(boxes[i].right, boxes[j].right) - Math.max(boxes[i].left, boxes[j].left);
      const high = Math.min(boxes[i].bottom, boxes[j].bottom) - Math.max(boxes[i].top, boxes[j].top);
      if (wide > 3 && high > 3) problems.push(`overlap: ${name(controls[i])} / ${name(controls[j])}`);
    }
  }

  // Heads of rows are what a table holds, not how it lies.
  const parts = [...document.querySelectorAll('h1, h2, button, [role=tab], label, th:not([scope=row])')]
    .filter((each) => visible(each) && !hiddenOnPurpose(each) && name(each) && !inScroller(each))
    .map((each) => {
      const { left, top, width, height } = each.getBoundingClientRect();
      return [`${each.tagName.toLowerCase()} ${name(each)}`, ...[left + scrollX, top + scrollY, width, height].map(Math.round)];
    });
  return { problems: [...new Set(problems)], parts };
}

// settle runs in the browser. The page's own font may come after the words: until then another one, of
// another width, stands for it. Where an id breaks depends on its digits: while it is looked at, all are 0.
async function settle(ids) {
  const drawn = () => new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(resolve)); });
  await drawn();
  await document.fonts.ready;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  window.asTheyWere = [];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const plain = text.nodeValue.replace(new RegExp(ids, 'g'), (id) => id.replace(/[0-9a-f]/g, '0'));
    if (plain === text.nodeValue) continue;
    window.asTheyWere.push([text, text.nodeValue]);
    text.nodeValue = plain;
  }
  await drawn();
}

const restore = () => window.asTheyWere.forEach(([text, was]) => { text.nodeValue = was; });

export async function look(page) {
  await page.evaluate(settle, volatile.map(([pattern]) => pattern.source).join('|'));
  const { problems, parts } = await page.evaluate(inPage);
  await page.evaluate(restore);
  const clean = (text) => volatile.reduce((all, [pattern, to]) => all.replace(pattern, to), text);
  return { problems, parts: parts.map(([label, ...box]) => [clean(label), ...box]) };
}

// Snapshots of one width, by route. Positions may differ by tolerance pixels.
export class Layouts {
  constructor(file, tolerance = { across: 16, down: 48 }) {
    this.file = file;
    this.tolerance = tolerance;
    this.seen = {};
    this.update = process.env.UPDATE_GOLDEN === '1';
    this.kept = this.update ? {} : JSON.parse(readFileSync(file, 'utf8'));
  }

  check(route, parts) {
    this.seen[route] = parts;
    if (this.update) return;
    const { across, down } = this.tolerance;
    const labels = (list) => list.map(([label]) => label);
    assert.ok(this.kept[route], `${route} has no snapshot: UPDATE_GOLDEN=1`);
    assert.deepEqual(labels(parts), labels(this.kept[route]), `${route}: other parts than in ${path.basename(this.file)}`);
    parts.forEach(([label, x, y, width, height], i) => {
      const [, keptX, keptY, keptWidth, keptHeight] = this.kept[route][i];
      const far = Math.abs(x - keptX) > across || Math.abs(width - keptWidth) > across
        || Math.abs(y - keptY) > down || Math.abs(height - keptHeight) > down;
      assert.ok(!far, `${route}: ${label} is at ${[x, y, width, height]}, was at ${[keptX, keptY, keptWidth, keptHeight]}`);
    });
  }

  // finish writes what was seen, one part a line, when snapshots are renewed.
  finish() {
    if (!this.update) return;
    mkdirSync(path.dirname(this.file), { recursive: true });
    const routes = Object.entries(this.seen).map(([route, parts]) =>
      `${JSON.stringify(route)}: [\n${parts.map((part) => JSON.stringify(part)).join(',\n')}\n]`);
    writeFileSync(this.file, `{\n${routes.join(',\n')}\n}\n`);
  }
}
