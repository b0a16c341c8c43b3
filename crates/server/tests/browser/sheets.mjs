// One sheet per page or mail of the pictures in a folder, and an index of them: `node sheets.mjs <folder>`. A row for each language and
// theme, a column for each width.
import { readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(process.env.NODE_PACKAGES);
const { chromium } = require("playwright-core");
const folder = resolve(process.argv[2]);
const PICTURE = /^(.+)-(en|de|fr|es|ar)-(\d+)-(light|dark)\.png$/;
const STYLE = `body { font: 14px system-ui, sans-serif; margin: 24px; background: #d7dae0; color: #111 } h1 { font-size: 20px }
  table { border-spacing: 12px } th { text-align: start; vertical-align: top } td { vertical-align: top }
  div { max-height: 620px; overflow: hidden; background: #fff; box-shadow: 0 0 0 1px #0003 } img { display: block; width: 100% }`;
/** How wide a picture of this width is on its sheet. */
const SHOWN = { 320: 200, 360: 260, 600: 400, 768: 380, 1440: 640 };

/** The pictures of a folder by what they show. */
function sheets(of) {
  const found = new Map();
  for (const file of readdirSync(of)) {
    const [, title, language, width, theme] = PICTURE.exec(file) ?? [];
    if (title) found.set(title, [...(found.get(title) ?? []), { file, language, width: Number(width), theme }]);
  }
  return found;
}

function sheet(title, shots) {
  const sorted = (values, order = (a, b) => a - b) => [...new Set(values)].sort(order);
  const widths = sorted(shots.map(({ width }) => width));
  const rank = (language) => ["en", "de", "ar", "fr", "es"].indexOf(language);
  const rows = sorted(shots.map(({ language }) => language), (a, b) => rank(a) - rank(b))
    .flatMap((language) => ["light", "dark"].map((theme) => [language, theme]));
  const cell = ([language, theme], width) => {
    const shot = shots.find((one) => one.language === language && one.theme === theme && one.width === width);
    const image = shot ? `<a href="${shot.file}"><img src="${shot.file}" alt="${shot.file}"></a>` : "";
    return `<td><div style="width:${SHOWN[width]}px">${image}</div></td>`;
  };
  const head = widths.map((width) => `<th>${width}</th>`).join("");
  const body = rows.map((row) => `<tr><th>${row.join("<br>")}</th>${widths.map((width) => cell(row, width)).join("")}</tr>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><style>${STYLE}</style>
<h1>${title}</h1><table><tr><th></th>${head}</tr>${body.join("")}</table></html>`;
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium-headless-shell", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
const links = [];
for (const [of, within] of [[folder, ""], [`${folder}/mails`, "mails/"]]) {
  const found = readdirSync(folder).includes("mails") || !within ? sheets(of) : new Map();
  for (const [title, shots] of [...found].sort()) {
    writeFileSync(`${of}/${title}.html`, sheet(title, shots));
    await page.goto(pathToFileURL(`${of}/${title}.html`).href);
    await page.screenshot({ path: `${of}/${title}.sheet.png`, fullPage: true });
    links.push(`<li><a href="${within}${title}.html">${within}${title}</a> (<a href="${within}${title}.sheet.png">picture</a>)`);
  }
}
await browser.close();
writeFileSync(`${folder}/index.html`, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Every page and mail</title>
<style>${STYLE} ul { columns: 3 20rem }</style><h1>Every page and mail</h1><ul>${links.join("\n")}</ul></html>`);
console.log(`${links.length} sheets: ${folder}/index.html`);
