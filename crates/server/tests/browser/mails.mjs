// Every mail as its reader sees it, in files of a folder: `node mails.mjs <url> <folder>`. Whole at 360 and 600 pixels, legible in both
// themes and without its style sheet, which webmail drops. With VESTIBULE_SCREENSHOTS=<folder> it takes their pictures.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";

import { Site, violations } from "./browser.mjs";

const [, , url, folder] = process.argv;
const pictures = process.env.VESTIBULE_SCREENSHOTS && `${process.env.VESTIBULE_SCREENSHOTS}/mails`;
if (pictures) mkdirSync(pictures, { recursive: true });

const site = await Site.open(url);
const page = await (await site.person({ javaScriptEnabled: true })).newPage();
const files = readdirSync(folder);
assert.ok(files.length >= 45, `${files}`);
for (const file of files) {
  const html = readFileSync(`${folder}/${file}`, "utf8");
  for (const [colorScheme, shown] of [["light", html], ["dark", html], ["stripped", html.replace(/<style>[^]*?<\/style>/, "")]]) {
    await page.emulateMedia({ colorScheme: colorScheme === "dark" ? "dark" : "light" });
    await page.setContent(shown);
    assert.deepEqual(await violations(page, ["color-contrast", "html-has-lang", "document-title"]), [], `${file}, ${colorScheme}`);
    const button = await page.evaluate(() => {
      const link = document.querySelector("a.button");
      const style = link && getComputedStyle(link);
      return link && [style.display, parseFloat(style.paddingTop) >= 12, link.parentElement.tagName];
    });
    if (button) assert.deepEqual(button, ["inline-block", true, "TD"], file);
    for (const width of [360, 600]) {
      await page.setViewportSize({ width, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${file} at ${width}, ${colorScheme}: ${wide} px too wide`);
      const name = file.replace(".html", `-${width}-${colorScheme}.png`);
      if (pictures) await page.screenshot({ path: `${pictures}/${name}`, fullPage: true });
    }
  }
}
await site.close();
