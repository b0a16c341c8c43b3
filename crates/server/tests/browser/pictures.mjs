// Pictures of pages, for eyes: `<page>-<language>-<width>-<theme>.png` in the folder VESTIBULE_SCREENSHOTS. `sheets.mjs` lays them out.
import { mkdirSync } from "node:fs";

const LANGUAGES = ["en", "de", "ar"];
const WIDTHS = [320, 768, 1440];

/** Takes the pictures of a page as it is now; and in the other languages, if its address alone leads back to it. */
export async function pictures(page, name) {
  const folder = process.env.VESTIBULE_SCREENSHOTS;
  mkdirSync(folder, { recursive: true });
  const spoken = await page.getAttribute("html", "lang");
  const title = name.replace(new RegExp(`-${spoken}$`), "");
  await take(page, `${folder}/${title}-${spoken}`);
  if (spoken !== "en" || !(await comesAgain(page))) return;
  const other = await page.context().newPage();
  const open = await page.$$eval("details[open][id]", (rows) => rows.map((row) => row.id));
  for (const language of LANGUAGES.filter((one) => one !== spoken)) {
    const address = new URL(page.url());
    address.searchParams.set("lang", language);
    await other.goto(String(address));
    await other.evaluate((ids) => ids.forEach((id) => document.getElementById(id)?.setAttribute("open", "")), open);
    await take(other, `${folder}/${title}-${language}`);
  }
  await other.close();
  // The choice of a language belongs to the browser: it forgets this one.
  const kept = (await page.context().cookies()).filter((cookie) => !/lang/i.test(cookie.name));
  await page.context().clearCookies();
  await page.context().addCookies(kept);
}

/** Whether the page is what its address shows: a form that was refused is not. */
async function comesAgain(page) {
  const shown = await page.evaluate(() => document.body.innerText);
  const other = await page.context().newPage();
  try {
    const answer = await other.goto(page.url()).catch(() => null);
    if (!answer || other.url() !== page.url()) return false;
    const again = await other.evaluate(() => document.body.innerText);
    const words = (text) => text.replace(/[\d\s:]+/g, " ").trim();
    return words(shown).slice(0, 400) === words(again).slice(0, 400) && shown.length - again.length < 40;
  } finally {
    await other.close();
  }
}

async function take(page, path) {
  await page.evaluate(() => scrollTo(0, 0));
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: `${path}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}
