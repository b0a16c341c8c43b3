// The applications of docs/integrate.md in a browser: `node integrate.mjs <url> <origin of the page> <command of the program> <email> <password>`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { Site } from "./browser.mjs";
import { renewsOnce, said, signsOut } from "./web.mjs";

const [, , url, app, desk, email, password] = process.argv;
const site = await Site.open(url);
const person = await site.person({ strays: /^http:\/\/(localhost|127\.0\.0\.1):\d+\// });

/** Answers the question whether the application may. */
async function allows(page) {
  await page.waitForURL(/\/oauth\/authorize/);
  await page.click("button[name=answer][value=allow]");
}

async function web() {
  const page = await person.newPage();
  await page.goto(`${app}/`);
  await page.click("#in");
  await page.fill("#login", email);
  await page.fill("#password", password);
  await page.click("main form button:not([type=button])");
  await allows(page);
  await said(page, "Signed in as usr_");
  assert.equal(page.url(), `${app}/`);
  await page.click("#orders");
  await said(page, '"orders_of":"usr_');

  await renewsOnce(person, page, url, '"orders_of":"usr_');
  await signsOut(page, url);
}

async function program() {
  const child = spawn("sh", ["-c", desk], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const begin = (await lines.next()).value.match(/^Open (.*)$/)[1];
  const page = await person.newPage();
  await page.goto(begin);
  await page.fill("#login", email);
  await page.fill("#password", password);
  await page.click("main form button:not([type=button])");
  await allows(page);
  await page.waitForSelector("text=You may close this page.");
  assert.equal((await lines.next()).value, `Signed in as ${email}`);
  if (child.exitCode === null) await once(child, "exit");
  assert.equal(child.exitCode, 0);
}

await web();
await program();
await site.close();
