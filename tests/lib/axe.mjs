// What axe says about a page: nothing that keeps anybody from using it.
import axe from 'axe-core';

// Of all rules, those that a theme can break.
export const colourRules = ['color-contrast', 'link-in-text-block'];

// violations of the rules, or of all. axe is put into a page once.
export async function violations(page, rules) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  return page.evaluate(async (only) => {
    const { violations: found } = await window.axe.run(document,
      { resultTypes: ['violations'], ...(only && { runOnly: only }) });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ').slice(0, 400)}`);
  }, rules);
}
