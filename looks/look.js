// Looks at pages in a browser: screenshots by day, by night, in print and on a phone, and what axe-core finds.
//
//   node look.js OUT PAGE.. [--axe-only]
//
// Fails on violations of serious or critical impact, on a page that asks for anything but itself, and on a page that
// writes to the console. Other violations are listed.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [out, ...rest] = process.argv.slice(2);
const isShort = rest.includes('--axe-only');
const pages = rest.filter((word) => !word.startsWith('--'));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Nothing of the browser's own shall go out, and none of its helpers shall start.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

const looks = [
  { name: 'light', colorScheme: 'light', width: 1180, axe: true },
  { name: 'dark', colorScheme: 'dark', width: 1180, axe: true },
  { name: 'phone', colorScheme: 'light', width: 390 },
  { name: 'print', colorScheme: 'light', width: 794, media: 'print' },
];

let failures = 0;
const tell = (page, look, text) => console.log(`${page} ${look}: ${text}`);
const fail = (page, look, text) => { failures += 1; tell(page, look, `FAIL ${text}`); };

async function judge(tab, page, look) {
  // A session of its own: the page's policy forbids foreign scripts, and axe-core is one.
  await tab.evaluate(axe);
  const { violations, passes } = await tab.evaluate(() => axe.run());
  for (const { id, impact, help, nodes } of violations) {
    const say = ['serious', 'critical'].includes(impact) ? fail : tell;
    say(page, look, `${impact} ${id}: ${help} (${nodes.length}): ${nodes[0].html.slice(0, 160)}`);
  }
  tell(page, look, `axe-core: ${passes.length} rules hold, ${violations.length} do not`);
}

for (const file of pages) {
  const page = basename(dirname(resolve(file)));
  const url = pathToFileURL(resolve(file)).href;
  mkdirSync(out, { recursive: true });
  for (const look of looks.filter((look) => look.axe || !isShort)) {
    const context = await browser.newContext({
      colorScheme: look.colorScheme, viewport: { width: look.width, height: 900 }, offline: true,
    });
    const tab = await context.newPage();
    tab.on('request', (request) => { if (request.url() !== url) fail(page, look.name, `asks for ${request.url()}`); });
    tab.on('console', (message) => fail(page, look.name, `writes to the console: ${message.text()}`));
    tab.on('pageerror', (error) => fail(page, look.name, `throws ${error.message}`));
    if (look.media) await tab.emulateMedia({ media: look.media, colorScheme: look.colorScheme });
    await tab.goto(url);
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) fail(page, look.name, `is ${wide} pixels wider than its window`);
    if (!isShort) await tab.screenshot({ path: join(out, `${page}-${look.name}.png`), fullPage: true });
    if (look.media === 'print') writeFileSync(join(out, `${page}.pdf`), await tab.pdf({ format: 'A4', printBackground: true }));
    if (look.axe) await judge(tab, page, look.name);
    await context.close();
  }
}
await browser.close();
console.log(failures === 0 ? `${pages.length} pages looked at` : `${failures} failures`);
process.exit(failures === 0 ? 0 : 1);
