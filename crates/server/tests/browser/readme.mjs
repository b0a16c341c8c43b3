// The picture of the pages in README.md, light and dark. With VESTIBULE_SCREENSHOTS=<folder> it is written there.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";

import { Site } from "./browser.mjs";

const [, , url] = process.argv;
const HEIGHT = 700;
/** Both together. */
const BYTES_MAX = 200_000;

/** What a page shows at this width. */
async function shot(page, width, colorScheme) {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  await page.setViewportSize({ width, height: HEIGHT });
  return page.screenshot();
}

/** Pictures side by side, as WebP. */
async function beside(page, shots, background) {
  const images = shots.map((png) => `<img src="data:image/png;base64,${png.toString("base64")}">`).join("");
  await page.setViewportSize({ width: 1600, height: HEIGHT + 60 });
  await page.setContent(`<style>body { margin: 0; height: 100vh; display: flex; align-items: center;
    justify-content: space-evenly; background: ${background} } img { border-radius: 12px }</style>${images}`);
  const png = (await page.screenshot()).toString("base64");
  const webp = await page.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.8);
  }, png);
  return Buffer.from(webp.split(",")[1], "base64");
}

const site = await Site.open(url);
try {
  await site.hasAccount("ada@example.org");
  const signUp = await (await site.person()).newPage();
  await signUp.goto("/signup");
  const checkMail = await (await site.person()).newPage();
  await site.signsUp(checkMail, "grace@example.org");
  const admin = await (await site.person()).newPage();
  await site.signsIn(admin, "root@example.org");
  await admin.waitForURL(/\/account/);
  await admin.goto("/admin/users?q=ada");
  await admin.click("a:has-text('ada@example.org')");
  await admin.waitForSelector("h1:has-text('ada@example.org')");
  const canvas = await (await site.person()).newPage();
  let bytes = 0;
  for (const [theme, background] of [["light", "#dde3ea"], ["dark", "#2b3037"]]) {
    const shots = [await shot(signUp, 340, theme), await shot(checkMail, 340, theme), await shot(admin, 812, theme)];
    const picture = await beside(canvas, shots, background);
    bytes += picture.length;
    const folder = process.env.VESTIBULE_SCREENSHOTS;
    if (folder) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/pages-${theme}.webp`, picture);
    }
  }
  assert.ok(bytes <= BYTES_MAX, `${bytes} bytes for both pictures`);
} finally {
  await site.close();
}
